import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { field, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { Codec } from '../apiserver/codec.ts';
import { selects } from '../apiserver/label-selector.ts';
import type { Attributes } from '../apiserver/operation.ts';
import type { ResourceTable } from '../apiserver/resource-table.ts';
import { keyOf, storageOf } from '../apiserver/resource-type.ts';
import type { Store } from '../store/store.ts';
import { namespaceOf } from './match-resources.ts';

/** Why a policy cannot be used at all. Source: the same package, policy_source.go. */
export function unknownParamKind(kind: Json): string {
  const apiVersion = stringAt(kind, 'apiVersion') ?? '';
  const group = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  return `failed to find resource referenced by paramKind: '${group}, Kind=${stringAt(kind, 'kind') ?? ''}'`;
}

/**
 * The parameter objects of a policy's binding: one `undefined` for a policy without, one `null` for a binding without; none when
 * missing ones are allowed. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go CollectParams.
 */
export function collectParams(
  kind: Json | undefined,
  reference: Json | undefined,
  attributes: Attributes,
  { store, table, codec }: { readonly store: Store; readonly table: ResourceTable; readonly codec: Codec },
): Result<readonly (KubeObject | null | undefined)[], string> {
  if (!isObject(kind)) return ok([undefined]);
  if (!isObject(reference)) return ok([null]);
  const type = table.byKind(stringAt(kind, 'apiVersion') ?? '', stringAt(kind, 'kind') ?? '');
  if (type === undefined) return err(unknownParamKind(kind));
  const given = stringAt(reference, 'namespace') ?? '';
  if (!type.namespaced && given !== '')
    return err('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const namespace = type.namespaced ? (given === '' ? namespaceOf(attributes) : given) : undefined;
  if (namespace === '')
    return err('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  const storage = storageOf(type.group, type.plural);
  const own = stringAt(reference, 'name') ?? '';
  const objects =
    own === ''
      ? store
          .list(storage, namespace === undefined ? '' : `${namespace}/`)
          .filter((object) => selects(field(reference, 'selector'), object.metadata.labels))
      : [store.get(storage, keyOf(namespace, own))?.object].filter((object) => object !== undefined);
  if (objects.length === 0 && stringAt(reference, 'parameterNotFoundAction') === 'Deny')
    return err('no params found for policy binding with `Deny` parameterNotFoundAction');
  return ok(objects.map((object) => codec.fromStorage(type, object)));
}
