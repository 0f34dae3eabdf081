import {
  clone,
  equal,
  field,
  isArray,
  isObject,
  type Json,
  type MutableJsonObject,
  put,
  stringAt,
  stringifyJson,
} from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';

/** `syntax`: the patch is no list of operations (400). `apply`: an operation does not apply (422). `too-many`: a 413. */
export interface JsonPatchError {
  readonly code: 'syntax' | 'apply' | 'too-many';
  readonly message: string;
  /** Of an operation that does not apply: why, in json-patch's words, which a PATCH does not show but a webhook's patch does. */
  readonly detail?: string;
}

/** kube-apiserver@1.34 endpoints/handlers/patch.go */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;
/** What `copy` operations may add up to, in bytes of JSON. (json-patch `AccumulatedCopySizeLimit`, set by kube-apiserver) */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

class NotApplicable extends Error {}

type Container = Json[] | MutableJsonObject;

/**
 * RFC 6902 with the rules of evanphx/json-patch v4: negative indices count from the end, `replace` of a missing key adds it,
 * a path's first segment is dropped even without a leading slash, and `test` for null passes on a missing key.
 */
export function applyJsonPatch(document: Json, patch: Json): Result<Json, JsonPatchError> {
  if (!isArray(patch)) return err({ code: 'syntax', message: 'error decoding patch: the patch is not an array' });
  if (patch.length > MAX_JSON_PATCH_OPERATIONS) {
    return err({
      code: 'too-many',
      message: `The allowed maximum operations in a JSON patch is ${MAX_JSON_PATCH_OPERATIONS}, got ${patch.length}`,
    });
  }
  const state: State = { root: document, owned: new Set(), copied: 0 };
  try {
    for (const operation of patch) apply(state, operation);
  } catch (error) {
    // kube-apiserver tells no more than this. (handlers/patch.go, a generic 422)
    if (error instanceof NotApplicable) {
      return err({
        code: 'apply',
        message: 'the server rejected our request due to an error in our request',
        detail: error.message,
      });
    }
    throw error;
  }
  return ok(printed(state.root, state));
}

/** An object that was opened prints with sorted keys, as a Go map does; the others as they were. */
function printed(value: Json, state: State): Json {
  if (isArray(value)) return state.owned.has(value as Json[]) ? value.map((item) => printed(item, state)) : value;
  if (!isObject(value) || !state.owned.has(value)) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value).toSorted()) put(out, key, printed(value[key] as Json, state));
  return out;
}

interface State {
  root: Json;
  /** Containers made during this patch, which may be changed in place. */
  readonly owned: Set<Container>;
  copied: number;
}

function apply(state: State, operation: Json): void {
  const kind = stringAt(operation, 'op');
  const path = stringAt(operation, 'path');
  const value = field(operation, 'value');
  if (path === undefined) throw new NotApplicable('operation missing path field: missing value');
  switch (kind) {
    case 'add':
      if (path === '') throw new NotApplicable(MISSING.add(path));
      inside(`error in add for path: '${path}'`, () => insert(locate(state, path, MISSING.add), value ?? null));
      return;
    case 'replace':
      if (path === '') {
        // json-patch v4 refuses what is no container with an error that it then loses: nothing happens.
        if (isObject(value) || isArray(value)) state.root = value;
        return;
      }
      assign(locate(state, path, MISSING.replace), value ?? null);
      return;
    case 'remove': {
      const place = locate(state, path, MISSING.remove);
      inside(`error in remove for path: '${path}'`, () => remove(place));
      return;
    }
    case 'move':
    case 'copy': {
      const from = stringAt(operation, 'from');
      if (from === undefined)
        throw new NotApplicable(
          `${kind} operation failed to decode from: operation, missing from field: missing value`,
        );
      const place = locate(state, from, MISSING.from(kind));
      // A copy shares nothing with what it was made from: it may even go into it.
      const moved = kind === 'move' ? read(place) : clone(read(place) ?? null);
      if (kind === 'move') inside(`error in move for path: '${place.key}'`, () => remove(place));
      else {
        state.copied += stringifyJson(moved ?? null).length;
        if (state.copied > MAX_COPIED_BYTES) throw new NotApplicable('copies are too large');
      }
      insert(locate(state, path, MISSING.destination(kind)), moved ?? null);
      return;
    }
    case 'test': {
      const found = path === '' ? state.root : read(locate(state, path, MISSING.test));
      const matches =
        found === undefined || found === null ? value === undefined || value === null : equal(found, value);
      if (!matches) throw new NotApplicable(`testing value ${path} failed: test failed`);
      return;
    }
    default:
      throw new NotApplicable(`Unexpected kind: ${kind ?? 'unknown'}`);
  }
}

/** json-patch@4.12 patch.go: each operation has words of its own for a place that is not there. */
const MISSING = {
  add: (path: string): string => `add operation does not apply: doc is missing path: "${path}": missing value`,
  remove: (path: string): string => `remove operation does not apply: doc is missing path: "${path}": missing value`,
  replace: (path: string): string => `replace operation does not apply: doc is missing path: ${path}: missing value`,
  test: (path: string): string => `test operation does not apply: is missing path: ${path}: missing value`,
  from:
    (kind: string) =>
    (path: string): string =>
      `${kind} operation does not apply: doc is missing from path: ${path}: missing value`,
  destination:
    (kind: string) =>
    (path: string): string =>
      `${kind} operation does not apply: doc is missing destination path: ${path}: missing value`,
};

function inside(where: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    const own = error instanceof NotApplicable && !error.message.includes('operation does not apply');
    throw own ? new NotApplicable(`${where}: ${error.message}`) : error;
  }
}

interface Place {
  readonly container: Container;
  readonly key: string;
}

function own(state: State, value: Json): Container {
  if (isArray(value)) {
    if (state.owned.has(value as Json[])) return value as Json[];
    const copy = [...value];
    state.owned.add(copy);
    return copy;
  }
  if (state.owned.has(value as MutableJsonObject)) return value as MutableJsonObject;
  const copy: MutableJsonObject = {};
  for (const key of Object.keys(value as MutableJsonObject)) put(copy, key, (value as MutableJsonObject)[key] as Json);
  state.owned.add(copy);
  return copy;
}

/** The container of the path's last segment, copied on the way so that the document given stays as it is. */
function locate(state: State, path: string, missing: (path: string) => string): Place {
  const segments = path
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = segments.pop();
  if (key === undefined || (!isObject(state.root) && !isArray(state.root))) {
    throw new NotApplicable(missing(path));
  }
  let container = own(state, state.root);
  state.root = container;
  for (const segment of segments) {
    const next = read({ container, key: segment });
    if (!isObject(next) && !isArray(next)) {
      throw new NotApplicable(missing(path));
    }
    const copy = own(state, next);
    assign({ container, key: segment }, copy);
    container = copy;
  }
  return { container, key };
}

function read({ container, key }: Place): Json | undefined {
  if (!Array.isArray(container)) return field(container, key);
  const found = container[index(key, container.length, container.length - 1)];
  return found;
}

function index(key: string, length: number, last: number): number {
  if (!/^[-+]?\d+$/.test(key))
    throw new NotApplicable(
      `value was not a proper array index: '${key}': strconv.Atoi: parsing "${key}": invalid syntax`,
    );
  const position = Number(key);
  if (position < -length || position > last)
    throw new NotApplicable(`Unable to access invalid index: ${key}: invalid index referenced`);
  return position < 0 ? position + length : position;
}

function insert({ container, key }: Place, value: Json): void {
  if (!Array.isArray(container)) {
    put(container, key, value);
    return;
  }
  if (key === '-') {
    container.push(value);
    return;
  }
  if (!/^[-+]?\d+$/.test(key))
    throw new NotApplicable(
      `value was not a proper array index: '${key}': strconv.Atoi: parsing "${key}": invalid syntax`,
    );
  const position = Number(key);
  const size = container.length + 1;
  if (position >= size || position < -size)
    throw new NotApplicable(`Unable to access invalid index: ${key}: invalid index referenced`);
  container.splice(position < 0 ? position + size : position, 0, value);
}

function assign({ container, key }: Place, value: Json): void {
  if (Array.isArray(container)) container[index(key, container.length, container.length - 1)] = value;
  else put(container, key, value);
}

function remove({ container, key }: Place): void {
  if (Array.isArray(container)) container.splice(index(key, container.length, container.length - 1), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else throw new NotApplicable(`Unable to remove nonexistent key: ${key}: missing value`);
}
