import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type World, world } from '../../../../tests/support/world.ts';
import type { KubeObject } from '../../../api/object.ts';
import type { ByteStream, LogOptions, PodProgram } from '../../pod-program.ts';
import { LogLines } from './log-lines.ts';

const PODS = { group: '', plural: 'pods' };
const NAMESPACES = { group: '', plural: 'namespaces' };
const BACKEND: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'backend' } };
const PLAIN: LogOptions = { follow: false, previous: false, timestamps: false };

async function started(image = 'local-test:v1', annotations: Record<string, string> = {}): Promise<World> {
  const made = await world();
  await made.create(NAMESPACES, BACKEND);
  await made.run(0);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'backend', labels: { app: 'nginx-test' }, annotations },
    spec: { restartPolicy: 'Always', containers: [{ name: 'c', image, ports: [{ containerPort: 80 }] }] },
  };
  await made.create(PODS, pod as KubeObject);
  await made.run(1000);
  return made;
}

function programOf({ workloads }: World): PodProgram {
  const program = workloads.podPrograms.of('backend', 'p');
  if (program === undefined) throw new Error('no program');
  return program;
}

async function lines(program: PodProgram, options: Partial<LogOptions> = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const line of program.logs({ ...PLAIN, ...options })) found.push(line);
  return found;
}

/** The stream as a socket for node's HTTP client. */
function socket(stream: ByteStream): Duplex {
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      void (async () => {
        await stream.write(chunk);
        done();
      })();
    },
    final(done) {
      stream.end();
      done();
    },
  });
  void (async () => {
    for await (const chunk of stream.output) duplex.push(chunk);
    duplex.push(null);
  })().catch(() => duplex.destroy());
  return duplex;
}

function get(
  program: PodProgram,
  path: string,
  headers: Record<string, string>,
): Promise<{ type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const stream = program.connect(80);
    if (stream === undefined) throw new Error('nothing listens');
    const call = request({ path, headers, createConnection: () => socket(stream) as never }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        stream.destroy();
        resolve({ type: response.headers['content-type'] ?? '', body: Buffer.concat(parts).toString() });
      });
    });
    call.on('error', reject);
    call.end();
  });
}

describe('a simulated program', () => {
  it('is there only once its container has started', async () => {
    const made = await world();
    await made.create(NAMESPACES, BACKEND);
    await made.run(0);
    const spec = { containers: [{ name: 'c', image: 'app:bad' }] };
    await made.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'backend' },
      spec,
    });
    await made.run(1000);
    expect(made.workloads.podPrograms.of('backend', 'p')).toBeUndefined();
    expect(made.workloads.podPrograms.of('backend', 'other')).toBeUndefined();
  });

  it('answers a browser with a page that says that it is simulated, and what of', async () => {
    const { type, body } = await get(programOf(await started()), '/', { accept: 'text/html' });
    expect(type).toBe('text/html; charset=utf-8');
    expect(body).toContain('This pod is simulated by Weir');
    expect(body).toContain('<h1>local-test:v1</h1>');
    expect(body).toContain('<dd>app=nginx-test</dd>');
  });

  it('escapes what users wrote', async () => {
    const program = programOf(await started('<script>alert("1")</script>'));
    const { body } = await get(program, "/'<b>", { accept: 'text/html' });
    expect(body).not.toContain('<script>');
    expect(body).not.toContain('<b>');
    expect(body).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
  });

  it('answers curl in plain text and programs in JSON', async () => {
    const program = programOf(await started());
    const curl = await get(program, '/', { accept: '*/*', 'user-agent': 'curl/8.0' });
    expect(curl.type).toBe('text/plain; charset=utf-8');
    expect(curl.body).toContain('image:     local-test:v1');
    const json = JSON.parse((await get(program, '/x', { accept: 'application/json' })).body) as object;
    expect(json).toMatchObject({ simulated: true, pod: 'p', namespace: 'backend', request: 'GET /x' });
  });

  it('writes the same log for the same run, and a line per request', async () => {
    const program = programOf(await started());
    const wanted = [
      'simulated: This pod is simulated by Weir: no container runs here.',
      'simulated: container c of pod backend/p, image local-test:v1, run 1',
      'simulated: started, listening on 80/TCP',
    ];
    expect(await lines(program)).toEqual(wanted);
    await get(program, '/hello', { accept: '*/*' });
    expect(await lines(program, { tailLines: 1 })).toEqual(['simulated: GET /hello 200']);
    expect((await lines(program, { timestamps: true }))[0]).toBe(`2026-01-01T00:00:00.000000000Z ${wanted[0]}`);
  });

  it('tells of the run before in a crash loop', async () => {
    const made = await started('app:1', { 'sim.weir.dev/fault': 'crash-loop' });
    await made.run(30_000);
    const program = programOf(made);
    expect((await lines(program, { previous: true }))[1]).toContain('run 2');
    expect((await lines(program)).some((line) => line.includes('run 3'))).toBe(true);
  });

  it('runs the commands it knows and refuses others', async () => {
    const program = programOf(await started());
    const run = async (command: readonly string[]): Promise<{ code: number | undefined; out: string }> => {
      let out = '';
      const take = (chunk: Uint8Array): void => {
        out += Buffer.from(chunk).toString();
      };
      const stdin = (async function* () {
        yield Buffer.from('typed');
      })();
      const streams = { stdin, stdout: take, stderr: take, tty: false, signal: new AbortController().signal };
      return { code: await program.exec?.(command, streams), out };
    };
    expect(await run(['echo', 'a', 'b'])).toEqual({ code: 0, out: 'a b\n' });
    expect(await run(['sh', '-c', 'hostname'])).toEqual({ code: 0, out: 'p\n' });
    expect(await run(['cat'])).toEqual({ code: 0, out: 'typed' });
    expect((await run(['false'])).code).toBe(1);
    expect(await run(['rm', '-rf', '/'])).toMatchObject({ code: 127, out: expect.stringContaining('not simulated') });
    expect((await run(['sh', '-c', 'echo $(id)'])).code).toBe(127);
  });

  it('is replaced by a real one where there is one, and stopped with its pod', async () => {
    let stopped = 0;
    const real: PodProgram = {
      logs: async function* () {
        yield 'real';
      },
      connect: () => undefined,
      stop: async () => {
        stopped++;
      },
    };
    const made = await world({ programFor: (pod) => (pod.metadata.name === 'p' ? real : undefined) });
    await made.create(NAMESPACES, BACKEND);
    await made.run(0);
    const spec = { containers: [{ name: 'c', image: 'weir:1' }] };
    await made.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'backend' },
      spec,
    });
    await made.run(1000);
    expect(await lines(programOf(made))).toEqual(['real']);
    await made.registry.delete(PODS, 'backend', 'p');
    await made.run(1000);
    expect(stopped).toBe(1);
  });
});

describe('log lines', () => {
  it('are followed until the end', async () => {
    const log = new LogLines();
    log.add({ atMs: 1000, text: 'one' });
    const found: string[] = [];
    const reading = (async () => {
      for await (const line of log.read({ ...PLAIN, follow: true }, 2000)) found.push(line);
    })();
    log.add({ atMs: 2000, text: 'two' });
    log.end();
    await reading;
    expect(found).toEqual(['one', 'two']);
  });

  it('end for a follower that goes away', async () => {
    const log = new LogLines();
    const abort = new AbortController();
    const reading = (async () => {
      for await (const _ of log.read({ ...PLAIN, follow: true, signal: abort.signal }, 0)) {
        // nothing comes
      }
    })();
    abort.abort();
    await expect(reading).resolves.toBeUndefined();
  });

  it('are cut by time and bytes, and kept within bounds', async () => {
    const log = new LogLines();
    for (let number = 0; number < 1500; number++) log.add({ atMs: number, text: String(number) });
    const read = async (options: Partial<LogOptions>): Promise<string[]> => {
      const found: string[] = [];
      for await (const line of log.read({ ...PLAIN, ...options }, 1500)) found.push(line);
      return found;
    };
    expect(await read({})).toHaveLength(1000);
    expect(await read({ sinceMs: 2 })).toEqual(['1498', '1499']);
    expect(await read({ limitBytes: 9 })).toEqual(['500', '501']);
  });
});
