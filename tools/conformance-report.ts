/**
 * Writes docs/conformance.md from what a run of the vector sets printed:
 * `npm run --silent conformance | npx tsx tools/conformance-report.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { knownFailures } from '../tests/conformance/judge.ts';
import { sets } from '../tests/conformance/sets.ts';

/** The tool, with its version, that recorded each set. */
const PEERS: Readonly<Record<string, string>> = {
  kstatus: 'fluxcd/cli-utils v1.2.2',
  envsubst: 'fluxcd/pkg envsubst',
  yaml: 'sigs.k8s.io/yaml v1.6.0, kustomize v5.8.1',
  kustomize: 'kustomize v5.8.1',
  fluxbuild: 'fluxcd/pkg kustomize',
  gotmpl: 'helm v4.1.4',
  charts: 'helm v4.1.4',
  ignore: 'fluxcd/pkg sourceignore',
  semver: 'Masterminds/semver v3.5.0',
  sops: 'sops 3.13.3',
  apiserver: 'kube-apiserver v1.34.1',
  'controllers/source-kustomize': 'source-controller 1.9.1, kustomize-controller 1.9.4',
  'own-scenarios': 'source-controller 1.9.1, kustomize-controller 1.9.4',
};

const printed = readFileSync(0, 'utf8');
const lines = [
  '# Conformance',
  '',
  'Made by `npm run --silent conformance | npx tsx tools/conformance-report.ts`: vectors recorded from the real tools, played on Weir. The',
  'failures are listed by name, each with its reason, in `tests/conformance/known-failures/`.',
  '',
  '| set | recorded from | cases | equal | listed |',
  '|---|---|---|---|---|',
];
for (const { name } of sets) {
  // The last run counts. A test runner's colours may stand right before the name, which itself may end another set's name.
  const found = [...printed.matchAll(/(?:^|m)([\w/-]+): (\d+) passed, (\d+) failed$/gm)].findLast(
    ([, set]) => set === name,
  );
  if (found === undefined) throw new Error(`the output has no line for ${name}`);
  const [passed, failed] = [Number(found[2]), Number(found[3])];
  lines.push(`| ${name} | ${PEERS[name] ?? ''} | ${passed + failed} | ${passed} | ${knownFailures(name).size} |`);
}
writeFileSync(new URL('../docs/conformance.md', import.meta.url), `${lines.join('\n')}\n`);
