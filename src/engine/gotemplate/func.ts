import { Func, type GoType, type Value } from './value.ts';

/** Functions by the name that templates use. */
export type FuncMap = ReadonlyMap<string, Func>;

type Arguments<P extends readonly GoType[]> = { [K in keyof P]: P[K] extends GoType<infer T> ? T : never };

/** A function of a fixed number of parameters: `func([STRING, INT], (text, count) => ...)`. */
export function func<const P extends readonly GoType[]>(params: P, call: (...args: Arguments<P>) => Value): Func {
  return new Func(params, undefined, call as (...args: never[]) => Value);
}

/** A variadic function: `variadic([STRING], ANY, (format, ...args) => ...)`. */
export function variadic<const P extends readonly GoType[], R>(
  params: P,
  rest: GoType<R>,
  call: (...args: [...Arguments<P>, ...R[]]) => Value,
): Func {
  return new Func(params, rest, call as unknown as (...args: never[]) => Value);
}
