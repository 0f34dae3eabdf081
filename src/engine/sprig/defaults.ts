import { type FuncMap, func, variadic } from '../gotemplate/func.ts';
import { ANY, BOOL, STRING } from '../gotemplate/go-type.ts';
import { typeOf } from '../gotemplate/type-of.ts';
import type { Value } from '../gotemplate/value.ts';
import { isEmpty } from './cast.ts';
import { deepEqual } from './deep-equal.ts';

/** Defaults and reflection. Source: sprig@3.3.0 defaults.go, reflect.go. */
export function defaultFunctions(): FuncMap {
  return new Map([
    ['default', variadic([ANY], ANY, (fallback, ...given) => (isEmpty(given[0]) ? fallback : given[0]))],
    ['empty', func([ANY], (value) => isEmpty(value))],
    ['coalesce', variadic([], ANY, (...values) => values.find((value) => !isEmpty(value)) ?? null)],
    ['all', variadic([], ANY, (...values) => !values.some(isEmpty))],
    ['any', variadic([], ANY, (...values) => values.some((value) => !isEmpty(value)))],
    ['ternary', func([ANY, ANY, BOOL], (yes, no, test) => (test ? yes : no))],
    ['typeOf', func([ANY], typeName)],
    ['typeIs', func([STRING, ANY], (name, value) => name === typeName(value))],
    ['typeIsLike', func([STRING, ANY], (name, value) => [name, `*${name}`].includes(typeName(value)))],
    ['kindOf', func([ANY], (value) => typeOf(value).kind)],
    ['kindIs', func([STRING, ANY], (name, value) => name === typeOf(value).kind)],
    ['deepEqual', func([ANY, ANY], (a, b) => deepEqual(a, b))],
  ]);
}

function typeName(value: Value): string {
  return typeOf(value).name;
}
