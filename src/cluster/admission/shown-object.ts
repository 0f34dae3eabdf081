import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { at } from '../../base/json.ts';
import type { Codec } from '../apiserver/codec.ts';
import { kube } from '../apiserver/draft.ts';
import type { Attributes } from '../apiserver/operation.ts';
import type { ResourceType } from '../apiserver/resource-type.ts';
import { scaleOf, withReplicas } from '../apiserver/scale.ts';

/** What policies and webhooks see of a stored object: in the version that their rule names, and of a request about its scale that. */
export function shownObject(
  { subresource }: Pick<Attributes, 'subresource'>,
  matched: ResourceType,
  object: KubeObject,
  codec: Codec,
): KubeObject {
  const shown = codec.fromStorage(matched, object);
  return subresource === 'scale' ? kube(scaleOf(matched, shown)) : shown;
}

/** `object`, in the version `matched`, after somebody changed the scale that stood for it. */
export function rescaled(object: KubeObject, matched: ResourceType, scale: JsonObject): KubeObject {
  return withReplicas(matched, object, (at(scale, 'spec', 'replicas') ?? 0) as Json);
}
