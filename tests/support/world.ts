import type { KubeObject } from '../../src/api/object.ts';
import { ManualClock } from '../../src/base/clock.ts';
import { equal, type Json } from '../../src/base/json.ts';
import { silent } from '../../src/base/log.ts';
import { err, ok, type Result } from '../../src/base/result.ts';
import type { Change, GroupResource, Registry, StatusError } from '../../src/cluster/registry.ts';
import { startWorkloads, type Workloads, type WorkloadsOptions } from '../../src/cluster/workloads/start-workloads.ts';

type Listener = (change: Change) => void;

/** A registry without validation, admission or defaults: as much of the real one as the controllers can tell apart. */
export class MemoryRegistry implements Registry {
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #all = new Set<(resource: GroupResource, change: Change) => void>();
  #version = 0;
  #uid = 0;
  #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }
  #key({ group, plural }: GroupResource, namespace: string | undefined, name: string): string {
    return `${group}/${plural}/${namespace ?? ''}/${name}`;
  }
  get(resource: GroupResource, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#objects.get(this.#key(resource, namespace, name));
  }
  list(resource: GroupResource, namespace?: string): readonly KubeObject[] {
    const prefix = `${resource.group}/${resource.plural}/${namespace === undefined ? '' : `${namespace}/`}`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
  }
  watch(resource: GroupResource, listen: Listener): () => void {
    const key = `${resource.group}/${resource.plural}`;
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listen));
    return () => listeners.delete(listen);
  }
  watchAll(listen: (resource: GroupResource, change: Change) => void): () => void {
    this.#all.add(listen);
    return () => this.#all.delete(listen);
  }
  #emit(resource: GroupResource, change: Change): void {
    for (const listen of this.#listeners.get(`${resource.group}/${resource.plural}`) ?? []) listen(change);
    for (const listen of this.#all) listen(resource, change);
  }
  #put(resource: GroupResource, object: KubeObject, previous: KubeObject | undefined): KubeObject {
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.#objects.set(this.#key(resource, object.metadata.namespace, object.metadata.name), stored);
    this.#emit(
      resource,
      previous === undefined ? { type: 'ADDED', object: stored } : { type: 'MODIFIED', object: stored, previous },
    );
    return stored;
  }
  async create(resource: GroupResource, object: KubeObject): Promise<Result<KubeObject, StatusError>> {
    const { name, generateName } = object.metadata;
    const metadata = {
      ...object.metadata,
      name: name ?? `${generateName}${String(++this.#uid).padStart(5, '0')}`,
      uid: `uid-${++this.#uid}`,
      generation: 1,
      creationTimestamp: new Date(this.#clock.now()).toISOString(),
    };
    if (this.get(resource, metadata.namespace, metadata.name) !== undefined) {
      return err({ code: 409, reason: 'AlreadyExists', message: 'already exists' });
    }
    return ok(this.#put(resource, { ...object, metadata }, undefined));
  }
  async update(
    resource: GroupResource,
    object: KubeObject,
    _manager: string,
    subresource?: string,
  ): Promise<Result<KubeObject, StatusError>> {
    const old = this.get(resource, object.metadata.namespace, object.metadata.name);
    if (old === undefined) return err({ code: 404, reason: 'NotFound', message: 'not found' });
    if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      return err({ code: 409, reason: 'Conflict', message: 'conflict' });
    }
    if (equal(object as unknown as Json, old as unknown as Json)) return ok(old);
    const next =
      subresource === undefined && old.status !== undefined
        ? { ...object, status: old.status }
        : subresource === 'status' && old.spec !== undefined
          ? { ...object, spec: old.spec }
          : object;
    const changed = !equal(next.spec as Json, old.spec as Json);
    const generation = (old.metadata.generation ?? 0) + (changed ? 1 : 0);
    const wanted = { ...next, metadata: { ...next.metadata, generation } };
    const held =
      (wanted.metadata.finalizers ?? []).length > 0 ||
      ((wanted.spec?.['finalizers'] as string[] | undefined) ?? []).length > 0 ||
      (wanted.metadata.deletionGracePeriodSeconds ?? 0) > 0;
    if (wanted.metadata.deletionTimestamp !== undefined && !held) {
      this.#remove(resource, wanted);
      return ok(wanted);
    }
    return ok(this.#put(resource, wanted, old));
  }
  #remove(resource: GroupResource, object: KubeObject): void {
    this.#objects.delete(this.#key(resource, object.metadata.namespace, object.metadata.name));
    this.#emit(resource, { type: 'DELETED', object, previous: object });
  }
  async delete(
    resource: GroupResource,
    namespace: string | undefined,
    name: string,
    options: {
      readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
      readonly uid?: string;
      readonly gracePeriodSeconds?: number;
    } = {},
  ): Promise<Result<void, StatusError>> {
    const old = this.get(resource, namespace, name);
    if (old === undefined) return err({ code: 404, reason: 'NotFound', message: 'not found' });
    if (options.uid !== undefined && options.uid !== old.metadata.uid) {
      return err({ code: 409, reason: 'Conflict', message: 'uid' });
    }
    const finalizers = new Set(old.metadata.finalizers ?? []);
    if (options.propagation === 'Foreground') finalizers.add('foregroundDeletion');
    if (options.propagation === 'Orphan') finalizers.add('orphan');
    const bound = resource.plural === 'pods' && old.spec?.['nodeName'] !== undefined;
    const grace = bound ? (options.gracePeriodSeconds ?? 30) : 0;
    const held = finalizers.size > 0 || grace > 0 || ((old.spec?.['finalizers'] as string[]) ?? []).length > 0;
    if (!held) {
      this.#remove(resource, old);
      return ok(undefined);
    }
    const deletionTimestamp = old.metadata.deletionTimestamp ?? new Date(this.#clock.now()).toISOString();
    const metadata = { ...old.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
    this.#put(resource, { ...old, metadata: { ...metadata, finalizers: [...finalizers] } }, old);
    return ok(undefined);
  }
  resources(): ReturnType<Registry['resources']> {
    const of = (group: string, plural: string, kind: string, namespaced = true) => ({
      group,
      plural,
      kind,
      version: 'v1',
      namespaced,
    });
    return [
      of('', 'pods', 'Pod'),
      of('', 'configmaps', 'ConfigMap'),
      of('', 'secrets', 'Secret'),
      of('', 'serviceaccounts', 'ServiceAccount'),
      of('', 'events', 'Event'),
      of('', 'services', 'Service'),
      of('', 'namespaces', 'Namespace', false),
      of('', 'nodes', 'Node', false),
      of('apps', 'deployments', 'Deployment'),
      of('apps', 'replicasets', 'ReplicaSet'),
      of('apps', 'statefulsets', 'StatefulSet'),
      of('apps', 'daemonsets', 'DaemonSet'),
      of('batch', 'jobs', 'Job'),
      of('batch', 'cronjobs', 'CronJob'),
    ];
  }
}

/** A control plane's controllers on a clock that stands still until told. */
export interface World {
  readonly registry: MemoryRegistry;
  readonly clock: ManualClock;
  readonly workloads: Workloads;
  /** Lets the clock run for so long, timer by timer. */
  readonly run: (ms: number) => Promise<void>;
}

export function world(options: Partial<WorkloadsOptions> = {}): World {
  const clock = new ManualClock(Date.UTC(2026, 0, 1));
  const registry = new MemoryRegistry(clock);
  const workloads = startWorkloads({
    registry,
    clock,
    log: silent,
    random: () => 0.5,
    caPem: 'PEM',
    kubelet: true,
    scheduler: true,
    ...options,
  });
  const run = async (ms: number): Promise<void> => {
    const end = clock.now() + ms;
    await workloads.idle();
    for (let next = clock.next(); next !== undefined && next <= end; next = clock.next()) {
      clock.advance(next - clock.now());
      await workloads.idle();
    }
    clock.advance(end - clock.now());
  };
  return { registry, clock, workloads, run };
}

export function conditions(object: KubeObject | undefined): string[] {
  const all = (object?.status?.['conditions'] ?? []) as { type: string; status: string; reason: string }[];
  return all.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

export function events(registry: Registry): string[] {
  return registry
    .list({ group: '', plural: 'events' })
    .map((event) => event as unknown as { reason: string; message: string })
    .map(({ reason, message }) => `${reason}: ${message}`);
}
