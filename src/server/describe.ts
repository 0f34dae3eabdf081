import type { KubeObject } from '../api/object.ts';
import { type State, type Tier, type ViewNode, viewId } from '../api/view.ts';
import { at, isArray, isObject, type Json, type JsonObject, stringAt } from '../base/json.ts';
import { computeStatus } from '../engine/kstatus/compute.ts';

/** Longest message that a node carries to the page; the rest is one click away (`kubectl describe`). */
const MAX_MESSAGE = 2000;

/** A condition of `status.conditions`, as far as the page reads it. */
interface Seen {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly at?: string;
}

/** Describes a Flux object by its conditions; `dependsOn` and its source become edges. */
export function describeFlux(object: KubeObject, tier: Extract<Tier, 'source' | 'applier'>): ViewNode {
  const { state, message, since } = fluxState(object);
  const revision = stringAt(object.status, 'artifact', 'revision') ?? stringAt(object.status, 'lastAppliedRevision');
  return {
    ...identity(object, tier),
    state,
    message: message.slice(0, MAX_MESSAGE),
    ...(revision === undefined ? {} : { revision }),
    ...(since === undefined ? {} : { since }),
    parents: tier === 'applier' ? sourceOf(object) : [],
    dependsOn: dependenciesOf(object),
    facts: facts(object, [
      ['url', 'spec', 'url'],
      ['path', 'spec', 'path'],
      ['interval', 'spec', 'interval'],
    ]),
  };
}

/** Describes an applied object or one that it owns, by kstatus. */
export function describeObject(
  object: KubeObject,
  tier: Extract<Tier, 'object' | 'pod'>,
  parents: readonly string[],
  nowMs: number,
  revision?: string,
): ViewNode {
  const computed = computeStatus(object as unknown as JsonObject, nowMs);
  const { status, message } = computed.ok ? computed.value : { status: 'Unknown', message: computed.error };
  return {
    ...identity(object, tier),
    state: STATE_OF_KSTATUS[status] ?? 'Unknown',
    message: message.slice(0, MAX_MESSAGE),
    ...(revision === undefined ? {} : { revision }),
    parents,
    dependsOn: [],
    facts: objectFacts(object),
  };
}

/** A node for an object that the inventory names and the cluster does not have. */
export function describeMissing(id: string, parents: readonly string[], revision?: string): ViewNode {
  const [group = '', kind = '', namespace = '', name = ''] = id.split('/');
  return {
    id,
    apiVersion: group,
    kind,
    namespace,
    name,
    tier: 'object',
    state: 'Failed',
    message: 'in the inventory, but not in the cluster',
    ...(revision === undefined ? {} : { revision }),
    parents,
    dependsOn: [],
    facts: [],
  };
}

const STATE_OF_KSTATUS: Readonly<Record<string, State>> = {
  Current: 'Ready',
  InProgress: 'Reconciling',
  Terminating: 'Reconciling',
  Failed: 'Failed',
};

function identity(object: KubeObject, tier: Tier) {
  const { apiVersion, kind, metadata } = object;
  const { namespace = '', name, creationTimestamp } = metadata;
  return {
    id: viewId(apiVersion, kind, namespace, name),
    apiVersion,
    kind,
    namespace,
    name,
    tier,
    ...(creationTimestamp === undefined ? {} : { createdAt: creationTimestamp }),
  };
}

function fluxState(object: KubeObject): { state: State; message: string; since?: string } {
  const ready = condition(object, 'Ready');
  const busy = condition(object, 'Reconciling');
  const seen = (state: State, from: Seen) => ({
    state,
    message: from.message,
    ...(from.at === undefined ? {} : { since: from.at }),
  });
  if (at(object.spec, 'suspend') === true)
    return { state: 'Suspended', message: ready?.message ?? 'suspended before its first reconciliation' };
  if (ready !== undefined && ready.status !== 'True' && isWaiting(ready)) return seen('Waiting', ready);
  if (ready?.status === 'False') return seen('Failed', ready);
  if (busy?.status === 'True') return seen('Reconciling', busy);
  if (ready?.status === 'True') return seen('Ready', ready);
  return { state: 'Unknown', message: ready?.message ?? 'waiting to be reconciled' };
}

/** For another Kustomization, or for its source's first artifact: nothing is wrong with it. */
function isWaiting({ reason, message }: Seen): boolean {
  return reason === 'DependencyNotReady' || (reason === 'ArtifactFailed' && message.includes('artifact not found'));
}

function condition(object: KubeObject, type: string): Seen | undefined {
  const conditions = at(object.status, 'conditions');
  if (!isArray(conditions)) return undefined;
  const found = conditions.find((item) => stringAt(item, 'type') === type);
  if (found === undefined) return undefined;
  const since = stringAt(found, 'lastTransitionTime');
  return {
    status: stringAt(found, 'status') ?? 'Unknown',
    reason: stringAt(found, 'reason') ?? '',
    message: stringAt(found, 'message') ?? '',
    ...(since === undefined ? {} : { at: since }),
  };
}

function sourceOf(object: KubeObject): readonly string[] {
  const kind = stringAt(object.spec, 'sourceRef', 'kind');
  const name = stringAt(object.spec, 'sourceRef', 'name');
  if (kind === undefined || name === undefined) return [];
  const namespace = stringAt(object.spec, 'sourceRef', 'namespace') ?? object.metadata.namespace;
  return [viewId('source.toolkit.fluxcd.io/v1', kind, namespace, name)];
}

function dependenciesOf(object: KubeObject): readonly string[] {
  const list = at(object.spec, 'dependsOn');
  if (!isArray(list)) return [];
  return list.filter(isObject).flatMap((item) => {
    const name = stringAt(item, 'name');
    return name === undefined
      ? []
      : [viewId(object.apiVersion, object.kind, stringAt(item, 'namespace') ?? object.metadata.namespace, name)];
  });
}

function facts(
  object: KubeObject,
  wanted: readonly (readonly [string, 'spec' | 'status', ...string[]])[],
): ViewNode['facts'] {
  return wanted.flatMap(([name, part, ...path]) => {
    const value = at(object[part], ...path);
    return typeof value === 'string' || typeof value === 'number' ? [{ name, value: String(value) }] : [];
  });
}

function objectFacts(object: KubeObject): ViewNode['facts'] {
  const spec = object.spec ?? {};
  const podSpec = at(spec, 'template', 'spec') ?? (object.kind === 'Pod' ? spec : undefined);
  const containers = at(podSpec, 'containers');
  const images = isArray(containers) ? containers.flatMap((container) => stringAt(container, 'image') ?? []) : [];
  const replicas = at(spec, 'replicas');
  const readyReplicas = at(object.status, 'readyReplicas') ?? 0;
  const ports = at(spec, 'ports');
  const shown: { name: string; value: string }[] = images.map((value) => ({ name: 'image', value }));
  if (typeof replicas === 'number') shown.push({ name: 'ready', value: `${scalar(readyReplicas)}/${replicas}` });
  if (object.kind === 'Service' && isArray(ports)) {
    const list = ports.map((port) => `${scalar(at(port, 'port'))} -> ${scalar(at(port, 'targetPort'))}`);
    shown.push({ name: 'ports', value: list.join(', ') });
  }
  const node = stringAt(spec, 'nodeName');
  if (object.kind === 'Pod' && node !== undefined) shown.push({ name: 'node', value: node });
  return shown;
}

function scalar(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
