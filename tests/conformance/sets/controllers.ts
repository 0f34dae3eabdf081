import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crdOf } from '../../../src/api/crd.ts';
import { kinds } from '../../../src/api/kinds/all.ts';
import { silent } from '../../../src/base/log.ts';
import { writeKubeconfig } from '../../../src/cli/start/walkthrough.ts';
import { startBox } from '../../../src/wiring-box.ts';
import { conformanceDirectory } from '../judge.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Ports of the engine and the runner's fixtures; the fixtures' are the runner's defaults. */
const STORAGE = '127.0.0.1:20490';
const METRICS = '127.0.0.1:20581';
const HEALTH = '127.0.0.1:20441';
const JOBS = 8;

/**
 * What the real Flux controllers left behind after each scenario, played on the built engine (`dist/weir.mjs`) over an
 * embedded cluster without nodes, as the recording had none. The runner is the set's own.
 */
export const set: ConformanceSet = {
  name: 'controllers/source-kustomize',
  async run(directory) {
    const { playable, unserved } = sortOut(directory);
    return [...(await playOverBox(directory, playable)), ...unserved];
  },
  replay: playOverBox,
};

/** Scenarios of ours, recorded the same way: see their README. */
export const ownScenarios: ConformanceSet = {
  name: 'own-scenarios',
  directory: join(root, 'tests', 'conformance', 'own-scenarios'),
  run: (directory) => playOverBox(directory, sortOut(directory).playable),
  replay: playOverBox,
};

async function playOverBox(directory: string, ids: readonly string[]): Promise<readonly CaseResult[]> {
  if (!existsSync(join(root, 'dist', 'weir.mjs'))) throw new Error('the engine is not built: npm run build');
  const work = mkdtempSync(join(tmpdir(), 'weir-scenarios-'));
  const box = await startBox({ port: 0, log: silent, nodes: false });
  try {
    for (const kind of kinds) {
      const applied = await box.client.apply(crdOf(kind), { fieldManager: 'weir', force: true });
      if (!applied.ok) throw new Error(applied.error.message);
    }
    const kubeconfig = join(work, 'kubeconfig');
    await writeKubeconfig(kubeconfig, { name: 'scenarios', ...box });
    writeFileSync(join(work, 'impl.json'), JSON.stringify(implementation()));
    mkdirSync(join(work, 'run'));
    return parse(await play(directory, work, kubeconfig, ids));
  } finally {
    await box.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

/** Weir as the runner starts it: one process for all components, with the recording's `--requeue-dependency`. */
function implementation() {
  const engine = 'weir';
  const cmd = [
    process.execPath,
    join(root, 'dist', 'weir.mjs'),
    'run',
    '--kubeconfig={kubeconfig}',
    '--requeue-dependency=3s',
  ].concat([
    '--storage-path={work}/storage',
    `--storage-addr=${STORAGE}`,
    `--storage-adv-addr=${STORAGE}`,
    `--metrics-addr=${METRICS}`,
    `--health-addr=${HEALTH}`,
    '--concurrent=24',
  ]);
  return {
    name: engine,
    env: { RUNTIME_NAMESPACE: 'flux-system' },
    components: [
      {
        name: engine,
        cmd,
        dirs: ['{work}/storage', '{work}/tmp-weir'],
        env: { TMPDIR: '{work}/tmp-weir' },
        ready: `http://${HEALTH}/readyz`,
      },
    ],
    profiles: {
      default: {},
      'no-cross-namespace': { [engine]: ['--no-cross-namespace-refs=true'] },
      'default-sa': { [engine]: ['--default-service-account=default'] },
      lax: { [engine]: ['--feature-gates=StrictPostBuildSubstitutions=false'] },
      'no-remote-bases': { [engine]: ['--no-remote-bases=true'] },
      'global-age': { [engine]: ['--sops-age-secret=sops-age-global'] },
    },
  };
}

interface Scenario {
  readonly id: string;
  readonly steps: readonly { readonly apply?: readonly { readonly apiVersion: string; readonly kind: string }[] }[];
}

/** Scenarios with Flux kinds that are not served yet have failed before they begin: playing them would only cost minutes. */
function sortOut(directory: string): {
  readonly playable: readonly string[];
  readonly unserved: readonly CaseResult[];
} {
  const served = new Set(kinds.map(({ kind }) => kind));
  const playable: string[] = [];
  const unserved: CaseResult[] = [];
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.json'))) {
    const file = JSON.parse(readFileSync(join(directory, name), 'utf8')) as {
      readonly scenarios?: readonly Scenario[];
    };
    for (const { id, steps } of file.scenarios ?? []) {
      const objects = steps.flatMap(({ apply }) => apply ?? []);
      const missing = objects.find(
        ({ apiVersion, kind }) => apiVersion.includes('.toolkit.fluxcd.io/') && !served.has(kind),
      );
      if (missing === undefined) playable.push(id);
      else unserved.push({ id, passed: false, detail: `${missing.kind} is not served yet` });
    }
  }
  return { playable, unserved };
}

/** The runner's output; WEIR_SCENARIOS (`--tags=plain,drift`, `--only=ID`) narrows what is played. */
async function play(directory: string, work: string, kubeconfig: string, ids: readonly string[]): Promise<string> {
  const asked = (process.env['WEIR_SCENARIOS'] ?? '').split(' ').filter((word) => word !== '');
  const narrow = asked.length > 0 ? asked : ['--only', ids.join(',')];
  const args = ['--kubeconfig', kubeconfig, '--impl', join(work, 'impl.json'), '--dir', directory]
    .concat(['--work', join(work, 'run'), '--jobs', String(JOBS), '--max-diff', '40'])
    .concat(narrow);
  const runner = spawn('python3', [runnerFor(directory), ...args], {
    cwd: work,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [runner.stdout, runner.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  await new Promise<void>((resolve, reject) => {
    runner.once('error', reject);
    runner.once('close', () => resolve());
  });
  if (!/^\d+ played, \d+ failed$/m.test(output))
    throw new Error(`the runner did not get to its end:\n${output.slice(-4000)}`);
  return output;
}

/** The runner lies with the vectors that were given. */
function runnerFor(directory: string): string {
  const name = 'run-flux-scenarios.py';
  const beside = join(directory, name);
  return existsSync(beside) ? beside : join(conformanceDirectory(), set.name, name);
}

/** Lines `PASS id 3.1s`, or `FAIL id 3.1s` and indented differences. */
function parse(output: string): readonly CaseResult[] {
  const results: { id: string; passed: boolean; detail?: string }[] = [];
  for (const line of output.split('\n')) {
    const match = /^(PASS|FAIL) (\S+) [\d.]+s$/.exec(line);
    const last = results.at(-1);
    if (match !== null) results.push({ id: match[2] ?? '', passed: match[1] === 'PASS' });
    else if (line.startsWith('     ') && last !== undefined && !last.passed)
      last.detail = `${last.detail ?? ''}${line.trim()}\n`;
  }
  return results;
}
