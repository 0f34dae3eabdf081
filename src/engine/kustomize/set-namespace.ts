import { STR_TAG, type YamlNode } from '../yaml/node.ts';
import { fail, KustomizeFailure, withPrefix, wrapped } from './failure.ts';
import { applyFieldSpec, applyFieldSpecs, FieldFailure, type SetValue, setEntry } from './field-filter.ts';
import { fieldOf, getField, isNilOrEmpty, isNull, lookup, requireKind, textOf } from './node-edit.ts';
import type { Resource } from './resource.ts';
import { idKey } from './resource-id.ts';
import { printList, type ResourceMap } from './resource-map.ts';
import { type FieldSpec, fieldSpec } from './transformer-config.ts';

export interface NamespaceOptions {
  readonly namespace: string;
  readonly specs: readonly FieldSpec[];
  readonly unsetOnly: boolean;
  /** Which subjects of role bindings follow. */
  readonly subjects: 'defaultOnly' | 'allServiceAccounts' | 'none';
}

const METADATA_NAMESPACE = fieldSpec({ path: 'metadata/namespace', create: true });

/** Sets the namespace of all objects that have one (NamespaceTransformer, api/filters/namespace). @throws KustomizeFailure */
export function setNamespaces(resources: ResourceMap, options: NamespaceOptions): void {
  if (options.namespace === '') return;
  const counts = new Map<string, number>();
  for (const resource of resources.list) {
    const key = resource.idKey();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const resource of resources.list) {
    if (resource.isNilOrEmpty() || resource.isHelmGenerated()) continue;
    const before = resource.idKey();
    resource.storePreviousId();
    setNamespace(resource, options);
    const after = resource.idKey();
    if (after !== before) {
      counts.set(before, (counts.get(before) ?? 0) - 1);
      counts.set(after, (counts.get(after) ?? 0) + 1);
    }
    if (counts.get(after) !== 1) {
      const matches = resources.list.filter((one) => idKey(one.id()) === after);
      fail(`namespace transformation produces ID conflict: ${printList(matches)}`);
    }
  }
  resources.touch();
}

function setNamespace(resource: Resource, options: NamespaceOptions): void {
  const apiVersion = resource.apiVersion();
  const kind = resource.kind();
  let specs = options.specs.filter(
    ({ path }) => path !== 'metadata/namespace' && (path !== 'metadata/name' || apiVersion === 'v1'),
  );
  if (!resource.schemas.isClusterScoped(apiVersion, kind)) {
    applyFieldSpec(resource, METADATA_NAMESPACE, { set: setter(options), createKind: 'scalar' });
  }
  if (kind === 'RoleBinding' || kind === 'ClusterRoleBinding') {
    specs = specs.filter(
      (spec) =>
        !((spec.kind === 'RoleBinding' || spec.kind === 'ClusterRoleBinding') && spec.path === 'subjects/namespace'),
    );
    setSubjects(resource, options);
  }
  try {
    applyFieldSpecs(resource, specs, { set: setter(options), createKind: 'scalar', createTag: STR_TAG });
  } catch (failure) {
    if (!(failure instanceof KustomizeFailure)) throw failure;
    const wrongKind = failure instanceof FieldFailure && failure.actual !== 'scalar';
    throw withPrefix(
      wrongKind ? 'namespace field specs must target scalar nodes' : 'namespace transformation failed',
      failure,
    );
  }
}

function setter({ namespace, unsetOnly }: NamespaceOptions): SetValue {
  const set = setEntry('', namespace, STR_TAG);
  if (!unsetOnly) return set;
  return (node) => {
    if (!isNilOrEmpty(node) && node.kind === 'scalar' && textOf(node) !== '') return;
    set(node);
  };
}

function setSubjects(resource: Resource, options: NamespaceOptions): void {
  if (options.subjects === 'none') return;
  const subjects = getField(resource.node, 'subjects');
  if (subjects === undefined || isNull(subjects)) return;
  const [field, value] = options.subjects === 'defaultOnly' ? ['name', 'default'] : ['kind', 'ServiceAccount'];
  wrapped('setting namespace on (cluster)role binding subjects', () => {
    requireKind(subjects, 'seq');
    for (const subject of subjects.content) {
      requireKind(subject, 'map');
      const found = fieldOf(subject, field as string);
      if (found === undefined || isNull(found) || found.value !== value) continue;
      setter(options)(lookup(subject, ['namespace'], 'scalar') as YamlNode);
    }
  });
}
