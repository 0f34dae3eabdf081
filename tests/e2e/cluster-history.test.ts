import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ClusterState } from '../../src/cli/cluster/state.ts';
import { checkHistory, checkWatchers, fold, type Operation, type Seen } from '../support/history.ts';
import { WireClient } from '../support/wire-client.ts';
import { isFree, Terminal } from './terminal.ts';

/** Seconds of load. WEIR_HISTORY_SECONDS makes it longer. */
const SECONDS = Number(process.env['WEIR_HISTORY_SECONDS'] ?? 6);
const KILL_EVERY_MS = 2000;
const CLIENTS = 8;
const WRITES_PER_LIFE = 30;
const WATCHERS = 4;
const KEYS = 6;
const PATH = '/api/v1/namespaces/default/configmaps';

const terminal = new Terminal();
afterAll(() => terminal.close());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Refused connections are tried again at once otherwise. */
const REST_MS = 20;
const nameOf = (index: number): string => `k${index}`;
const object = (name: string, value: string, resourceVersion?: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { history: 'yes' }, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  data: { value },
});

let port = 0;
async function start(): Promise<{ readonly access: ClusterState; kill(): Promise<void> }> {
  const data = join(terminal.home, 'data');
  const args = ['cluster', 'run', '--data-dir', data, '--port', String(port)];
  const { process: child } = await terminal.start('weir', args, /is ready at/);
  const access = JSON.parse(readFileSync(join(data, 'cluster.json'), 'utf8')) as ClusterState;
  return {
    access,
    kill: async () => {
      await terminal.stop(child, 'SIGKILL');
    },
  };
}

it(`F06: is linearizable under a SIGKILL every two seconds: nothing acknowledged is lost, no watch has a gap`, {
  timeout: (SECONDS + 120) * 1000,
}, async () => {
  let cluster = await start();
  port = cluster.access.port;
  const client = new WireClient(cluster.access);
  const operations: Operation[] = [];
  const stop = new AbortController();
  const running = (): boolean => !stop.signal.aborted;
  const acknowledged = (): number => operations.filter(({ outcome }) => outcome.kind === 'written').length;
  let values = 0;
  /** The first revision of all: watchers begin there, so that they can tell everything. */
  const { body } = await client.call('GET', PATH);
  const from = Number(body.metadata.resourceVersion);

  const note = async (
    what: Pick<Operation, 'kind' | 'key' | 'value' | 'expected'>,
    ask: () => Promise<Operation['outcome']>,
  ): Promise<Operation['outcome']> => {
    const startMs = performance.now();
    const outcome = await ask().catch(() => ({ kind: 'unknown' }) as const);
    const endMs = outcome.kind === 'unknown' ? Number.POSITIVE_INFINITY : performance.now();
    // A read without an answer says nothing.
    if (outcome.kind !== 'unknown' || what.kind !== 'get') operations.push({ ...what, startMs, endMs, outcome });
    if (outcome.kind === 'unknown') await sleep(REST_MS);
    return outcome;
  };
  const write = async (method: string, path: string, wished: object): Promise<Operation['outcome']> => {
    const answer = await client.call(method, path, wished);
    if (answer.status === 200 || answer.status === 201) {
      const version = answer.body.metadata?.resourceVersion as string | undefined;
      return { kind: 'written', version: version === undefined ? undefined : Number(version) };
    }
    if (answer.status === 404) return { kind: 'absent' };
    if (answer.status === 409) return { kind: 'refused' };
    throw new Error(`${method} ${path}: ${answer.status}`);
  };

  const work = async (seed: number): Promise<void> => {
    let state = seed * 7919 + 1;
    const random = (below: number): number => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    while (running()) {
      const key = nameOf(random(KEYS));
      const path = `${PATH}/${key}`;
      const read = await note({ kind: 'get', key }, async () => {
        const answer = await client.call('GET', path);
        if (answer.status === 404) return { kind: 'absent' };
        if (answer.status !== 200) throw new Error(String(answer.status));
        const { metadata, data } = answer.body;
        return { kind: 'read', version: Number(metadata.resourceVersion), value: data.value };
      });
      const value = `v${seed}-${values++}`;
      if (read.kind === 'absent')
        await note({ kind: 'create', key, value }, () => write('POST', PATH, object(key, value)));
      else if (read.kind === 'read') {
        const expected = read.version;
        const resourceVersion = String(expected);
        if (random(5) === 0)
          await note({ kind: 'delete', key, expected }, () =>
            write('DELETE', path, {
              apiVersion: 'v1',
              kind: 'DeleteOptions',
              preconditions: { resourceVersion },
            }),
          );
        else
          await note({ kind: 'update', key, value, expected }, () =>
            write('PUT', path, object(key, value, resourceVersion)),
          );
      }
    }
  };

  let until = Number.POSITIVE_INFINITY;
  const follow = async (index: number): Promise<readonly Seen[]> => {
    const told: Seen[] = [];
    let version = from;
    while (version < until) {
      try {
        const query = `watch=true&allowWatchBookmarks=true&labelSelector=history&resourceVersion=${version}`;
        // Short watches give bookmarks, and join often.
        for await (const { type, object: seen } of client.watch(`${PATH}?${query}&timeoutSeconds=${3 + index}`)) {
          if (type === 'ERROR') throw new Error(`the watch from ${version} on ended: ${seen.message}`);
          version = Number(seen.metadata.resourceVersion);
          told.push({ type, version, key: seen.metadata.name ?? '', value: seen.data?.value ?? '' });
          if (version >= until) break;
        }
      } catch (cause) {
        if ((cause as Error).message.startsWith('the watch from')) throw cause;
        await sleep(REST_MS);
      }
    }
    return told;
  };

  const watchers = Array.from({ length: WATCHERS }, (_, index) => follow(index));
  const clients = Array.from({ length: CLIENTS }, (_, index) => work(index));
  let kills = 0;
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; kills++) {
    // On a busy machine a kill would otherwise come before there is anything to lose.
    const enough = acknowledged() + WRITES_PER_LIFE;
    await sleep(KILL_EVERY_MS);
    while (acknowledged() < enough) await sleep(REST_MS);
    await cluster.kill();
    expect(await isFree(port)).toBe(true);
    cluster = await start();
  }
  stop.abort();
  await Promise.all(clients);
  // A last write for the watchers to end with.
  const key = nameOf(KEYS);
  await note({ kind: 'create', key, value: 'last' }, () => write('POST', PATH, object(key, 'last')));
  const final = await client.call('GET', `${PATH}?labelSelector=history`);
  until = Number(final.body.metadata.resourceVersion);
  const told = await Promise.all(watchers);
  await client.close();
  await cluster.kill();

  const events = (told[0] ?? []).filter(({ type }) => type !== 'BOOKMARK');
  console.log(`history: ${operations.length} operations, ${acknowledged()} acknowledged writes, ${kills} kills`);
  expect(checkHistory(operations, events).slice(0, 10)).toEqual([]);
  expect(checkWatchers(told).slice(0, 10)).toEqual([]);
  const listed = final.body.items.map(({ metadata }: { metadata: { name: string; resourceVersion: string } }) => [
    metadata.name,
    Number(metadata.resourceVersion),
  ]);
  for (const one of told) expect(Object.fromEntries(fold(one))).toEqual(Object.fromEntries(listed));
});
