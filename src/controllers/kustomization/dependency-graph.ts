import type { KubeObject, ObjectRef } from '../../api/object.ts';
import { field, isArray, stringAt } from '../../base/json.ts';

/** An object that watches know of; undefined when they do not. */
export type Lookup = (ref: ObjectRef) => KubeObject | undefined;

/** Objects looked at before a search ends: far above what any cluster's graph holds. */
const MAX_NODES = 10_000;
/** What a dependency of a kind is served as where only its kind is named. */
const API_VERSIONS: ReadonlyMap<string, string> = new Map([
  ['Kustomization', 'kustomize.toolkit.fluxcd.io/v1'],
  ['HelmRelease', 'helm.toolkit.fluxcd.io/v2'],
]);

/** What an object says it depends on: objects of its own kind, unless `kind` says otherwise (Weir's extension, ADR 0009). */
export function dependencyRefs(object: KubeObject): readonly ObjectRef[] {
  const list = field(object.spec, 'dependsOn');
  if (!isArray(list)) return [];
  return list.flatMap((item): readonly ObjectRef[] => {
    const name = stringAt(item, 'name');
    if (name === undefined) return [];
    const kind = stringAt(item, 'kind') || object.kind;
    const known = kind === object.kind ? object.apiVersion : API_VERSIONS.get(kind);
    const apiVersion = stringAt(item, 'apiVersion') || known || '';
    return [{ apiVersion, kind, name, namespace: stringAt(item, 'namespace') || (object.metadata.namespace ?? '') }];
  });
}

/** The shortest way from an object back to itself, the object at both ends; undefined where there is none. */
export function cycleOf(start: ObjectRef, lookup: Lookup): readonly ObjectRef[] | undefined {
  const from = new Map<string, ObjectRef | undefined>([[keyOf(start), undefined]]);
  const queue = [start];
  for (let next = queue.shift(); next !== undefined && from.size < MAX_NODES; next = queue.shift()) {
    const object = lookup(next);
    for (const ref of object === undefined ? [] : dependencyRefs(object)) {
      if (keyOf(ref) === keyOf(start)) {
        const path = [start];
        for (let step: ObjectRef | undefined = next; step !== undefined; step = from.get(keyOf(step)))
          path.unshift(step);
        return path;
      }
      if (from.has(keyOf(ref))) continue;
      from.set(keyOf(ref), next);
      queue.push(ref);
    }
  }
  return undefined;
}

/** The object behind a chain of dependencies that only wait for one another; undefined when `ref` itself is what fails. */
export function rootOf(
  ref: ObjectRef,
  lookup: Lookup,
): { readonly ref: ObjectRef; readonly reason: string } | undefined {
  const seen = new Set<string>([keyOf(ref)]);
  let current = ref;
  for (;;) {
    const object = lookup(current);
    if (object === undefined || readyReason(object) !== 'DependencyNotReady') break;
    const next = dependencyRefs(object).find((dependency) => !isReady(lookup(dependency)));
    if (next === undefined || seen.has(keyOf(next))) break;
    seen.add(keyOf(next));
    current = next;
  }
  if (current === ref) return undefined;
  const found = lookup(current);
  return { ref: current, reason: found === undefined ? 'NotFound' : readyReason(found) || 'Progressing' };
}

export function printDependency({ kind, namespace, name }: ObjectRef, ownKind: string): string {
  const place = `${namespace}/${name}`;
  return kind === ownKind ? place : `${kind}/${place}`;
}

function keyOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

function isReady(object: KubeObject | undefined): boolean {
  return object !== undefined && stringAt(readyCondition(object), 'status') === 'True';
}

function readyReason(object: KubeObject): string {
  return stringAt(readyCondition(object), 'reason') ?? '';
}

function readyCondition(object: KubeObject): ReturnType<typeof field> {
  const conditions = field(object.status, 'conditions');
  return isArray(conditions) ? conditions.find((condition) => stringAt(condition, 'type') === 'Ready') : undefined;
}
