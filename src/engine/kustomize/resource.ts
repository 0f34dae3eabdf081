import type { Json } from '../../base/json.ts';
import { composeDocuments } from '../yaml/compose.ts';
import { printYamlError } from '../yaml/error.ts';
import { goSyntaxOf } from '../yaml/go-syntax.ts';
import { copyNode, mapNode, SINGLE_QUOTED, STR_TAG, scalarNode, type YamlNode } from '../yaml/node.ts';
import { printYaml } from '../yaml/print.ts';
import { printNode } from '../yaml/print-node.ts';
import { YamlFailure } from '../yaml/token.ts';
import { nodeToJson, nodeToJsonWithDoubt, scalarReader } from '../yaml/value.ts';
import { fail, Panic } from './failure.ts';
import { clearField, fieldOf, isNilOrEmpty, lookup, setField, stringNode, textOf } from './node-edit.ts';
import { apiVersionOf, effectiveNamespace, type Gvk, idKey, type ResourceId, splitApiVersion } from './resource-id.ts';
import type { SchemaStore } from './schema.ts';
import { strategicMerge } from './strategic-merge.ts';

const PREFIX = 'internal.config.kubernetes.io/';
/** Annotations in which kustomize keeps what it knows of a resource while it builds (api/internal/utils/annotations.go). */
export const PREVIOUS_KINDS: string = `${PREFIX}previousKinds`;
export const PREVIOUS_NAMES: string = `${PREFIX}previousNames`;
export const PREVIOUS_NAMESPACES: string = `${PREFIX}previousNamespaces`;
const PREFIXES = `${PREFIX}prefixes`;
const SUFFIXES = `${PREFIX}suffixes`;
const ALLOW_NAME_CHANGE = `${PREFIX}allowNameChange`;
const ALLOW_KIND_CHANGE = `${PREFIX}allowKindChange`;
const REF_BY = `${PREFIX}refBy`;
const BEHAVIOR = `${PREFIX}generatorBehavior`;
const NEEDS_HASH = `${PREFIX}needsHashSuffix`;
const HELM_GENERATED = `${PREFIX}helm-generated`;
const LEGACY_ANNOTATIONS: readonly string[] = [
  'config.kubernetes.io/path',
  'config.kubernetes.io/index',
  'config.k8s.io/id',
];
const BUILD_ANNOTATIONS: readonly string[] = [
  PREVIOUS_KINDS,
  PREVIOUS_NAMES,
  PREFIXES,
  SUFFIXES,
  PREVIOUS_NAMESPACES,
  ALLOW_NAME_CHANGE,
  ALLOW_KIND_CHANGE,
  REF_BY,
  BEHAVIOR,
  NEEDS_HASH,
  `${PREFIX}path`,
  `${PREFIX}index`,
  `${PREFIX}seqindent`,
  `${PREFIX}id`,
  `${PREFIX}annotations-migration-resource-id`,
  ...LEGACY_ANNOTATIONS,
  HELM_GENERATED,
];

export type Behavior = 'unspecified' | 'create' | 'replace' | 'merge';
type StringMap = Map<string, string>;

/** What a resource was given in front of its name and behind it, oldest first. */
export interface Renamings {
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
}

/** A Kubernetes object in a build: a tree that filters edit in place, with its ids past and present. */
export class Resource {
  node: YamlNode | undefined;
  readonly schemas: SchemaStore;
  refVarNames: string[] = [];
  private previous: { names: string; spaces: string; kinds: string; apiVersion: string; ids: ResourceId[] } | undefined;

  constructor(node: YamlNode, schemas: SchemaStore) {
    this.node = node;
    this.schemas = schemas;
  }

  copy(): Resource {
    const copy = new Resource(this.node === undefined ? mapNode() : copyNode(this.node), this.schemas);
    if (this.node === undefined) copy.node = undefined;
    copy.refVarNames = [...this.refVarNames];
    return copy;
  }

  isNilOrEmpty(): boolean {
    return isNilOrEmpty(this.node);
  }

  kind(): string {
    return fieldOf(this.node, 'kind')?.value ?? '';
  }

  apiVersion(): string {
    return fieldOf(this.node, 'apiVersion')?.value ?? '';
  }

  name(): string {
    return this.metaText('name');
  }

  namespace(): string {
    return this.metaText('namespace');
  }

  private metadata(): YamlNode | undefined {
    const metadata = fieldOf(this.node, 'metadata');
    return isNilOrEmpty(metadata) ? undefined : metadata;
  }

  private metaText(name: string): string {
    const found = fieldOf(this.metadata(), name);
    return found === undefined || isNilOrEmpty(found) ? '' : found.value;
  }

  gvk(): Gvk {
    const [group, version] = splitApiVersion(this.apiVersion());
    return { group, version, kind: this.kind() };
  }

  /** The id as the object is now. */
  id(): ResourceId {
    const apiVersion = this.apiVersion();
    const [group, version] = splitApiVersion(apiVersion);
    const kind = this.kind();
    const clusterScoped = this.schemas.isClusterScoped(apiVersion, kind);
    return { group, version, kind, name: this.name(), namespace: this.namespace(), clusterScoped };
  }

  idKey(): string {
    return idKey(this.id());
  }

  /** The ids it had before renamings, oldest first. */
  previousIds(): readonly ResourceId[] {
    const annotations = fieldOf(this.metadata(), 'annotations');
    const names = fieldOf(annotations, PREVIOUS_NAMES)?.value;
    if (names === undefined) return [];
    const spaces = fieldOf(annotations, PREVIOUS_NAMESPACES)?.value ?? '';
    const kinds = fieldOf(annotations, PREVIOUS_KINDS)?.value ?? '';
    const apiVersion = this.apiVersion();
    const { previous } = this;
    if (
      previous !== undefined &&
      previous.names === names &&
      previous.spaces === spaces &&
      previous.kinds === kinds &&
      previous.apiVersion === apiVersion
    ) {
      return previous.ids;
    }
    const nameList = names.split(',');
    const spaceList = spaces.split(',');
    const kindList = kinds.split(',');
    if (nameList.length !== spaceList.length || nameList.length !== kindList.length) {
      throw new Panic('number of previous names, number of previous namespaces, number of previous kinds not equal');
    }
    const [group, version] = splitApiVersion(apiVersion);
    const ids = nameList.map((name, index) => ({
      group,
      version,
      kind: kindList[index] as string,
      name,
      namespace: spaceList[index] as string,
      clusterScoped: false,
    }));
    this.previous = { names, spaces, kinds, apiVersion, ids };
    return ids;
  }

  originalId(): ResourceId {
    return this.previousIds()[0] ?? this.id();
  }

  storePreviousId(): void {
    const id = this.id();
    const namespace = effectiveNamespace(id);
    const known = this.previousIds().length > 0 ? this.previous : undefined;
    this.appendCsv(PREVIOUS_NAMES, id.name);
    this.appendCsv(PREVIOUS_NAMESPACES, namespace);
    this.appendCsv(PREVIOUS_KINDS, id.kind);
    // Every overlay adds one: reading all of them again each time would cost their square.
    if (known === undefined || [id.name, namespace, id.kind].some((part) => part === '' || part.includes(','))) return;
    const annotations = fieldOf(this.metadata(), 'annotations');
    known.names = fieldOf(annotations, PREVIOUS_NAMES)?.value ?? '';
    known.spaces = fieldOf(annotations, PREVIOUS_NAMESPACES)?.value ?? '';
    known.kinds = fieldOf(annotations, PREVIOUS_KINDS)?.value ?? '';
    known.ids.push({ ...id, namespace, clusterScoped: false });
  }

  setName(name: string): void {
    this.setMeta('name', name);
  }

  private setMeta(field: string, value: string): void {
    setField(lookup(this.node, ['metadata'], 'map'), field, scalarNode(value));
  }

  setNamespace(namespace: string): void {
    if (namespace === '') clearField(fieldOf(this.node, 'metadata'), 'namespace');
    else this.setMeta('namespace', namespace);
  }

  setKind(kind: string): void {
    setField(this.node, 'kind', scalarNode(kind));
  }

  setGvk(gvk: Gvk): void {
    this.setKind(gvk.kind);
    setField(this.node, 'apiVersion', scalarNode(apiVersionOf(gvk)));
  }

  annotations(): StringMap {
    return this.metaMap('annotations');
  }

  labels(): StringMap {
    return this.metaMap('labels');
  }

  annotation(name: string): string | undefined {
    return fieldOf(fieldOf(this.metadata(), 'annotations'), name)?.value;
  }

  private metaMap(field: string): StringMap {
    const map: StringMap = new Map();
    const node = fieldOf(this.metadata(), field);
    const content = node?.content ?? [];
    for (let index = 0; index + 1 < content.length; index += 2) {
      map.set((content[index] as YamlNode).value, (content[index + 1] as YamlNode).value);
    }
    return map;
  }

  setAnnotations(map: StringMap): void {
    this.setMetaMap('annotations', map);
  }

  setLabels(map: StringMap): void {
    this.setMetaMap('labels', map);
  }

  private setMetaMap(field: string, map: StringMap): void {
    const metadata = lookup(this.node, ['metadata'], 'map');
    clearField(metadata, field);
    if (map.size === 0 || metadata === undefined) return;
    const node = mapNode();
    for (const key of [...map.keys()].sort()) node.content.push(scalarNode(key), stringNode(map.get(key) as string));
    metadata.content.push(scalarNode(field), node);
  }

  /** Sets one annotation where it stands, as kyaml's SetAnnotation does: quoted. */
  setAnnotation(name: string, value: string): void {
    this.clearEmptyAnnotations();
    const node = stringNode(value);
    node.style = SINGLE_QUOTED;
    setField(lookup(this.node, ['metadata', 'annotations'], 'map'), name, node);
  }

  setLabel(name: string, value: string): void {
    const node = stringNode(value);
    node.style = SINGLE_QUOTED;
    setField(lookup(this.node, ['metadata', 'labels'], 'map'), name, node);
  }

  private clearEmptyAnnotations(): void {
    const metadata = fieldOf(this.node, 'metadata');
    if (metadata === undefined) return;
    const annotations = fieldOf(metadata, 'annotations');
    if (annotations !== undefined && annotations.content.length === 0) clearField(metadata, 'annotations');
    if (metadata.content.length === 0) clearField(this.node, 'metadata');
  }

  private appendCsv(name: string, value: string): void {
    if (value === '') return;
    const current = fieldOf(fieldOf(this.metadata(), 'annotations'), name);
    if (current === undefined) this.setAnnotation(name, value);
    else if (current.kind === 'scalar' && current.tag === STR_TAG) current.value = `${current.value},${value}`;
    else this.setAnnotation(name, `${current.value},${value}`);
  }

  private csv(name: string): readonly string[] {
    return this.annotation(name)?.split(',') ?? [];
  }

  addPrefix(prefix: string): void {
    this.appendCsv(PREFIXES, prefix);
  }

  addSuffix(suffix: string): void {
    this.appendCsv(SUFFIXES, suffix);
  }

  renamings(): Renamings {
    return { prefixes: this.csv(PREFIXES), suffixes: this.csv(SUFFIXES) };
  }

  addReferrer(id: string): void {
    this.appendCsv(REF_BY, id);
  }

  private enable(name: string): void {
    const annotations = this.annotations();
    annotations.set(name, 'enabled');
    this.setAnnotations(annotations);
  }

  allowNameChange(): void {
    this.enable(ALLOW_NAME_CHANGE);
  }

  allowKindChange(): void {
    this.enable(ALLOW_KIND_CHANGE);
  }

  mayChangeName(): boolean {
    return this.annotation(ALLOW_NAME_CHANGE) === 'enabled';
  }

  mayChangeKind(): boolean {
    return this.annotation(ALLOW_KIND_CHANGE) === 'enabled';
  }

  enableHashSuffix(): void {
    this.enable(NEEDS_HASH);
  }

  needsHashSuffix(): boolean {
    return this.annotation(NEEDS_HASH) === 'enabled';
  }

  isHelmGenerated(): boolean {
    return this.annotation(HELM_GENERATED) === 'true';
  }

  markHelmGenerated(): void {
    this.setAnnotation(HELM_GENERATED, 'true');
  }

  behavior(): Behavior {
    const text = this.annotation(BEHAVIOR);
    return text === 'create' || text === 'replace' || text === 'merge' ? text : 'unspecified';
  }

  setBehavior(behavior: string | undefined): void {
    const annotations = this.annotations();
    annotations.set(
      BEHAVIOR,
      behavior === 'create' || behavior === 'replace' || behavior === 'merge' ? behavior : 'unspecified',
    );
    this.setAnnotations(annotations);
  }

  removeBuildAnnotations(): void {
    const annotations = this.annotations();
    if (annotations.size === 0) return;
    for (const name of BUILD_ANNOTATIONS) annotations.delete(name);
    this.setAnnotations(annotations);
  }

  /** Annotations that a patch must not lose. */
  internalAnnotations(): StringMap {
    const found: StringMap = new Map();
    for (const [name, value] of this.annotations()) {
      if (name.startsWith(PREFIX) || LEGACY_ANNOTATIONS.includes(name)) found.set(name, value);
    }
    return found;
  }

  dataMap(field: 'data' | 'binaryData'): StringMap {
    const map: StringMap = new Map();
    const content = fieldOf(this.node, field)?.content ?? [];
    for (let index = 0; index + 1 < content.length; index += 2) {
      map.set(textOf(content[index]), textOf(content[index + 1]));
    }
    return map;
  }

  /** Takes labels, annotations, name and namespace of `other`, its own labels and annotations winning. */
  copyMergeMetadata(other: Resource): void {
    this.setLabels(new Map([...other.labels(), ...this.labels()]));
    const own = this.annotations();
    const theirs = other.annotations();
    const merged: StringMap = new Map([...theirs, ...own]);
    for (const name of BUILD_ANNOTATIONS) {
      const value = theirs.get(name);
      if (value === undefined) merged.delete(name);
      else merged.set(name, value);
    }
    if (!own.has(NEEDS_HASH)) merged.delete(NEEDS_HASH);
    this.setAnnotations(merged);
    this.setName(other.name());
    this.setNamespace(other.namespace());
    this.refVarNames = [...other.refVarNames];
  }

  /** Applies a strategic merge patch; kind and name stay unless the patch may change them. */
  applyStrategicMerge(patch: Resource): void {
    const name = this.name();
    const namespace = this.namespace();
    const kind = this.kind();
    if (patch.mayChangeName() || patch.mayChangeKind()) this.storePreviousId();
    const mayKind = patch.mayChangeKind();
    const mayName = patch.mayChangeName();
    this.node = strategicMerge(this.node as YamlNode, patch.node as YamlNode, this.schemas);
    if (this.isNilOrEmpty()) return;
    if (!mayKind) this.setKind(kind);
    if (!mayName) this.setName(name);
    this.setNamespace(namespace);
  }

  /** The object as JSON. @throws KustomizeFailure for a key that is there twice, with the line in kyaml's print. */
  toJson(): Json {
    return nodeJson(this.node);
  }

  toYaml(): string {
    return printYaml(this.toJson());
  }
}

/** JSON of a tree, as kyaml's MarshalJSON has it: printed and read again. */
export function nodeJson(node: YamlNode | undefined): Json {
  if (node === undefined) return null;
  const options = { dialect: 'v3', uniqueKeys: true } as const;
  try {
    const { value, doubtful } = nodeToJsonWithDoubt(node, options);
    if (!doubtful) return value;
  } catch (failure) {
    if (!(failure instanceof YamlFailure)) throw failure;
  }
  // Lines in messages are those of the printed tree.
  const printed = composeDocuments(printNode(node), 'v3', 1);
  if (!printed.ok) return fail(printYamlError(printed.error));
  try {
    return nodeToJson(printed.value[0] ?? node, options);
  } catch (failure) {
    if (failure instanceof YamlFailure) return fail(printYamlError(failure.detail));
    throw failure;
  }
}

/** Go's `%#v` of an object that has no JSON, or of none when it cannot be read at all. */
export function goSyntax(node: YamlNode | undefined): string {
  if (node === undefined) return 'map[string]interface {}(nil)';
  try {
    nodeToJson(node, { dialect: 'v3', uniqueKeys: true });
  } catch (failure) {
    if (!(failure instanceof YamlFailure)) throw failure;
    if (!failure.detail.message.startsWith('json: ')) return 'map[string]interface {}(nil)';
  }
  return goSyntaxOf(node, scalarReader({ dialect: 'v3', uniqueKeys: true }), true);
}

/** Whether both were renamed alike; with `allowEmpty`, one that was not renamed fits any. */
export function sameRenamings(a: Renamings, b: Renamings, allowEmpty: boolean): boolean {
  return sameEnding(a.prefixes, b.prefixes, allowEmpty) && sameEnding(a.suffixes, b.suffixes, allowEmpty);
}

function sameEnding(a: readonly string[], b: readonly string[], allowEmpty: boolean): boolean {
  if (allowEmpty && (a.length === 0 || b.length === 0)) return true;
  const [short, long] = a.length > b.length ? [b, a] : [a, b];
  const shift = long.length - short.length;
  if (short.length === 0) return shift === 0;
  // From the end, where overlays beside each other differ.
  for (let index = short.length - 1; index >= 0; index--) if (long[index + shift] !== short[index]) return false;
  return true;
}
