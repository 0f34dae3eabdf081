/** A comment that sops keeps beside the values, encrypted like them. */
export interface Comment {
  readonly comment: string;
}

/** A date as Go prints it (RFC 3339): its own type to sops. */
export interface Timestamp {
  readonly time: string;
}

/** A value without parts. Integers are `bigint`, numbers with a fraction `number`; bytes are text that is not UTF-8. */
export type Leaf = null | boolean | number | bigint | string | Uint8Array | Timestamp;

/** A mapping in its order; a comment stands as a key without a value. */
export interface Branch {
  readonly items: readonly Item[];
}

export interface Item {
  readonly key: string | Comment;
  readonly value: TreeValue;
}

export type TreeValue = Leaf | Comment | Branch | readonly TreeValue[];

export function isComment(value: TreeValue | Comment): value is Comment {
  return typeof value === 'object' && value !== null && 'comment' in value;
}

export function isBranch(value: TreeValue): value is Branch {
  return typeof value === 'object' && value !== null && 'items' in value;
}

export function isList(value: TreeValue): value is readonly TreeValue[] {
  return Array.isArray(value);
}

export function isTimestamp(value: TreeValue): value is Timestamp {
  return typeof value === 'object' && value !== null && 'time' in value;
}

/** What `key` of `branch` holds; undefined when it is not there. */
export function valueOf(branch: Branch, key: string): TreeValue | undefined {
  return branch.items.find((item) => item.key === key)?.value;
}

/** A number as Go's `FormatFloat(value, 'f', -1, 64)` writes it: no exponent. */
export function plainDigits(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([-+]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length
    ? sign + digits + '0'.repeat(point - digits.length)
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
