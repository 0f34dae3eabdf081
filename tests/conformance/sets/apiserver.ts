import { spawn } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '../../../src/base/log.ts';
import { kubeconfigFor } from '../../../src/cli/cluster/kubeconfig.ts';
import type { KeyPair, Pki } from '../../../src/cluster/apiserver/pki.ts';
import { signRequest } from '../../../src/cluster/apiserver/pki.ts';
import { createControlPlane } from '../../../src/cluster/control-plane.ts';
import { startWorkloads } from '../../../src/cluster/workloads/start-workloads.ts';
import { systemClock } from '../../../src/kube/system-clock.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

interface Line {
  readonly id: string;
  readonly pass: boolean;
  readonly steps: readonly { readonly name: string | null; readonly differences: readonly unknown[] }[];
}

/** Requests whose answers a real kube-apiserver 1.34 gave, played by the runner that stands beside them. */
export const set: ConformanceSet = { name: 'apiserver', run, replay: run };

/** The answers name the administrator who was asking when they were recorded. */
function recordedAdmin({ authorityKey = '' }: Pki): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = signRequest(createPrivateKey(authorityKey), {
    subject: { commonName: 'bench-admin', organisations: ['system:masters'] },
    key: publicKey,
    use: 'client',
    notBeforeMs: Date.now() - 60_000,
    notAfterMs: Date.now() + 86_400_000,
  });
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

async function run(directory: string, ids: readonly string[] = []): Promise<readonly CaseResult[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'weir-apiserver-'));
  const plane = await createControlPlane();
  const listening = await plane.listen();
  // As where the answers were recorded: controllers, but nothing that runs pods.
  const workloads = startWorkloads({
    registry: plane.registry,
    clock: systemClock,
    log: silent,
    random: Math.random,
    caPem: listening.pki.authority,
    kubelet: false,
    scheduler: false,
  });
  try {
    const kubeconfig = join(scratch, 'kubeconfig.json');
    const access = { url: listening.url, authority: listening.pki.authority, ...recordedAdmin(listening.pki) };
    await writeFile(kubeconfig, JSON.stringify(kubeconfigFor('weir', access)), { mode: 0o600 });
    const report = join(scratch, 'report');
    await play(directory, [
      '--base',
      listening.url,
      '--kubeconfig',
      kubeconfig,
      '--dir',
      directory,
      '--report',
      report,
      '-j',
      '4',
      ...(ids.length === 0 ? [] : ['--only', `^(${ids.join('|')})$`]),
    ]);
    const lines = (await readFile(report, 'utf8')).trimEnd().split('\n');
    return lines.map((text) => {
      const { id, pass, steps } = JSON.parse(text) as Line;
      const [first] = steps;
      return pass || first === undefined
        ? { id, passed: pass }
        : { id, passed: false, detail: `${first.name ?? ''}: ${JSON.stringify(first.differences[0])}` };
    });
  } finally {
    workloads.stop();
    await plane.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The runner's exit code says whether everything passed; its report says what did not. */
function play(directory: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', [join(directory, 'run-scenarios.py'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', () => resolve());
  });
}
