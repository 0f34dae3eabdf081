import {
  equal,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
} from '../../base/json.ts';
import { printYamlError } from '../yaml/error.ts';
import { mapNode, STR_TAG, scalarNode, seqNode, type YamlNode } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse.ts';
import { resolveTag } from '../yaml/resolve.ts';
import { formatG } from '../yaml/value.ts';
import { fail, KustomizeFailure, withPrefix } from './failure.ts';
import { nodeJson, type Resource } from './resource.ts';

export type JsonPatch = readonly JsonObject[];

/** Reads JSON 6902 operations from JSON or YAML. @throws KustomizeFailure */
export function decodeJsonPatch(text: string): JsonPatch {
  if (text === '') fail('empty json patch operations');
  return asOperations(patchJson(text));
}

export function patchJson(text: string): Json {
  const read = parseYaml(text);
  if (!read.ok)
    fail(
      `error converting YAML to JSON: ${printYamlError(read.error)}`.replace(/^error converting YAML to JSON: /, ''),
    );
  return read.value;
}

export function asOperations(value: Json): JsonPatch {
  if (value === null) return [];
  if (!isArray(value)) {
    const kind = isObject(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value === 'string'
          ? 'string'
          : 'number';
    return fail(`json: cannot unmarshal ${kind} into Go value of type jsonpatch.Patch`);
  }
  return value.map((item) => {
    if (item === null) return {};
    if (isObject(item)) return item;
    const kind = isArray(item)
      ? 'array'
      : typeof item === 'boolean'
        ? 'bool'
        : typeof item === 'string'
          ? 'string'
          : 'number';
    return fail(`json: cannot unmarshal ${kind} into Go value of type jsonpatch.Operation`);
  });
}

/** Applies the operations to a resource, which is read and written as JSON. @throws KustomizeFailure with json-patch v4's texts */
export function applyJsonPatch(resource: Resource, patch: JsonPatch): void {
  resource.node = jsonNode(applyToJson(nodeJson(resource.node), patch));
}

export function applyToJson(document: Json, patch: JsonPatch): Json {
  let root = document;
  for (const operation of patch) root = applyOne(root, operation);
  return root;
}

type Container = Json[] | MutableJsonObject;

function textField(operation: JsonObject, name: string): string | undefined {
  const value = field(operation, name);
  return typeof value === 'string' ? value : undefined;
}

function applyOne(root: Json, operation: JsonObject): Json {
  const kind = textField(operation, 'op') ?? 'unknown';
  const path = textField(operation, 'path');
  const value = field(operation, 'value') ?? null;
  switch (kind) {
    case 'add': {
      if (path === undefined) fail('add operation failed to decode path: missing value');
      return edit(
        root,
        path,
        (at, key) => wrap(`error in add for path: '${path}'`, () => add(at, key, value)),
        () => fail(`add operation does not apply: doc is missing path: "${path}": missing value`),
      );
    }
    case 'remove': {
      if (path === undefined) fail('remove operation failed to decode path: missing value');
      return edit(
        root,
        path,
        (at, key) => wrap(`error in remove for path: '${path}'`, () => remove(at, key)),
        () => fail(`remove operation does not apply: doc is missing path: "${path}": missing value`),
      );
    }
    case 'replace': {
      if (path === undefined)
        fail('replace operation failed to decode path: operation missing path field: missing value');
      if (path === '') {
        if (!isArray(value) && !isObject(value)) fail('replace operation value must be object or array: %!w(<nil>)');
        return value;
      }
      return edit(
        root,
        path,
        (at, key) => {
          if (Array.isArray(at)) {
            try {
              index(at, key, at.length);
            } catch {
              fail(`replace operation does not apply: doc is missing key: ${path}: missing value`);
            }
            at[index(at, key, at.length)] = value;
          } else put(at, key, value);
        },
        () => fail(`replace operation does not apply: doc is missing path: ${path}: missing value`),
      );
    }
    case 'move':
    case 'copy': {
      const from = textField(operation, 'from');
      if (from === undefined)
        fail(`${kind} operation failed to decode from: operation, missing from field: missing value`);
      const missing = (): never =>
        fail(`${kind} operation does not apply: doc is missing from path: ${from}: missing value`);
      let moved: Json | undefined;
      const cut = edit(
        root,
        from,
        (at, key) => {
          moved = wrap(kind === 'move' ? `error in move for path: '${key}'` : `error in copy for from: '${from}'`, () =>
            get(at, key),
          );
          if (kind === 'move') wrap(`error in move for path: '${key}'`, () => remove(at, key));
        },
        missing,
      );
      if (path === undefined) fail(`${kind} operation failed to decode path: missing value`);
      const prefix = kind === 'move' ? `error in move for path: '${path}'` : 'error while adding value during copy';
      return edit(
        cut,
        path,
        (at, key) => wrap(prefix, () => add(at, key, moved ?? null)),
        () => fail(`${kind} operation does not apply: doc is missing destination path: ${path}: missing value`),
      );
    }
    case 'test': {
      if (path === undefined) fail('test operation failed to decode path: operation missing path field: missing value');
      const failed = (): never => fail(`testing value ${path} failed: test failed`);
      if (path === '') return equal(root, value) ? root : failed();
      edit(
        root,
        path,
        (at, key) => {
          const found = wrap(`error in test for path: '${path}'`, () => get(at, key)) ?? null;
          if (!equal(found, value)) failed();
        },
        () => fail(`test operation does not apply: is missing path: ${path}: missing value`),
      );
      return root;
    }
    default:
      return fail(`Unexpected kind: ${kind}`);
  }
}

function wrap<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (failure) {
    throw failure instanceof KustomizeFailure ? withPrefix(prefix, failure) : failure;
  }
}

/** Calls `act` with a copy of the container that holds the last step of `path`, and returns the document with it. */
function edit(root: Json, path: string, act: (at: Container, key: string) => void, missing: () => never): Json {
  const steps = path.split('/');
  if (steps.length < 2) return missing();
  const keys = steps.slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return editAt(root, keys, 0, act, missing);
}

function editAt(
  node: Json | undefined,
  keys: readonly string[],
  depth: number,
  act: (at: Container, key: string) => void,
  missing: () => never,
): Json {
  if (!isArray(node) && !isObject(node)) return missing();
  const copy: Container = isArray(node) ? [...node] : shallowCopy(node);
  const key = keys[depth] as string;
  if (depth === keys.length - 1) {
    act(copy, key);
    return copy;
  }
  let child: Json | undefined;
  try {
    child = get(copy, key);
  } catch {
    return missing();
  }
  const edited = editAt(child, keys, depth + 1, act, missing);
  if (Array.isArray(copy)) copy[index(copy, key, copy.length)] = edited;
  else put(copy, key, edited);
  return copy;
}

function shallowCopy(object: JsonObject): MutableJsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(object)) put(out, key, object[key] as Json);
  return out;
}

function get(at: Container, key: string): Json | undefined {
  return Array.isArray(at) ? at[index(at, key, at.length)] : field(at, key);
}

/** Position that `key` means in a list; negative ones count from the end, of `size` places. */
function index(_at: readonly Json[], key: string, size: number): number {
  if (!/^[-+]?\d+$/.test(key)) fail(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  const found = Number(key);
  if (found >= size || found < -size) fail(`Unable to access invalid index: ${found}: invalid index referenced`);
  return found < 0 ? found + size : found;
}

function add(at: Container, key: string, value: Json): void {
  if (!Array.isArray(at)) {
    put(at, key, value);
    return;
  }
  if (key === '-') {
    at.push(value);
    return;
  }
  if (!/^[-+]?\d+$/.test(key)) {
    fail(`value was not a proper array index: '${key}': strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  }
  at.splice(index(at, key, at.length + 1), 0, value);
}

function remove(at: Container, key: string): void {
  if (Array.isArray(at)) at.splice(index(at, key, at.length), 1);
  else {
    if (!Object.hasOwn(at, key)) fail(`Unable to remove nonexistent key: ${key}: missing value`);
    delete at[key];
  }
}

/** A tree of a JSON value, as Go makes it by printing and parsing: keys sorted, numbers as `%g` has them. */
export function jsonNode(value: Json): YamlNode {
  if (isArray(value)) return seqNode(value.map(jsonNode), '!!seq');
  if (isObject(value)) {
    const content: YamlNode[] = [];
    for (const key of Object.keys(value).sort()) content.push(scalarNode(key, STR_TAG), jsonNode(value[key] as Json));
    return mapNode(content, '!!map');
  }
  switch (typeof value) {
    case 'string':
      return scalarNode(value, STR_TAG);
    case 'boolean':
      return scalarNode(String(value), '!!bool');
    case 'bigint':
      return scalarNode(value.toString(), '!!int');
    case 'number': {
      const text = formatG(value);
      return scalarNode(text, resolveTag(text, 'v3'));
    }
    default:
      return scalarNode('null', '!!null');
  }
}
