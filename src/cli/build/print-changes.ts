import { isArray, type Json } from '../../base/json.ts';
import { type Change, type Detail, typeName } from './changes.ts';
import { changedLines } from './line-changes.ts';
import { neatYaml } from './neat-yaml.ts';

/**
 * Changes for people, in dyff's words and layout. `columns` is how wide a line may be before blocks stand below each other
 * instead of side by side. Source: homeport/dyff@1.10 output_human.go.
 */
export function printChanges(changes: readonly Change[], columns: number): string {
  const parts = changes.map(({ path, details }) => {
    const blocks = details.map((detail) => printDetail(detail, columns));
    return `\n${path.length === 0 ? '(root level)' : path.join('.')}\n${textBlocks(blocks, 0, columns)}`;
  });
  return `${parts.join('')}\n`;
}

function printDetail(detail: Detail, columns: number): string {
  switch (detail.kind) {
    case 'added':
      return `+ ${countOf(detail.entries)} added:\n${textBlocks([neatYaml(detail.entries)], 2, columns)}`;
    case 'removed':
      return `- ${countOf(detail.entries)} removed:\n${textBlocks([neatYaml(detail.entries)], 0, columns)}`;
    case 'changed':
      return printChanged(detail.before, detail.after, columns);
    case 'order':
      return printOrder(detail.before, detail.after, columns);
    default:
      return detail satisfies never;
  }
}

const NUMBERS = [
  'no',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
];

function counted(count: number, one: string, many: string): string {
  return `${NUMBERS[count] ?? count} ${count === 1 ? one : many}`;
}

function countOf(entries: Json): string {
  return isArray(entries)
    ? counted(entries.length, 'list entry', 'list entries')
    : counted(Object.keys(entries as object).length, 'map entry', 'map entries');
}

function printChanged(before: Json, after: Json, columns: number): string {
  if (typeof before === 'string' && typeof after === 'string') return printTexts(before, after, columns);
  const [old, now] = [typeName(before), typeName(after)];
  const what = old === now ? 'value change' : `type change from ${old} to ${now}`;
  return `± ${what}\n${prefixed('- ', valueText(before))}${prefixed('+ ', valueText(after))}`;
}

function valueText(value: Json): string {
  return value === null ? '<nil>' : neatYaml(value).replace(/\n+$/, '');
}

function printTexts(before: string, after: string, columns: number): string {
  const sides = (old: string, now: string): readonly [string, string] => [prefixed('- ', old), prefixed('+ ', now)];
  if (before.replace(/^[ \n]+|[ \n]+$/g, '') === after.replace(/^[ \n]+|[ \n]+$/g, '')) {
    const shown = (text: string): string => text.replaceAll('\n', '↵\n').replaceAll(' ', '·');
    return `± whitespace only change\n${textBlocks(sides(shown(before), shown(after)), 0, columns)}`;
  }
  if (!before.includes('\n') && !after.includes('\n')) return `± value change\n${sides(before, after).join('')}`;
  const runs = changedLines(before, after).filter(({ kind }) => kind !== 'same');
  const count = (wanted: string): number => runs.filter(({ kind }) => kind === wanted).length;
  const counts = `${counted(count('added'), 'insert', 'inserts')}, ${counted(count('removed'), 'deletion', 'deletions')}`;
  const text = runs
    .flatMap(({ kind, lines }) => lines.map((line) => `${kind === 'added' ? '+' : '-'} ${line.replace(/\n$/, '')}\n`))
    .join('');
  return `± value change in multiline text (${counts})\n${text}\n`;
}

function printOrder(before: readonly Json[], after: readonly Json[], columns: number): string {
  const texts = (list: readonly Json[]): readonly string[] =>
    list.map((entry) => (typeof entry === 'object' ? neatYaml(entry) : String(entry)));
  const [old, now] = [texts(before), texts(after)];
  const width = Math.max(old.join(', ').length, now.join(', ').length);
  if (width < Math.floor(columns / 2)) return `⇆ order changed\n- ${old.join(', ')}\n+ ${now.join(', ')}\n`;
  return `⇆ order changed\n${sideBySide([old.join('\n'), now.join('\n')], ' ', 2)}`;
}

/** The text with a sign before its first line, and the others below it. */
function prefixed(sign: string, text: string): string {
  return text
    .split('\n')
    .map((line, index) => `${index === 0 ? sign : ' '.repeat(sign.length)}${line}\n`)
    .join('');
}

const GAP = '   ';

/** Blocks beside each other when they fit, else below each other. */
function textBlocks(blocks: readonly string[], indent: number, columns: number): string {
  const width = blocks.reduce((sum, block) => sum + widthOf(block), indent + (blocks.length - 1) * GAP.length);
  if (width <= columns) return sideBySide(blocks, GAP, indent);
  return blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => `${' '.repeat(indent)}${line}\n`)
    .join('');
}

function sideBySide(blocks: readonly string[], gap: string, indent: number): string {
  const parts = blocks.map((block) => ({ lines: block.split('\n'), width: widthOf(block) }));
  const rows = Math.max(...parts.map(({ lines }) => lines.length));
  return Array.from({ length: rows }, (_, row) =>
    parts
      .map(({ lines, width }) => `${' '.repeat(indent)}${pad(lines[row] ?? '', width)}`)
      .join(gap)
      .replace(/ +$/, ''),
  ).join('\n');
}

function widthOf(block: string): number {
  return Math.max(...block.split('\n').map((line) => Array.from(line).length));
}

function pad(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - Array.from(line).length));
}
