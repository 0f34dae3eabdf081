import { err, ok, type Result } from '../../base/result.ts';
import { valueText } from './format-dotenv.ts';
import { type Branch, type Item, isBranch } from './tree.ts';
import { unflatten } from './unflatten.ts';

/** A section before its keys are all read. */
interface Section {
  readonly name: string;
  readonly items: Item[];
}

const DEFAULT = 'DEFAULT';

/** Reads sections of `key = value` lines as go-ini does; comments follow the key they were written above. Source: sops@3.13 stores/ini/store.go. */
export function readIni(text: string): Result<Branch, string> {
  const sections: Section[] = [{ name: DEFAULT, items: [] }];
  let comment = '';
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] as string).trim();
    if (line === '') continue;
    if (/^[#;]/.test(line)) {
      comment = comment === '' ? line : `${comment}\n${line}`;
      continue;
    }
    const head = /^\[(.*)\]/.exec(line);
    if (head !== null) {
      const name = (head[1] as string).trim();
      const items: Item[] = [];
      if (comment !== '') items.push({ key: { comment: strip(comment) }, value: null });
      comment = '';
      const known = sections.find((section) => section.name === name);
      if (known === undefined) sections.push({ name, items });
      else {
        known.items.push(...items);
        sections.splice(sections.indexOf(known), 1);
        sections.push(known);
      }
      continue;
    }
    const pair = /^(?:"([^"]*)"|`([^`]*)`|([^=:]*?))\s*[=:]\s*(.*)$/.exec(line);
    if (pair === null) return err(`key-value delimiter not found on line ${index + 1}`);
    const key = pair[1] ?? pair[2] ?? pair[3] ?? '';
    let value = pair[4] as string;
    if (value.startsWith('"""')) {
      value = value.slice(3);
      while (!value.includes('"""') && index + 1 < lines.length) value += `\n${lines[++index] as string}`;
      value = value.slice(0, value.indexOf('"""') < 0 ? value.length : value.indexOf('"""'));
    } else if (/^`[^`]*`$/.test(value) || (/^(["']).*\1$/.test(value) && value.length > 1)) value = value.slice(1, -1);
    else value = value.replace(/\s[#;].*$/, '').trim();
    const items = (sections.at(-1) as Section).items;
    items.push({ key, value });
    if (comment !== '') items.push({ key: { comment: strip(comment) }, value: null });
    comment = '';
  }
  return ok({
    items: sections.map(
      ({ name, items }): Item => ({ key: name, value: name === 'sops' ? metadata(items) : { items } }),
    ),
  });
}

function strip(comment: string): string {
  return comment.replace(/^([;#])[; #]*/, '');
}

function metadata(items: readonly Item[]): Branch {
  return unflatten(
    items.flatMap(({ key, value }): [string, string][] =>
      typeof key === 'string' && typeof value === 'string' ? [[key, value]] : [],
    ),
  );
}

/** Prints sections as go-ini does: equal signs of a section in one column, an empty line between them. */
export function writeIni(branch: Branch): Result<string, string> {
  const out: string[] = [];
  for (const { key: name, value } of branch.items) {
    if (typeof name !== 'string') continue;
    if (!isBranch(value)) return err('Error encoding section: Section values should always be TreeBranches');
    const lines = section(value);
    if (name === DEFAULT && lines === '') continue;
    const [first] = value.items;
    const head = first !== undefined && typeof first.key !== 'string' ? commentLine(first.key.comment) : '';
    out.push(`${head}${name === DEFAULT ? '' : `[${name}]\n`}${lines}`);
  }
  return ok(out.join('\n'));
}

function section({ items }: Branch): string {
  // A section's own comment comes first; every other one belongs to the key before it.
  const start = typeof items[0]?.key === 'string' ? 0 : 1;
  const keys: { readonly name: string; readonly value: string; comment: string }[] = [];
  for (const { key, value } of items.slice(start)) {
    const last = keys.at(-1);
    if (typeof key === 'string') keys.push({ name: quotedKey(key), value: quoted(valueText(value)), comment: '' });
    else if (last !== undefined) last.comment = key.comment;
  }
  const width = Math.max(0, ...keys.map(({ name }) => name.length));
  return keys.map(({ name, value, comment }) => `${commentLine(comment)}${name.padEnd(width)} = ${value}\n`).join('');
}

function commentLine(comment: string): string {
  if (comment === '') return '';
  return /^[#;]/.test(comment) ? `${comment}\n` : `; ${comment}\n`;
}

function quotedKey(name: string): string {
  if (name.includes('`')) return `"""${name}"""`;
  return /["=:]/.test(name) ? `\`${name}\`` : name;
}

function quoted(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`;
  if (/[#;]/.test(value)) return `\`${value}\``;
  return value.trim() === value ? value : `"${value}"`;
}
