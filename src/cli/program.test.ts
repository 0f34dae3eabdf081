import { describe, expect, test } from 'vitest';
import { ok } from '../base/result.ts';
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
});
