import { type FuncMap, func, variadic } from '../gotemplate/func.ts';
import { ANY, INT, LIST, sliceOf } from '../gotemplate/go-type.ts';
import { typedList } from '../gotemplate/make-value.ts';
import { typeOf } from '../gotemplate/type-of.ts';
import { GoError, isList, type Value } from '../gotemplate/value.ts';
import { isEmpty, toInt64 } from './cast.ts';
import { ValueSet } from './deep-equal.ts';
import { listItems, NIL_DEREFERENCE } from './items.ts';
import { checkListLength } from './limits.ts';

const LISTS = sliceOf(LIST);

/** Lists. Every function has a `must` twin that fails in the same way. Source: sprig@3.3.0 list.go. */
export function listFunctions(): FuncMap {
  const push = func([ANY, ANY], (list, item) => [...listItems(list, 'Cannot push on type'), item]);
  const prepend = func([ANY, ANY], (list, item) => [item, ...listItems(list, 'Cannot prepend on type')]);
  const first = func([ANY], (list) => listItems(list, 'Cannot find first on type')[0] ?? null);
  const last = func([ANY], (list) => listItems(list, 'Cannot find last on type').at(-1) ?? null);
  const rest = func([ANY], (list) => part(listItems(list, 'Cannot find rest on type'), 1, 0));
  const initial = func([ANY], (list) => part(listItems(list, 'Cannot find initial on type'), 0, 1));
  const reverse = func([ANY], (list) => listItems(list, 'Cannot find reverse on type').toReversed());
  const compact = func([ANY], (list) => listItems(list, 'Cannot compact on type').filter((item) => !isEmpty(item)));
  const uniq = func([ANY], (list) => unique(listItems(list, 'Cannot find uniq on type')));
  const without = variadic([ANY], ANY, (list, ...omitted) =>
    except(listItems(list, 'Cannot find without on type'), omitted),
  );
  const has = func([ANY, ANY], (needle, list) => contains(list, needle));
  const slice = variadic([ANY], ANY, cut);
  const chunk = func([INT, ANY], (size, list) => chunks(size, listItems(list, 'Cannot chunk type')));
  return new Map([
    ['list', variadic([], ANY, (...items) => items)],
    ['tuple', variadic([], ANY, (...items) => items)],
    ['append', push],
    ['push', push],
    ['mustAppend', push],
    ['mustPush', push],
    ['prepend', prepend],
    ['mustPrepend', prepend],
    ['first', first],
    ['mustFirst', first],
    ['last', last],
    ['mustLast', last],
    ['rest', rest],
    ['mustRest', rest],
    ['initial', initial],
    ['mustInitial', initial],
    ['reverse', reverse],
    ['mustReverse', reverse],
    ['compact', compact],
    ['mustCompact', compact],
    ['uniq', uniq],
    ['mustUniq', uniq],
    ['without', without],
    ['mustWithout', without],
    ['has', has],
    ['mustHas', has],
    ['slice', slice],
    ['mustSlice', slice],
    ['chunk', chunk],
    ['mustChunk', chunk],
    ['concat', variadic([], ANY, (...lists) => concat(lists))],
  ]);
}

/** The list without what is before `from` and without the last `behind`; nil of an empty one. */
function part(items: readonly Value[], from: number, behind: number): Value {
  return items.length === 0 ? typedList(LIST, null) : items.slice(from, items.length - behind);
}

function unique(items: readonly Value[]): Value[] {
  const seen = new ValueSet();
  const out: Value[] = [];
  for (const item of items) {
    if (seen.has(item)) continue;
    seen.add(item);
    out.push(item);
  }
  return out;
}

function except(items: readonly Value[], omitted: readonly Value[]): Value[] {
  const set = new ValueSet();
  for (const item of omitted) set.add(item);
  return items.filter((item) => !set.has(item));
}

function contains(list: Value, needle: Value): boolean {
  if (list === null) return false;
  const set = new ValueSet();
  for (const item of listItems(list, 'Cannot find has on type')) set.add(item);
  return set.has(needle);
}

function cut(list: Value, ...indices: readonly Value[]): Value {
  const items = listItems(list, 'list should be type of slice or array but');
  if (items.length === 0) return null;
  const start = indices.length > 0 ? toInt64(indices[0]) : 0n;
  const end = indices.length > 1 ? toInt64(indices[1]) : BigInt(items.length);
  if (start < 0n || end < start || end > BigInt(items.length)) {
    throw new GoError('reflect.Value.Slice: slice index out of bounds');
  }
  if (list instanceof Uint8Array) return list.slice(Number(start), Number(end));
  const chosen = items.slice(Number(start), Number(end));
  const type = typeOf(list);
  return type.name === LIST.name ? chosen : typedList(type, chosen);
}

function chunks(size: number, items: readonly Value[]): Value {
  const count = Math.floor((items.length - 1) / size) + 1;
  // Go turns infinity and NaN into the least integer, which is no length.
  const bad = !(count >= 0 && Number.isFinite(count)) || (count > 0 && size < 0);
  if (bad) throw new GoError('runtime error: makeslice: len out of range');
  const out: Value[] = [];
  for (let index = 0; index < count; index++) out.push(items.slice(index * size, (index + 1) * size));
  return typedList(LISTS, out);
}

function concat(lists: readonly Value[]): Value {
  const out: Value[] = [];
  for (const list of lists) {
    if (list === null) throw new GoError(NIL_DEREFERENCE);
    const items = isList(list) || list instanceof Uint8Array ? listItems(list, '') : undefined;
    if (items === undefined) throw new GoError(`Cannot concat type ${typeOf(list).kind} as list`);
    checkListLength('concat', out.length + items.length);
    for (const item of items) out.push(item);
  }
  return out.length === 0 ? typedList(LIST, null) : out;
}
