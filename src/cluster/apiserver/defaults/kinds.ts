import type { KubeObject } from '../../../api/object.ts';
import type { ResourceType } from '../resource-type.ts';

/** Fills in the defaults of a built-in kind. */
export function applyKindDefaults(_type: ResourceType, object: KubeObject): KubeObject {
  return object;
}
