import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliHost } from '../../src/cli/command.ts';
import { runKustomize } from '../../src/cli/kustomize-run.ts';
import { findKustomize } from './find-kustomize.ts';
import { EDITS, FILES, KUSTOMIZATIONS } from './kustomize-edits.ts';

const peer = findKustomize('the comparison of edits');
/** Each pair starts the real kustomize once; WEIR_PEER_RUNS asks for all of them. */
const EVERY = process.env['WEIR_PEER_RUNS'] === undefined ? 16 : 1;

const pairs = EDITS.flatMap((line) => Object.keys(KUSTOMIZATIONS).map((name) => [line, name] as const)).filter(
  (_, index) => index % EVERY === 0,
);

interface Answer {
  readonly code: number;
  /** The failure's first line; what a success says on standard error. */
  readonly said: string;
  readonly files: Readonly<Record<string, string>>;
}

describe.skipIf(peer === undefined)('edits beside the real kustomize', () => {
  let root = '';
  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'weir-peer-')));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(pairs)('%s, where the kustomization is: %s', async (line, name) => {
    const args = (line.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll("'", ''));
    prepare(root, KUSTOMIZATIONS[name]);
    const run = spawnSync(peer ?? '', args, { cwd: root, encoding: 'utf8' });
    const real = answer(root, run.status ?? 1, run.stderr);
    prepare(root, KUSTOMIZATIONS[name]);
    let said = '';
    const write = (text: string): void => {
      said += text;
    };
    const io = { stdout: () => undefined, stderr: write } as unknown as CliHost['io'];
    const { signal } = new AbortController();
    const host = { io, env: {}, cwd: root, signal, now: Date.now } as unknown as CliHost;
    const code = await runKustomize(args, host);
    expect(answer(root, code, said)).toEqual(real);
  });
});

function prepare(root: string, kustomization: string | undefined): void {
  rmSync(root, { recursive: true, force: true });
  const files = { ...FILES, ...(kustomization !== undefined && { 'kustomization.yaml': kustomization }) };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function answer(root: string, code: number, stderr: string): Answer {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = Object.fromEntries(
    paths.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(root.length + 1), readFileSync(path, 'utf8')];
    }),
  );
  // Log lines begin with the time.
  const text = stderr
    .replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /gm, '')
    .replaceAll('weir kustomize', 'kustomize')
    .trim();
  return { code, said: code === 0 ? text : (text.split('\n')[0] as string), files };
}
