import { spend } from './effort.ts';
import { FUNCTIONS } from './global-functions.ts';
import { METHODS } from './methods.ts';
import { type Charge } from './overloads.ts';
import { type CelValue, sizeOf } from './values.ts';

/** Names in front of a dot that are libraries, not variables. */
export const NAMESPACES: ReadonlySet<string> = new Set([
  'optional',
  'math',
  'strings',
  'base64',
  'sets',
  'lists',
  'ip',
  'format',
  'jsonpatch',
]);

/** A global or namespaced function; undefined: no such overload. */
export function callFunction(name: string, args: readonly CelValue[], charge: Charge): CelValue | undefined {
  const fn = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (fn !== undefined) return counted(args, () => fn(args, charge));
  // Some member functions may also be called globally: size(x), matches(x, y).
  const [self, ...rest] = args;
  return self !== undefined && (name === 'size' || name === 'matches')
    ? callMethod(name, self, rest, charge)
    : undefined;
}

/** A member function; undefined: no such overload. */
export function callMethod(
  name: string,
  self: CelValue,
  args: readonly CelValue[],
  charge: Charge,
): CelValue | undefined {
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  return method === undefined ? undefined : counted([self, ...args], () => method(self, args, charge));
}

/** Whether any overload has this name: for "undeclared reference". */
export function isFunction(name: string): boolean {
  return Object.hasOwn(FUNCTIONS, name) || Object.hasOwn(METHODS, name);
}

export function isMethod(name: string): boolean {
  return Object.hasOwn(METHODS, name);
}

/** A call, counted by the size of what it is given and of what it makes. */
function counted(args: readonly CelValue[], call: () => CelValue | undefined): CelValue | undefined {
  for (const arg of args) spend(sizeOf(arg));
  const made = call();
  if (made !== undefined) spend(sizeOf(made));
  return made;
}
