import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crdOf } from '../../src/api/crd.ts';
import { kinds } from '../../src/api/kinds/all.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { silent } from '../../src/base/log.ts';
import { writeKubeconfig } from '../../src/cli/start/walkthrough.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { type Box, startBox } from '../../src/wiring-box.ts';
import { loadObjects, run, split } from '../golden/harness.ts';
import { findFlux } from './find-flux.ts';
import { anyKind, named, owned } from './flux-diff-objects.ts';
import { DIFFS } from './flux-diffs.ts';
import { FOLDER, NEST } from './flux-folder.ts';
import { BUILDING, type FluxRow, READING, WRITING } from './flux-rows.ts';

const peer = findFlux('the flux differential test');
const ENV = { WORD: 'something' };

/** A command that takes longer waits for what never comes. */
const PATIENCE_MS = 30_000;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(peer === undefined)('the command line beside the real flux', () => {
  let root = '';
  let kubeconfig = '';
  let box: Box;

  beforeAll(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'weir-peer-flux-')));
    kubeconfig = join(root, 'kubeconfig');
    box = await startBox({ port: 0, log: silent, nodes: false });
    await writeKubeconfig(kubeconfig, { name: 'peer', ...box });
    for (const kind of kinds) await apply(box.client, crdOf(kind) as KubeObject);
    await apply(box.client, anyKind('example.com', 'v1', 'Widget'));
    await loadObjects(box.client, readFileSync(join(import.meta.dirname, '../golden/data/cluster.yaml'), 'utf8'));
    await loadObjects(box.client, NEST);
    for (const [path, text] of Object.entries(FOLDER)) write(join(root, path), text);
    for (const [name, { before, after }] of Object.entries(DIFFS)) {
      await apply(box.client, owned(name, before));
      write(join(root, 'diffs', name, 'a.yaml'), JSON.stringify(named(name, after)));
    }
  });
  afterAll(async () => {
    await box.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** The real flux; exit code, and both streams. */
  const flux = (args: readonly string[], stdin: string): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { HOME: root, KUBECONFIG: kubeconfig, PATH: '', ...ENV };
      const child = execFile(peer ?? '', args, { cwd: root, env, timeout: PATIENCE_MS }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
      child.stdin?.end(stdin);
    });

  /** What both print of a row. */
  const both = async (cmd: string, stdin: string): Promise<{ readonly real: Ran; readonly ours: Ran }> => {
    const args = split(cmd);
    const options = { client: box.client, cwd: root, stdin, env: ENV };
    const [real, { code, stdout, stderr }] = await Promise.all([flux(args, stdin), run(args, options)]);
    return { real: comparable(real), ours: { code, stdout, stderr } };
  };

  const rows: readonly FluxRow[] = [
    ...READING,
    ...WRITING,
    ...BUILDING,
    ...Object.entries(DIFFS).map(([name, { differs }]) => {
      const cmd = `diff ks fleet --path=diffs/${name}`;
      return differs === undefined ? { cmd } : { cmd, differs };
    }),
  ];
  test.each(rows.filter(({ differs }) => differs === undefined))('$cmd', async ({ cmd, stdin = '' }) => {
    const { real, ours } = await both(cmd, stdin);
    expect(ours).toEqual(real);
  });
  test.each(rows.filter(({ differs }) => differs !== undefined))('$cmd: $differs', async ({ cmd, stdin = '' }) => {
    const { real, ours } = await both(cmd, stdin);
    expect(ours).not.toEqual(real);
  });
});

/** The same text with the product's name, and without the counter that every dry-run moves: it tells nothing. */
function comparable({ code, stdout, stderr }: Ran): Ran {
  return {
    code,
    stdout: stdout.replaceAll(/\nmetadata\.generation\n± value change\n- \d+\n\+ \d+\n/g, ''),
    stderr: stderr.replaceAll('for "flux', 'for "weir'),
  };
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function apply(client: KubeClient, object: KubeObject): Promise<void> {
  const applied = await client.apply(object, { fieldManager: 'kustomize-controller', force: true });
  if (!applied.ok) throw new Error(`${object.kind}/${object.metadata.name}: ${applied.error.message}`);
}
