import { equal, isArray, type Json } from '../../base/json.ts';
import type { Application } from './application.ts';
import { grouped } from './issue.ts';

/** Items compared pairwise for `uniqueItems`. */
const MAX_UNIQUE_ITEMS = 2000;

/** What a schema objects to in a list. */
export function checkArray(check: Application, value: readonly Json[]): void {
  check.bound('minItems', value.length, (got, want) => got < want);
  check.bound('maxItems', value.length, (got, want) => got > want);
  if (check.get('uniqueItems') === true) {
    if (value.length > MAX_UNIQUE_ITEMS) check.validator.giveUp(`uniqueItems: more than ${MAX_UNIQUE_ITEMS} items`);
    const twice = duplicates(value);
    if (twice !== undefined) check.add(`items at ${grouped(twice[0])} and ${grouped(twice[1])} are equal`);
  }
  items(check, value);
  if (check.validator.draft >= 6) contains(check, value);
}

function items(check: Application, value: readonly Json[]): void {
  const modern = check.validator.draft >= 2020;
  const items = check.get('items');
  const first = modern ? check.list('prefixItems') : isArray(items) ? items : [];
  const rest = modern ? items : isArray(items) ? check.get('additionalItems') : items;
  const checked = Math.min(first.length, value.length);
  for (let index = 0; index < checked; index++) {
    check.addIssue(check.inner(first[index] as Json, value[index] as Json, index));
  }
  for (let index = 0; index < checked; index++) check.unseen?.items.delete(index);
  if (rest === undefined) return;
  check.unseen?.items.clear();
  if (rest === false && !modern && isArray(items)) {
    if (checked < value.length) check.add(`last ${grouped(value.length - checked)} additionalItem(s) not allowed`);
    return;
  }
  for (let index = checked; index < value.length; index++)
    check.addIssue(check.inner(rest, value[index] as Json, index));
}

function contains(check: Application, value: readonly Json[]): void {
  const wanted = check.get('contains');
  if (wanted === undefined) return;
  const modern = check.validator.draft >= 2019;
  const found = value.map((item, index) => check.inner(wanted, item, index));
  const matched = [...found.keys()].filter((index) => found[index] === undefined);
  if (check.validator.draft >= 2020) for (const index of matched) check.unseen?.items.delete(index);
  const misses = found.flatMap((one) => one ?? []);
  const least = modern ? check.amount('minContains') : undefined;
  const most = modern ? check.amount('maxContains') : undefined;
  const got = `matched ${grouped(matched.length)} items at ${matched.join(' ')}`;
  if (least !== undefined) {
    if (matched.length < Number(least)) {
      const want = `min ${grouped(least)} items required to match contains schema, but`;
      check.add(matched.length === 0 ? `${want} none matched` : `${want} ${got}`, misses);
    }
  } else if (matched.length === 0) check.add('no items match contains schema', misses);
  if (most !== undefined && matched.length > Number(most)) {
    check.add(`max ${grouped(most)} items required to match contains schema, but ${got}`);
  }
}

function duplicates(items: readonly Json[]): readonly [number, number] | undefined {
  for (let first = 0; first < items.length; first++) {
    for (let second = first + 1; second < items.length; second++) {
      if (equal(items[first], items[second])) return [first, second];
    }
  }
  return undefined;
}
