import { err, ok, type Result } from '../../base/result.ts';
import {
  type Branch,
  type Item,
  isBranch,
  isComment,
  isList,
  isTimestamp,
  plainDigits,
  type TreeValue,
} from './tree.ts';
import { unflatten } from './unflatten.ts';

const PREFIX = 'sops_';

/** Reads `KEY=value` lines; those of sops become the `sops` mapping. Source: sops@3.13 stores/dotenv/store.go. */
export function readDotenv(text: string): Result<Branch, string> {
  const items: Item[] = [];
  const metadata: [string, string][] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('#')) {
      items.push({ key: { comment: line.slice(1) }, value: null });
      continue;
    }
    const equals = line.indexOf('=');
    if (equals < 0) return err('invalid dotenv input line');
    const key = line.slice(0, equals);
    const value = line.slice(equals + 1);
    if (key.startsWith(PREFIX)) metadata.push([key.slice(PREFIX.length), value]);
    else items.push({ key, value: value.replaceAll('\\n', '\n') });
  }
  if (metadata.length > 0) items.push({ key: 'sops', value: unflatten(metadata) });
  return ok({ items });
}

export function writeDotenv(branch: Branch): Result<string, string> {
  let out = '';
  for (const { key, value } of branch.items) {
    if (typeof key !== 'string') {
      out += `#${key.comment}\n`;
      continue;
    }
    if (isList(value) || isBranch(value)) return err(`cannot use complex value in dotenv file: ${key}`);
    out += `${key}=${valueText(value).replaceAll('\n', '\\n')}\n`;
  }
  return ok(out);
}

/** A value in a format without types. Source: sops@3.13 stores/stores.go ValToString. */
export function valueText(value: TreeValue): string {
  if (typeof value === 'number') return plainDigits(value);
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (typeof value === 'object') {
    if (isComment(value)) return value.comment;
    if (!isList(value) && !isBranch(value) && isTimestamp(value)) return value.time;
    return '';
  }
  return String(value);
}
