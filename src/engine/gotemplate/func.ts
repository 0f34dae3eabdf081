import type { GoType } from './go-type.ts';
import type { Value } from './value.ts';

/** A function that a template can call. */
export class Func {
  /** Types of the fixed parameters. */
  readonly params: readonly GoType[];
  /** Element type of the variadic parameter, when there is one. */
  readonly rest: GoType | undefined;
  /** Gets arguments that fit the parameters; throws GoError to fail. */
  readonly call: (...args: never[]) => Value;

  constructor(params: readonly GoType[], rest: GoType | undefined, call: (...args: never[]) => Value) {
    this.params = params;
    this.rest = rest;
    this.call = call;
  }
}

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
