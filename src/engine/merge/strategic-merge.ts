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
import { err, ok, type Result } from '../../base/result.ts';
import { dereference, propertySchema, type ResolveSchema, type Schema } from '../schema/schema.ts';
import { goValue } from './go-print.ts';

/** How kube-apiserver answers: 400 with reason BadRequest, 422, or 500 without a reason. */
export interface StrategicMergeError {
  readonly code: 'bad-request' | 'unprocessable' | 'internal';
  readonly message: string;
}

class Refused extends Error {
  readonly code: StrategicMergeError['code'];
  constructor(code: StrategicMergeError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const RETAIN_KEYS = '$retainKeys';
const ORDER_PREFIX = '$setElementOrder/';
const DELETE_PREFIX = '$deleteFromPrimitiveList/';

/**
 * Applies a strategic merge patch as the server does: lists merge by `x-kubernetes-patch-merge-key` where the schema's patch
 * strategy says so; `$patch`, `$setElementOrder`, `$retainKeys` and `$deleteFromPrimitiveList` are obeyed; nulls remove.
 * (apimachinery@0.34 util/strategicpatch/patch.go, MergeParallelList and IgnoreUnmatchedNulls)
 */
export function applyStrategicMerge(
  original: JsonObject,
  patch: JsonObject,
  schema: Schema,
  resolve: ResolveSchema,
): Result<JsonObject, StrategicMergeError> {
  try {
    return ok(mergeMap(original, patch, dereference(schema, resolve), resolve));
  } catch (error) {
    if (error instanceof Refused) return err({ code: error.code, message: error.message });
    throw error;
  }
}

interface FieldMeta {
  readonly schema: Schema | undefined;
  readonly strategy: 'merge' | 'replace' | '';
  readonly mergeKey: string;
}

function fieldMeta(schema: Schema | undefined, name: string, resolve: ResolveSchema): FieldMeta {
  const found = schema === undefined ? undefined : propertySchema(schema, name, resolve);
  const strategies = (found?.['x-kubernetes-patch-strategy'] ?? '').split(',');
  const strategy = strategies.includes('merge') ? 'merge' : strategies.includes('replace') ? 'replace' : '';
  return { schema: found, strategy, mergeKey: found?.['x-kubernetes-patch-merge-key'] ?? '' };
}

function mergeMap(from: JsonObject, given: JsonObject, schema: Schema | undefined, resolve: ResolveSchema): JsonObject {
  const patch: MutableJsonObject = { ...given };
  const directive = field(patch, '$patch');
  if (directive !== undefined) {
    if (directive === 'replace') {
      delete patch['$patch'];
      return patch;
    }
    if (directive === 'delete') return {};
    throw new Refused('internal', `unknown patch type: ${goValue(directive)} in map: ${goValue(given)}`);
  }
  const original: MutableJsonObject = { ...from };
  retainKeys(original, patch);
  orderLists(original, patch, schema, resolve);
  for (const written of Object.keys(patch)) {
    const value = patch[written] as Json;
    const deletes = written.startsWith(DELETE_PREFIX);
    const name = deletes ? written.slice(DELETE_PREFIX.length) : written;
    if (deletes) {
      const list = field(original, name);
      if (isArray(list) && isArray(value))
        put(
          original,
          name,
          list.filter((item) => !value.some((gone) => equal(item, gone))),
        );
      continue;
    }
    if (value === null) {
      delete original[name];
      continue;
    }
    const own = field(original, name);
    const meta = fieldMeta(schema, name, resolve);
    if (isObject(own) && isObject(value)) {
      put(original, name, meta.strategy === 'replace' ? value : mergeMap(own, value, meta.schema, resolve));
    } else if (isArray(own) && isArray(value)) {
      put(original, name, meta.strategy === 'merge' ? mergeSlice(own, value, meta, resolve) : value);
    } else {
      const cleaned = withoutDirectives(withoutNulls(value));
      if (cleaned === undefined) delete original[name];
      else put(original, name, cleaned);
    }
  }
  return original;
}

function retainKeys(original: MutableJsonObject, patch: MutableJsonObject): void {
  const list = field(patch, RETAIN_KEYS);
  if (list === undefined) return;
  delete patch[RETAIN_KEYS];
  if (!isArray(list)) throw new Refused('bad-request', 'invalid patch format of retainKeys');
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || key.startsWith(DELETE_PREFIX) || key.startsWith(ORDER_PREFIX)) continue;
    if (!list.includes(key)) throw new Refused('bad-request', 'invalid patch format of retainKeys');
  }
  for (const key of Object.keys(original)) if (!list.includes(key)) delete original[key];
}

/** Handles every `$setElementOrder/x`: merges the list now and puts its items into the order asked for. */
function orderLists(
  original: MutableJsonObject,
  patch: MutableJsonObject,
  schema: Schema | undefined,
  resolve: ResolveSchema,
): void {
  for (const written of Object.keys(patch)) {
    if (written === '$setElementOrder')
      throw new Refused('bad-request', 'invalid patch format of setElementOrder list');
    if (!written.startsWith(ORDER_PREFIX)) continue;
    const wanted = patch[written];
    delete patch[written];
    const name = written.slice(ORDER_PREFIX.length);
    const own = field(original, name);
    const theirs = field(patch, name);
    for (const list of [wanted, own, theirs]) {
      if (list !== undefined && !isArray(list)) {
        throw new Refused('internal', `expected a []interface {}, but received a ${goType(list)}`);
      }
    }
    const meta = fieldMeta(schema, name, resolve);
    const mine = own as readonly Json[] | undefined;
    const sent = theirs as readonly Json[] | undefined;
    checkOrderCovers(sent ?? [], wanted as readonly Json[], meta.mergeKey);
    if (mine === undefined && sent === undefined) continue;
    const merged =
      sent === undefined
        ? (mine as readonly Json[])
        : mine === undefined
          ? (withoutDirectives(sent) as readonly Json[])
          : meta.strategy === 'merge'
            ? mergeSlice(mine, sent, meta, resolve)
            : sent;
    put(original, name, inOrder(merged, wanted as readonly Json[], mine ?? [], meta.mergeKey));
    delete patch[name];
  }
}

/** Every item sent must have its place in the order, and the places must be in sequence. */
function checkOrderCovers(sent: readonly Json[], wanted: readonly Json[], mergeKey: string): void {
  const items = mergeKey === '' ? sent : sent.filter((item) => field(item, '$patch') !== 'delete');
  let position = 0;
  for (const item of items) {
    while (position < wanted.length && !sameItem(item, wanted[position] as Json, mergeKey)) position++;
    if (position === wanted.length) {
      throw new Refused(
        'internal',
        `The order in patch list:\n${goValue(sent)}\n doesn't match $setElementOrder list:\n${goValue(wanted)}\n`,
      );
    }
  }
}

function sameItem(a: Json, b: Json, mergeKey: string): boolean {
  if (mergeKey === '') return equal(a, b);
  return equal(field(a, mergeKey), field(b, mergeKey));
}

function mergeSlice(
  original: readonly Json[],
  patch: readonly Json[],
  meta: FieldMeta,
  resolve: ResolveSchema,
): readonly Json[] {
  if (original.length === 0 && patch.length === 0) return original;
  const all = [...original, ...patch];
  if (all.some(isArray)) throw new Refused('unprocessable', 'lists of lists are not supported');
  const maps = all.filter(isObject).length;
  if (maps > 0 && maps < all.length) {
    throw new Refused('internal', `list element types are not identical: [${goValue(original)} ${goValue(patch)}]`);
  }
  if (maps === 0) {
    const merged = all.filter((item, index) => all.findIndex((other) => equal(other, item)) === index);
    return inOrder(merged, patch, original, '');
  }
  const { mergeKey } = meta;
  if (mergeKey === '') throw new Refused('internal', 'cannot merge lists without merge key for ');
  let base: readonly Json[] = original;
  let replace = false;
  const plain: JsonObject[] = [];
  for (const item of patch as readonly JsonObject[]) {
    const directive = field(item, '$patch');
    if (directive === undefined) plain.push(item);
    else if (directive === 'delete') {
      base = base.filter((own) => !sameItem(own, item, requireKey(item, mergeKey)));
    } else if (directive === 'replace') replace = true;
    else if (directive === 'merge') throw new Refused('internal', 'merging lists cannot yet be specified in the patch');
    else throw new Refused('internal', `unknown patch type: ${goValue(directive)} in map: ${goValue(item)}`);
  }
  if (replace) return plain;
  const schema = meta.schema?.items === undefined ? undefined : dereference(meta.schema.items, resolve);
  const merged = [...base];
  for (const item of plain) {
    requireKey(item, mergeKey);
    const found = merged.findIndex((own) => sameItem(own, item, mergeKey));
    if (found >= 0) merged[found] = mergeMap(merged[found] as JsonObject, item, schema, resolve);
    else {
      const cleaned = withoutDirectives(item);
      if (cleaned !== undefined) merged.push(cleaned);
    }
  }
  return inOrder(merged, plain, base, mergeKey);
}

function requireKey(item: JsonObject, mergeKey: string): string {
  if (!Object.hasOwn(item, mergeKey)) {
    throw new Refused('internal', `map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return mergeKey;
}

/** Items named by `wanted` in its order, the others where they stood in `server` relative to them. (normalizeElementOrder) */
function inOrder(merged: readonly Json[], wanted: readonly Json[], server: readonly Json[], mergeKey: string): Json[] {
  const place = (list: readonly Json[], item: Json): number =>
    list.findIndex((other) => sameItem(item, other, mergeKey));
  const named = merged
    .filter((item) => place(wanted, item) >= 0)
    .toSorted((a, b) => place(wanted, a) - place(wanted, b));
  const others = merged
    .filter((item) => place(wanted, item) < 0)
    .toSorted((a, b) => place(server, a) - place(server, b));
  const out: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < others.length || j < named.length) {
    const left = others[i];
    const right = named[j];
    if (left === undefined) out.push(named[j++] as Json);
    else if (right === undefined) out.push(others[i++] as Json);
    else {
      const [l, r] = [place(server, left), place(server, right)];
      if (l >= 0 && r >= 0 && l < r) {
        out.push(left);
        i++;
      } else {
        out.push(right);
        j++;
      }
    }
  }
  return out;
}

/** Nulls inside a value that nothing was there to be merged with mean nothing. */
function withoutNulls(value: Json): Json {
  if (isArray(value)) return value.map((item) => (isObject(item) ? withoutNulls(item) : item));
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) {
    const child = value[key] as Json;
    if (child !== null) put(out, key, withoutNulls(child));
  }
  return out;
}

function withoutDirectives(value: Json): Json | undefined {
  if (isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (field(value, '$patch') === 'delete') return undefined;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) {
    if (key === '$patch' || key === RETAIN_KEYS || key.startsWith(ORDER_PREFIX) || key.startsWith(DELETE_PREFIX))
      continue;
    const child = withoutDirectives(value[key] as Json);
    if (child !== undefined) put(out, key, child);
  }
  return out;
}

/** A patch as applying it leaves it, which is how it is quoted: what met nothing in the object has lost its nulls, ordered lists are gone. */
export function patchAsApplied(original: Json | undefined, patch: Json): Json {
  if (!isObject(patch) || !isObject(original)) return withoutNulls(patch);
  const out: MutableJsonObject = {};
  for (const key of Object.keys(patch)) {
    const value = patch[key] as Json;
    // An order is taken out with the list that it orders.
    if (key.startsWith(ORDER_PREFIX) || Object.hasOwn(patch, ORDER_PREFIX + key)) continue;
    put(out, key, value === null ? value : patchAsApplied(field(original, key), value));
  }
  return out;
}

function goType(value: Json): string {
  if (isObject(value)) return 'map[string]interface {}';
  return value === null
    ? '<nil>'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'string'
        ? 'string'
        : 'int64';
}
