import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crdOf } from '../../src/api/crd.ts';
import { kinds } from '../../src/api/kinds/all.ts';
import type { KubeObject } from '../../src/api/object.ts';
import type { HttpHandler } from '../../src/base/http.ts';
import { createControlPlane } from '../../src/cluster/control-plane.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { DEFAULT_ENGINE_CONFIG, type EngineConfig } from '../../src/runtime/engine-config.ts';
import { startEngine } from '../../src/wiring.ts';

/** A cluster that begins with objects as they were elsewhere, to the last field, and an engine that finds it. */
export interface TakenOver {
  /** All objects now, by `Kind/namespace/name`, in the storage version; events and leases are left out. */
  objects(): ReadonlyMap<string, KubeObject>;
  /** Requests of the engine that are neither reads nor dry runs, as `METHOD path`. */
  readonly writes: readonly string[];
  /** Log lines of the engines. */
  readonly lines: readonly string[];
  /** Starts an engine, lets it work until `done`, and stops it. `done` is told where the engine keeps its files. */
  run(done: (objects: ReadonlyMap<string, KubeObject>, directory: string) => boolean): Promise<void>;
  /** The administrator's client. */
  readonly client: KubeClient;
  stop(): Promise<void>;
}

const WAIT_MS = 30_000;
/** Goes on looking for this long after all is done: a write that comes late is one, too. */
const SETTLE_MS = 1_500;

export async function takeOver(objects: readonly KubeObject[], config: Partial<EngineConfig> = {}): Promise<TakenOver> {
  const plane = await createControlPlane({ objects: [...definitionsFor(objects), ...objects] });
  const writes: string[] = [];
  const lines: string[] = [];
  const recording: HttpHandler = (request) => {
    const isDryRun = /[?&]dryRun=All(&|$)/.test(request.path);
    if (request.method !== 'GET' && !isDryRun) writes.push(`${request.method} ${request.path.split('?')[0]}`);
    return plane.handler(request);
  };
  const read = (): ReadonlyMap<string, KubeObject> => {
    const out = new Map<string, KubeObject>();
    for (const { group, plural, kind } of plane.registry.resources()) {
      if (kind === 'Event' || kind === 'Lease') continue;
      for (const object of plane.registry.list({ group, plural })) {
        out.set(keyOf(object), object);
      }
    }
    return out;
  };
  return {
    objects: read,
    writes,
    lines,
    client: createKubeClient({ handler: plane.handler, userAgent: 'test' }),
    async run(done) {
      const work = mkdtempSync(join(tmpdir(), 'weir-taken-over-'));
      const stop = new AbortController();
      const engine = await startEngine(
        {
          ...DEFAULT_ENGINE_CONFIG,
          storagePath: join(work, 'storage'),
          storageAddr: '127.0.0.1:0',
          metricsAddr: '127.0.0.1:0',
          healthAddr: '127.0.0.1:0',
          requeueDependencyMs: 1_000,
          ...config,
        },
        createKubeClient({ handler: recording, userAgent: 'weir' }),
        stop.signal,
        { line: (text) => lines.push(text), searchPath: process.env['PATH'] ?? '', env: {}, temporaryDirectory: work },
      );
      try {
        const end = Date.now() + WAIT_MS;
        while (!done(read(), work)) {
          if (Date.now() > end)
            throw new Error(
              `the engine did not get there:\n${JSON.stringify(statuses(read()), null, 1)}\n${lines.slice(-20).join('\n')}`,
            );
          await pause(50);
        }
        await pause(SETTLE_MS);
      } finally {
        stop.abort();
        await engine.stopped;
        rmSync(work, { recursive: true, force: true });
      }
    },
    stop: () => plane.stop(),
  };
}

export function keyOf({ kind, metadata: { namespace = '-', name } }: KubeObject): string {
  return `${kind}/${namespace}/${name}`;
}

function statuses(objects: ReadonlyMap<string, KubeObject>): unknown {
  return [...objects].flatMap(([key, { apiVersion, status }]) =>
    apiVersion.includes('toolkit.fluxcd.io') ? [[key, status?.['conditions']]] : [],
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Definitions of the served kinds, and bare ones of Flux's other kinds that the objects need. */
function definitionsFor(objects: readonly KubeObject[]): readonly KubeObject[] {
  const definitions = new Map(kinds.map((kind) => [`${kind.group}/${kind.kind}`, crdOf(kind)]));
  for (const { apiVersion, kind } of objects) {
    const [group = '', version = ''] = apiVersion.split('/');
    if (!group.endsWith('.toolkit.fluxcd.io') || definitions.has(`${group}/${kind}`)) continue;
    const plural = `${kind.toLowerCase().replace(/y$/, 'ie')}s`;
    definitions.set(`${group}/${kind}`, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
        versions: [
          {
            name: version,
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            subresources: { status: {} },
          },
        ],
      },
    });
  }
  return [...definitions.values()];
}
