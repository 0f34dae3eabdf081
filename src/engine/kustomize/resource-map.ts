import { goJson } from '../../base/go-json.ts';
import type { YamlNode } from '../yaml/node.ts';
import { fail, KustomizeFailure } from './failure.ts';
import type { Selector } from './kustomization-type.ts';
import { labelsMatch } from './label-selector.ts';
import { lookup, setField, stringNode } from './node-edit.ts';
import type { Resource } from './resource.ts';
import { effectiveNamespace, idEquals, printId, type ResourceId } from './resource-id.ts';
import { compileSelector } from './selector.ts';

/**
 * The resources of an accumulator, in order. Ids are looked up by index; whoever changes the id of a resource calls
 * {@link ResourceMap.touch}.
 */
export class ResourceMap {
  list: Resource[] = [];
  /** Only a part of the objects is made: that one is not here says nothing. */
  partial = false;
  /** How many resources have each current id. */
  private currentIds: Map<string, number> | undefined;
  /** Resources by every name they have or had. */
  private byName: Map<string, Resource[]> | undefined;

  /** Forgets the indexes: some id changed. */
  touch(): void {
    this.currentIds = undefined;
    this.byName = undefined;
  }

  private current(): Map<string, number> {
    if (this.currentIds === undefined) {
      this.currentIds = new Map();
      for (const resource of this.list) {
        const key = resource.idKey();
        this.currentIds.set(key, (this.currentIds.get(key) ?? 0) + 1);
      }
    }
    return this.currentIds;
  }

  append(resource: Resource): void {
    const ids = this.current();
    const key = resource.idKey();
    if (ids.has(key)) fail(`may not add resource with an already registered id: ${printId(resource.id())}`);
    ids.set(key, 1);
    this.list.push(resource);
    if (this.byName !== undefined) addNames(this.byName, resource);
  }

  appendAll(resources: readonly Resource[]): void {
    for (const resource of resources) this.append(resource);
  }

  dropEmpties(): void {
    if (!this.list.some((resource) => resource.isNilOrEmpty())) return;
    this.list = this.list.filter((resource) => !resource.isNilOrEmpty());
    this.touch();
  }

  private named(name: string): readonly Resource[] {
    if (this.byName === undefined) {
      this.byName = new Map();
      for (const resource of this.list) addNames(this.byName, resource);
    }
    return this.byName.get(name) ?? [];
  }

  /** Resources one of whose ids, past or present, is `id`. */
  matchingAnyId(id: ResourceId): readonly Resource[] {
    return this.named(id.name).filter(
      (resource) =>
        !resource.isNilOrEmpty() &&
        (idEquals(id, resource.id()) || resource.previousIds().some((previous) => idEquals(id, previous))),
    );
  }

  /** Resources of the name, with the ids they have or had. */
  namedLike(name: string): readonly Resource[] {
    return this.named(name).filter((resource) => !resource.isNilOrEmpty());
  }

  /** The same; undefined where it may be among those that are not made. */
  byIdIfMade(id: ResourceId): Resource | undefined {
    return this.partial && this.matchingAnyId(id).length === 0 ? undefined : this.byId(id);
  }

  /** The one resource that a patch means. */
  byId(id: ResourceId): Resource {
    const found = this.matchingAnyId(id);
    if (found.length === 1) return found[0] as Resource;
    const problem = found.length > 1 ? 'multiple matches for' : 'no matches for';
    return fail(`${problem} Id ${printId(id)}; failed to find unique target for patch ${printId(id)}`);
  }

  /** Takes in what a generator made: new, or merged with or in place of what is there. */
  absorb(resources: readonly Resource[]): void {
    for (const resource of resources) this.absorbOne(resource);
  }

  private absorbOne(resource: Resource): void {
    const id = resource.id();
    const matches = this.matchingAnyId(id);
    const behavior = resource.behavior();
    if (matches.length === 0) {
      if (behavior === 'merge' || behavior === 'replace')
        fail(`id ${goId(id)} does not exist; cannot merge or replace`);
      this.append(resource);
      return;
    }
    if (matches.length > 1)
      fail(`found multiple objects ${printList(matches)} that could accept merge of ${printId(id)}`);
    const old = matches[0] as Resource;
    const index = this.list.indexOf(old);
    if (behavior === 'replace') resource.copyMergeMetadata(old);
    else if (behavior === 'merge') {
      const origin = old.annotation('config.kubernetes.io/origin');
      resource.copyMergeMetadata(old);
      mergeData(resource, old, 'data');
      mergeData(resource, old, 'binaryData');
      if (origin !== undefined) {
        const annotations = resource.annotations();
        annotations.set('config.kubernetes.io/origin', origin);
        resource.setAnnotations(annotations);
      }
    } else {
      fail(`id ${goId(id)} exists; can not use behavior: '${behavior}', behavior must be merge or replace`);
    }
    const count = this.list.filter((one) => one.idKey() === resource.idKey()).length;
    if (count > 1) fail(`in Replace: id matched ${count} resources`);
    if (count === 0) fail(`cannot find resource with id ${printId(resource.id())} to replace`);
    this.list[index] = resource;
    this.touch();
  }

  select(selector: Selector): readonly Resource[] {
    const matcher = compileSelector(selector);
    return this.list.filter((resource) => {
      const id = resource.id();
      const original = resource.originalId();
      if (!matcher.namespace(effectiveNamespace(original)) && !matcher.namespace(effectiveNamespace(id))) return false;
      if (!matcher.name(original.name) && !matcher.name(id.name)) return false;
      if (!matcher.gvk(id)) return false;
      return (
        labelsMatch(selector.labelSelector, () => resource.labels()) &&
        labelsMatch(selector.annotationSelector, () => resource.annotations())
      );
    });
  }
}

function addNames(index: Map<string, Resource[]>, resource: Resource): void {
  const names = new Set([resource.name(), ...resource.previousIds().map(({ name }) => name)]);
  for (const name of names) {
    const list = index.get(name);
    if (list === undefined) index.set(name, [resource]);
    else list.push(resource);
  }
}

function mergeData(resource: Resource, old: Resource, name: 'data' | 'binaryData'): void {
  const merged = new Map([...old.dataMap(name), ...resource.dataMap(name)]);
  const node = resource.node as YamlNode;
  setField(node, name, undefined);
  loadData(node, merged, name === 'binaryData' ? 'binaryData' : undefined);
}

/** Puts values into a ConfigMap: those that are text into `data`. Values here are text already (or base64). */
function loadData(node: YamlNode, values: ReadonlyMap<string, string>, field: 'binaryData' | undefined): void {
  for (const key of [...values.keys()].sort()) {
    const value = stringNode(values.get(key) as string);
    const into = lookup(node, [field ?? 'data'], 'map');
    setField(into, key, value);
  }
}

/** Go's `%#v` of an id. */
export function goId({ group, version, kind, name, namespace, clusterScoped }: ResourceId): string {
  const q = JSON.stringify;
  return `resid.ResId{Gvk:resid.Gvk{Group:${q(group)}, Version:${q(version)}, Kind:${q(kind)}, isClusterScoped:${clusterScoped}}, Name:${q(name)}, Namespace:${q(namespace)}}`;
}

/** Go's `%v` of a list of resources: their JSON, or why there is none (api/resource/resource.go, String). */
export function printList(resources: readonly Resource[]): string {
  return `[${resources.map(printResource).join(' ')}]`;
}

function printResource(resource: Resource): string {
  try {
    return goJson(resource.toJson());
  } catch (failure) {
    if (failure instanceof KustomizeFailure) return `<${failure.message}>`;
    throw failure;
  }
}
