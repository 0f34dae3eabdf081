import type { KubeObject } from '../../src/api/object.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { KUSTOMIZATION, NAMESPACE, type Place } from './objects.ts';

const LIMIT_MS = 600_000;

export function pause(ms = 1_000): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function apply(client: KubeClient, object: KubeObject): Promise<void> {
  const applied = await client.apply(object, { fieldManager: 'bench', force: true });
  if (!applied.ok) throw new Error(applied.error.message);
}

/** Asks for a reconciliation, as the command line and webhooks do. */
export function poke(client: KubeClient, place: Place, token: string): Promise<void> {
  return annotate(client, place, { 'reconcile.fluxcd.io/requestedAt': token });
}

export async function annotate(
  client: KubeClient,
  place: Place,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  const patched = await client.patch(place, { metadata: { annotations } }, { type: 'merge', fieldManager: 'bench' });
  if (!patched.ok) throw new Error(patched.error.message);
}

/** Resolves when each of the named Kustomizations was seen so that `holds`. */
export async function seen(
  client: KubeClient,
  names: readonly string[],
  holds: (object: KubeObject) => boolean,
): Promise<void> {
  const left = new Set(names);
  await follow(client, KUSTOMIZATION, (object) => {
    if (holds(object)) left.delete(object.metadata.name);
    return left.size === 0;
  });
}

/** Resolves to the time at which an object was seen so that `holds`. */
export async function seenObject(
  client: KubeClient,
  place: Place,
  holds: (object: KubeObject) => boolean,
): Promise<number> {
  await follow(client, place, (object) => object.metadata.name === place.name && holds(object));
  return performance.now();
}

/** Looks at every object of a kind as it is and changes, until `look` is content. */
async function follow(
  client: KubeClient,
  kind: Pick<Place, 'apiVersion' | 'kind'>,
  look: (object: KubeObject) => boolean,
): Promise<void> {
  const listed = await client.list(kind, { namespace: NAMESPACE });
  if (!listed.ok) throw new Error(listed.error.message);
  const { items, resourceVersion } = listed.value;
  if (items.some(look)) return;
  const signal = AbortSignal.timeout(LIMIT_MS);
  for await (const event of client.watch(kind, { namespace: NAMESPACE, resourceVersion, signal })) {
    if (event.type === 'ERROR') throw new Error(event.error.message);
    if (event.type !== 'BOOKMARK' && event.type !== 'DELETED' && look(event.object)) return;
  }
  throw new Error(`${kind.kind}: not seen within ${LIMIT_MS / 1000} s`);
}
