import { CelFailure, compare } from './operators.ts';
import { type CelValue, Optional } from './values.ts';

/** Adds to the cost of the evaluation; throws when the budget is used up. */
export type Charge = (amount: number) => void;

/** Undefined: no such overload. */
export type Fn = (args: readonly CelValue[], charge: Charge) => CelValue | undefined;
export type Method = (self: CelValue, args: readonly CelValue[], charge: Charge) => CelValue | undefined;

export const fail = (message: string): never => {
  throw new CelFailure(message);
};
export const textCost = (text: string): number => text.length * 0.1;
export const isText = (value: CelValue | undefined): value is string => typeof value === 'string';

/** The least or greatest of numbers or of anything ordered. */
export function extreme(values: readonly CelValue[], sign: 1 | -1): CelValue {
  let best = values[0];
  if (best === undefined) return fail(`${sign < 0 ? 'min' : 'max'} called on empty list`);
  for (const value of values.slice(1)) {
    const order = compare(value, best);
    if (order === undefined) return fail('no such overload');
    if (order * sign > 0) best = value;
  }
  return best;
}

/** What is there of optional values. */
export function unwrap(list: readonly CelValue[]): CelValue {
  return list.flatMap((item) => (item instanceof Optional && item.value !== undefined ? [item.value] : []));
}
