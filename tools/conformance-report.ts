/** `npm run docs:conformance`: writes docs/conformance.md from a run of every vector set that is there. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conformanceDirectory, knownFailures, playSet } from '../tests/conformance/judge.ts';
import { sets } from '../tests/conformance/sets.ts';

/** The tool, with its version, that recorded each set. */
const PEERS: Readonly<Record<string, string>> = {
  kstatus: 'fluxcd/cli-utils v1.2.2',
  envsubst: 'fluxcd/pkg envsubst',
  yaml: 'sigs.k8s.io/yaml v1.6.0, kustomize v5.8.1',
  kustomize: 'kustomize v5.8.1',
  fluxbuild: 'fluxcd/pkg kustomize',
  ignore: 'fluxcd/pkg sourceignore',
  semver: 'Masterminds/semver v3.5.0',
  apiserver: 'kube-apiserver v1.34.1',
  'controllers/source-kustomize': 'source-controller 1.9.1, kustomize-controller 1.9.4',
};

const directory = conformanceDirectory();
const lines = [
  '# Conformance',
  '',
  'Made by `npm run docs:conformance`: vectors recorded from the real tools, played on Weir. The failures are listed by name, each with its',
  'reason, in `tests/conformance/known-failures/`.',
  '',
  '| set | recorded from | cases | equal | listed |',
  '|---|---|---|---|---|',
];
for (const set of sets) {
  const folder = join(directory, set.name);
  if (!existsSync(folder)) throw new Error(`no vectors at ${folder}: set WEIR_CONFORMANCE_DIR`);
  const results = await playSet(set, folder, knownFailures(set.name));
  const passed = results.filter((result) => result.passed).length;
  lines.push(
    `| ${set.name} | ${PEERS[set.name] ?? ''} | ${results.length} | ${passed} | ${knownFailures(set.name).size} |`,
  );
}
writeFileSync(new URL('../docs/conformance.md', import.meta.url), `${lines.join('\n')}\n`);
process.exit(0);
