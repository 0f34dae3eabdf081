/**
 * `npx tsx bench/cluster.ts`: start time, memory, latencies and throughput of the embedded control plane over TLS.
 * Prints one line per figure: name, value, unit. The server runs in a process of its own, durable.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { createControlPlane } from '../src/cluster/control-plane.ts';

const OBJECTS = 10_000;
const CLIENTS = 50;
const WRITES = 1000;
const VALUE = 'x'.repeat(1024);
const PATH = '/api/v1/namespaces/default/configmaps';

interface Ready {
  readonly url: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

if (process.argv[2] === 'serve') await serve(process.argv[3] as string);
else await measure();

async function serve(directory: string): Promise<void> {
  const plane = await createControlPlane({ dataDirectory: directory });
  const { url, pki } = await plane.listen();
  process.send?.({ url, authority: pki.authority, certificate: pki.admin.certificate, key: pki.admin.key });
  process.on('message', () => process.send?.({ rss: process.memoryUsage.rss() }));
}

async function measure(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const began = performance.now();
  const server = fork(fileURLToPath(import.meta.url), ['serve', directory], { execArgv: process.execArgv });
  const next = <T>(): Promise<T> =>
    new Promise((resolve) => server.once('message', (message) => resolve(message as T)));
  const memory = async (): Promise<number> => {
    server.send('memory');
    return (await next<{ rss: number }>()).rss / 2 ** 20;
  };
  try {
    const { url, authority, certificate, key } = await next<Ready>();
    const agent = new Agent({ connect: { ca: authority, cert: certificate, key }, connections: CLIENTS });
    const get = async (path: string): Promise<number> => {
      const { body } = await request(url + path, { dispatcher: agent });
      return (await body.text()).length;
    };
    await get('/api/v1/namespaces');
    print('start to first answer', performance.now() - began, 'ms');
    print('memory idle', await memory(), 'MiB');

    const create = async (name: string): Promise<void> => {
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value: VALUE } });
      const answer = await request(url + PATH, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
        dispatcher: agent,
      });
      await answer.body.dump();
      if (answer.statusCode !== 201) throw new Error(`create: ${answer.statusCode}`);
    };
    const latencies: number[] = [];
    let index = 0;
    const createBegan = performance.now();
    const client = async (): Promise<void> => {
      while (index < OBJECTS) {
        const name = `c${index++}`;
        const sent = performance.now();
        await create(name);
        latencies.push(performance.now() - sent);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    const seconds = (performance.now() - createBegan) / 1000;
    print(`durable creates, ${CLIENTS} clients`, OBJECTS / seconds, '/s');
    print('create p50', percentile(latencies, 0.5), 'ms');
    print('create p99', percentile(latencies, 0.99), 'ms');
    print(`memory with ${OBJECTS} ConfigMaps of 1 KiB`, await memory(), 'MiB');

    const listBegan = performance.now();
    const bytes = await get(PATH);
    print(`list of ${OBJECTS} (${(bytes / 1e6).toFixed(1)} MB)`, performance.now() - listBegan, 'ms');
    const gets: number[] = [];
    for (let count = 0; count < WRITES; count++) {
      const sent = performance.now();
      await get(`${PATH}/c${count}`);
      gets.push(performance.now() - sent);
    }
    print('get p50', percentile(gets, 0.5), 'ms');
    print('get p99', percentile(gets, 0.99), 'ms');
    await agent.close();
  } finally {
    server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function print(name: string, value: number, unit: string): void {
  console.log(`cluster: ${name}: ${value.toFixed(1)} ${unit}`);
}
