import { connect } from 'node:net';
import { expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { silent } from '../base/log.ts';
import { createControlPlane } from './control-plane.ts';
import { serveNodePorts } from './node-ports.ts';
import type { PodProgram } from './pod-program.ts';
import type { Registry } from './registry.ts';

const PROGRAM: PodProgram = {
  logs: async function* () {},
  connect: (port) => {
    let send: (chunk: Uint8Array) => void = () => undefined;
    const said = new Promise<Uint8Array>((resolve) => {
      send = resolve;
    });
    return {
      output: (async function* () {
        yield Buffer.from(`${port}:${Buffer.from(await said).toString()}`);
      })(),
      write: (chunk) => send(chunk),
      end: () => undefined,
      destroy: () => undefined,
    };
  },
  stop: async () => undefined,
};

async function freePort(registry: Registry): Promise<number> {
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { type: 'NodePort', selector: { app: 'a' }, ports: [{ port: 80, targetPort: 'web' }] },
  };
  const made = await registry.create({ group: '', plural: 'services' }, service, 'test');
  if (!made.ok) throw new Error(made.error.message);
  const ports = (made.value.spec?.['ports'] ?? []) as unknown as readonly { readonly nodePort: number }[];
  return ports[0]?.nodePort ?? 0;
}

it('carries a node port to the ready pod that the Service selects, by the name of its port', async () => {
  const plane = await createControlPlane();
  const { registry } = plane;
  const pods = { group: '', plural: 'pods' };
  const pod = await registry.create(
    pods,
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default', labels: { app: 'a' } },
      spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort: 8080 }] }] },
    },
    'test',
  );
  if (!pod.ok) throw new Error(pod.error.message);
  const conditions = [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: null }];
  await registry.update(pods, { ...pod.value, status: { phase: 'Running', conditions } }, 'test', 'status');
  const port = await freePort(registry);
  const stop = serveNodePorts({ registry, programs: { of: () => PROGRAM }, log: silent });
  const answer = await new Promise<string>((resolve, reject) => {
    const attempt = (): void => {
      const socket = connect(port, '127.0.0.1', () => socket.write('hello'));
      socket.on('data', (chunk: Buffer) => {
        resolve(chunk.toString());
        socket.destroy();
      });
      socket.on('error', (cause: NodeJS.ErrnoException) =>
        cause.code === 'ECONNREFUSED' ? setImmediate(attempt) : reject(cause),
      );
    };
    attempt();
  });
  expect(answer).toBe('8080:hello');
  await stop();
  await plane.stop();
});
