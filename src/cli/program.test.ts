import { describe, expect, test } from 'vitest';
import { err, ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import type { CliHost } from './command.ts';
import { main } from './program.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(argv: readonly string[], client: Partial<KubeClient>, signal?: AbortSignal): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  const host: CliHost = {
    io: {
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      stdin: () => ({ async *[Symbol.asyncIterator]() {} }),
      interactive: false,
    },
    env: {},
    cwd: '/',
    signal: signal ?? new AbortController().signal,
    now: () => 0,
    connect: async () => ok(client as KubeClient),
    contextNamespace: async () => 'of-the-context',
  };
  return { code: await main(argv, host), stdout, stderr };
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

describe('a command line', () => {
  test('ends when the cluster does not answer in time', async () => {
    const { code, stderr } = await run(['get', 'ks', '--timeout=10ms'], { list: never });
    expect([code, stderr]).toEqual([1, '✗ timed out waiting\n']);
  });

  test('ends when it is interrupted', async () => {
    const stop = new AbortController();
    const list = (): Promise<never> => {
      stop.abort(new Error('interrupted'));
      return never();
    };
    const { code, stderr } = await run(['get', 'ks'], { list }, stop.signal);
    expect([code, stderr]).toEqual([130, '✗ interrupted\n']);
  });

  test('tells a fault of its own in one line, and where it is only when asked', async () => {
    const list = (): Promise<never> => Promise.reject(new Error('a bug'));
    const quiet = await run(['get', 'ks'], { list });
    expect([quiet.code, quiet.stderr]).toEqual([1, '✗ a bug\n']);
    const verbose = await run(['get', 'ks', '--verbose'], { list });
    expect(verbose.stderr).toContain('program.test.ts');
  });

  test('follows the context where the flag says so, and the flag for the namespace before it', async () => {
    const asked: unknown[] = [];
    const list: KubeClient['list'] = async (_, options) => {
      asked.push(options?.namespace);
      return ok({ items: [], resourceVersion: '1' });
    };
    await run(['get', 'ks', '--ns-follows-kube-context'], { list });
    await run(['get', 'ks', '--ns-follows-kube-context', '-n', 'apps'], { list });
    await run(['get', 'ks'], { list });
    expect(asked).toEqual(['of-the-context', 'apps', 'flux-system']);
  });

  test('D14: shows control characters of objects instead of obeying them', async () => {
    const message = 'applied \u001b[2J\u001b]0;title\u0007 \r\u009b31m done';
    const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message };
    const item = {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'evil\u001b[31m', namespace: 'flux-system' },
      status: { conditions: [ready] },
    };
    const list: KubeClient['list'] = async () => ok({ items: [item as never], resourceVersion: '1' });
    const get: KubeClient['get'] = async () => err({ code: 403, reason: 'Forbidden', message: `no \u001b[8m for you` });
    const table = await run(['get', 'ks'], { list });
    const refusal = await run(['export', 'ks', 'x'], { get });
    for (const { stdout, stderr } of [table, refusal]) {
      expect(stdout + stderr).not.toMatch(/(?![\n\t])\p{Cc}/u);
    }
    expect(table.stdout).toContain('evil\\x1b[31m');
    expect(refusal.stderr).toContain('no \\x1b[8m for you');
  });
});
