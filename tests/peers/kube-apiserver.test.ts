import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, createControlPlane } from '../../src/cluster/control-plane.ts';
import { applies } from './apiserver/applies.ts';
import { customs } from './apiserver/customs.ts';
import { lists } from './apiserver/lists.ts';
import { patches } from './apiserver/patches.ts';
import { differences, play, type Sequence, type Server } from './apiserver/play.ts';
import { writes } from './apiserver/writes.ts';

/**
 * The same requests to the embedded server and to a real kube-apiserver 1.34: WEIR_PEER_KUBE_APISERVER and WEIR_PEER_ETCD name the
 * programs. Counts of steps that differ may only shrink; what they are is printed when a count grows.
 */
const KUBE_APISERVER = process.env['WEIR_PEER_KUBE_APISERVER'] ?? '';
const ETCD = process.env['WEIR_PEER_ETCD'] ?? '';
const absent = KUBE_APISERVER === '' || ETCD === '';

/** Steps that are known to differ: random names inside names, versions in texts, warnings that are missing. */
const KNOWN: readonly (readonly [string, readonly Sequence[], number])[] = [
  ['patches', patches, 6],
  ['writes', writes, 25],
  ['applies', applies, 3],
  ['lists', lists, 9],
  ['customs', customs, 46],
];

class Peer {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'weir-peer-'));
  readonly #processes: ChildProcess[] = [];

  async start(): Promise<Server> {
    const at = (name: string): string => join(this.directory, name);
    const openssl = (...args: readonly string[]): void => {
      execFileSync('openssl', args, { cwd: this.directory, stdio: 'ignore' });
    };
    const issue = (name: string, subject: string, ...extra: readonly string[]): void => {
      openssl(
        'req',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        subject,
      );
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-out',
        `${name}.crt`,
        ...extra,
      );
    };
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca');
    writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1');
    issue('admin', '/O=system:masters/CN=admin');
    issue('server', '/CN=kube-apiserver', '-extfile', 'names');
    openssl('genrsa', '-out', 'sa.key', '2048');
    const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
    const run = (program: string, args: readonly string[]): void => {
      this.#processes.push(spawn(program, args, { cwd: this.directory, stdio: 'ignore' }));
    };
    run(ETCD, [
      '--data-dir',
      at('etcd'),
      '--unsafe-no-fsync',
      '--listen-client-urls',
      `http://127.0.0.1:${client}`,
      '--advertise-client-urls',
      `http://127.0.0.1:${client}`,
      '--listen-peer-urls',
      `http://127.0.0.1:${peer}`,
      '--initial-advertise-peer-urls',
      `http://127.0.0.1:${peer}`,
      '--initial-cluster',
      `default=http://127.0.0.1:${peer}`,
    ]);
    run(KUBE_APISERVER, [
      `--etcd-servers=http://127.0.0.1:${client}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      '--tls-cert-file=server.crt',
      '--tls-private-key-file=server.key',
      '--client-ca-file=ca.crt',
      '--service-account-key-file=sa.key',
      '--service-account-signing-key-file=sa.key',
      '--service-account-issuer=https://kubernetes.default.svc',
      '--authorization-mode=Node,RBAC',
      '--service-cluster-ip-range=10.96.0.0/12',
      '--allow-privileged=true',
    ]);
    const read = (name: string): string => readFileSync(at(name), 'utf8');
    const server: Server = {
      url: `https://127.0.0.1:${port}`,
      ca: read('ca.crt'),
      cert: read('admin.crt'),
      key: read('admin.key'),
    };
    for (let tries = 0; tries < 120; tries++) {
      const answers = await play(server, { name: 'ready', steps: [{ method: 'GET', path: '/readyz' }] }, 'ready').catch(
        () => [],
      );
      if (answers[0]?.status === 200) return server;
      await setTimeout(500);
    }
    throw new Error('kube-apiserver does not get ready');
  }

  stop(): void {
    for (const child of this.#processes) child.kill();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

if (absent)
  console.log('the differential test did not run: WEIR_PEER_KUBE_APISERVER and WEIR_PEER_ETCD name no programs');

describe.skipIf(absent)('beside a real kube-apiserver', () => {
  const peer = absent ? undefined : new Peer();
  let real: Server;
  let own: Server;
  let plane: ControlPlane;

  beforeAll(async () => {
    real = await (peer as Peer).start();
    plane = await createControlPlane();
    const { url, pki } = await plane.listen();
    own = { url, ca: pki.authority, cert: pki.admin.certificate, key: pki.admin.key };
  });
  afterAll(async () => {
    await plane?.stop();
    peer?.stop();
  });

  it.each(KNOWN)('answers %s in the same words', async (_, sequences, known) => {
    const found: string[] = [];
    let number = 0;
    for (const sequence of sequences) {
      const ns = `peer-${_}-${number++}`;
      const [want, got] = await Promise.all([play(real, sequence, ns), play(own, sequence, ns)]);
      want.forEach((answer, index) => {
        const [first] = differences(answer as never, got[index] as never, '', 1);
        const { method, path } = sequence.steps[index] ?? { method: '', path: '' };
        if (first !== undefined)
          found.push(`${sequence.name}: step ${index} ${method} ${path}: ${first.slice(0, 400)}`);
      });
    }
    expect(found.length, found.join('\n')).toBeLessThanOrEqual(known);
  });
});
