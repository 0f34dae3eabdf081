/**
 * `npx tsx bench/cluster.ts [start|objects|watches]`: start time, memory, latencies and throughput of `weir cluster`, as built, durable,
 * over TLS. Where WEIR_PEER_ETCD and WEIR_PEER_KUBE_APISERVER name programs, the same is asked of them in the same run.
 * Prints one line per figure: server, figure, value, unit. Nothing is asserted.
 */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, request } from 'undici';
import { type Server, startPeer, startWeir } from './cluster-servers.ts';

const OBJECTS = 10_000;
const CLIENTS = 50;
const GETS = 1000;
const IDLE_WATCHES = 500;
const ACTIVE_WATCHES = 20;
const WRITES_PER_SECOND = 200;
const WATCH_SECONDS = 10;
const SETTLE_MS = 5000;
const VALUE = 'x'.repeat(1024);
const PATH = '/api/v1/namespaces/default/configmaps';

const only = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
try {
  await measure('weir', startWeir);
  const { WEIR_PEER_ETCD: etcd, WEIR_PEER_KUBE_APISERVER: apiserver } = process.env;
  if (etcd === undefined || apiserver === undefined)
    console.log(
      'cluster: no peer: set WEIR_PEER_ETCD and WEIR_PEER_KUBE_APISERVER to measure etcd and kube-apiserver too',
    );
  else await measure('peer', (directory) => startPeer(etcd, apiserver, directory));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(name: string, start: (directory: string) => Promise<Server>): Promise<void> {
  const began = performance.now();
  const server = await start(join(folder, name));
  try {
    const agent = server.agent(CLIENTS);
    await call(server, agent, 'GET', '/api/v1/namespaces');
    print(server, 'process start to namespaces answered', performance.now() - began, 'ms');
    await sleep(2000);
    print(server, 'memory idle', server.rssMiB(), 'MiB');
    if (only !== 'start') {
      if (only !== 'objects') await watches(server);
      if (only !== 'watches') await objects(server, agent);
    }
    await agent.close();
  } finally {
    await server.stop();
  }
}

async function objects(server: Server, agent: Agent): Promise<void> {
  const latencies: number[] = [];
  let index = 0;
  const began = performance.now();
  const client = async (): Promise<void> => {
    while (index < OBJECTS) {
      const name = `c${index++}`;
      const sent = performance.now();
      await call(server, agent, 'POST', PATH, configMap(name, VALUE));
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  print(server, `durable creates, ${CLIENTS} clients`, OBJECTS / ((performance.now() - began) / 1000), '/s');
  print(server, 'create p50', percentile(latencies, 0.5), 'ms');
  print(server, 'create p99', percentile(latencies, 0.99), 'ms');
  await sleep(2000);
  print(server, `memory with ${OBJECTS} ConfigMaps of 1 KiB`, server.rssMiB(), 'MiB');

  const listBegan = performance.now();
  const bytes = await call(server, agent, 'GET', PATH);
  print(server, `list of ${OBJECTS} (${(bytes / 1e6).toFixed(1)} MB)`, performance.now() - listBegan, 'ms');
  const pageBegan = performance.now();
  await call(server, agent, 'GET', `${PATH}?limit=500`);
  print(server, 'list of a page of 500', performance.now() - pageBegan, 'ms');
  print(server, 'memory after a list', server.rssMiB(), 'MiB');
  const gets: number[] = [];
  for (let count = 0; count < GETS; count++) {
    const sent = performance.now();
    await call(server, agent, 'GET', `${PATH}/c${count}`);
    gets.push(performance.now() - sent);
  }
  print(server, 'get p50', percentile(gets, 0.5), 'ms');
  print(server, 'get p99', percentile(gets, 0.99), 'ms');
}

/** Watches that hear nothing, some that hear everything, and writes at a steady pace. */
async function watches(server: Server): Promise<void> {
  const agent = server.agent(IDLE_WATCHES + ACTIVE_WATCHES + CLIENTS);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const sent = new Map<string, number>();
  const acknowledged = new Map<string, number>();
  const seen: Map<string, number>[] = [];
  const heard: number[] = [];
  let closed = 0;
  // A server may close a watch that it finds too slow; a client goes on from the version it has seen.
  const follow = async (query: string, told: Map<string, number>, opened: () => void): Promise<void> => {
    let version = '0';
    for (; !stop.signal.aborted; closed++) {
      const answer = await request(`${server.url}${PATH}?watch=true&resourceVersion=${version}&${query}`, {
        dispatcher: agent,
        headers: server.headers,
        signal: stop.signal,
      });
      opened();
      let rest = '';
      for await (const chunk of answer.body.setEncoding('utf8')) {
        const now = performance.now();
        const lines = (rest + (chunk as string)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const name = /"name":"(w\d+)"/.exec(line)?.[1];
          if (name !== undefined && !told.has(name)) told.set(name, now);
          version = /"resourceVersion":"(\d+)"/.exec(line)?.[1] ?? version;
        }
      }
    }
  };
  const open = (query: string, told: Map<string, number>): Promise<void> =>
    new Promise((resolve, reject) => {
      follow(query, told, resolve).catch((cause: unknown) => {
        if (!stop.signal.aborted) reject(cause as Error);
      });
    });
  const idle: Map<string, number>[] = [];
  for (let index = 0; index < IDLE_WATCHES; index++) {
    const told = new Map<string, number>();
    idle.push(told);
    await open(`labelSelector=idle%3D${index}`, told);
  }
  for (let index = 0; index < ACTIVE_WATCHES; index++) {
    const told = new Map<string, number>();
    seen.push(told);
    await open('', told);
  }
  print(server, `memory with ${IDLE_WATCHES + ACTIVE_WATCHES} watches`, server.rssMiB(), 'MiB');
  const began = performance.now();
  const writes: Promise<void>[] = [];
  const total = WRITES_PER_SECOND * WATCH_SECONDS;
  for (let index = 0; index < total; index++) {
    const due = began + (index * 1000) / WRITES_PER_SECOND;
    while (performance.now() < due) await sleep(1);
    const name = `w${index}`;
    sent.set(name, performance.now());
    writes.push(
      call(server, agent, 'POST', PATH, configMap(name, 'v')).then(() => {
        acknowledged.set(name, performance.now());
      }),
    );
  }
  await Promise.all(writes);
  for (let waited = 0; waited < SETTLE_MS && seen.some((told) => told.size < total); waited += 10) await sleep(10);
  stop.abort();
  let lost = 0;
  const late: number[] = [];
  for (const told of seen)
    for (const [name, at] of sent) {
      const when = told.get(name);
      if (when === undefined) lost++;
      else {
        heard.push(when - at);
        late.push(when - (acknowledged.get(name) as number));
      }
    }
  const rate = total / ((Math.max(...acknowledged.values()) - began) / 1000);
  const what = `${IDLE_WATCHES} idle watches, ${ACTIVE_WATCHES} active`;
  print(server, `${what}: writes`, rate, '/s');
  print(server, `${what}: events lost`, lost, '');
  print(server, `${what}: watches that the server closed`, closed, '');
  print(server, `${what}: write asked for to event p50`, percentile(heard, 0.5), 'ms');
  print(server, `${what}: write asked for to event p99`, percentile(heard, 0.99), 'ms');
  print(server, `${what}: write acknowledged to event p99`, percentile(late, 0.99), 'ms');
  await agent.destroy();
}

function configMap(name: string, value: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } });
}

/** Resolves to the answer's length; a refusal ends the run. */
async function call(
  server: Server,
  agent: Agent,
  method: 'GET' | 'POST',
  path: string,
  body?: string,
): Promise<number> {
  const answer = await request(server.url + path, {
    method,
    dispatcher: agent,
    headers: { ...server.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body }),
  });
  const { length } = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode}`);
  return length;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function print(server: Server, name: string, value: number, unit: string): void {
  console.log(`${server.name}: ${name}: ${value.toFixed(1)} ${unit}`.trimEnd());
}
