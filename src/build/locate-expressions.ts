import { type FileTree, utf8Text } from '../base/files.ts';

/** Where an expression stands in the files of a build; lines count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  /** `${name`, or all of an expression that is none. */
  readonly expression: string;
}

/** Places told of one failure; a person mends these and asks again. */
const MAX_PLACES = 20;
/** Files looked through for one failure, and bytes of one: larger ones hold no manifest. */
const MAX_FILES = 2000;
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * Finds expressions in the files that a build read. Where several files hold one, those that name the object are meant; its name
 * may have been changed on the way, so that without such a file all of them are told.
 */
export function locateExpressions(
  files: FileTree,
  read: readonly string[],
  objectName: string,
  expressions: readonly string[],
): readonly Place[] {
  const texts = read.slice(0, MAX_FILES).flatMap((file) => {
    const bytes = files.read(file);
    const text = bytes === undefined || bytes.length > MAX_FILE_BYTES ? undefined : utf8Text(bytes);
    return text === undefined ? [] : [{ file, text }];
  });
  const places: Place[] = [];
  for (const written of expressions) {
    // Quotes and escapes of a file are not those of the text that was built of it: the name is.
    const known = texts.some(({ text }) => text.includes(written));
    const expression = known ? written : (/^\$\{#?[\p{L}\p{Nd}_]+/u.exec(written)?.[0] ?? written);
    const holding = texts.filter(({ text }) => text.includes(expression));
    const naming = holding.filter(({ text }) => names(text, objectName));
    for (const { file, text } of naming.length > 0 ? naming : holding) {
      for (const [index, line] of text.split('\n').entries()) {
        if (places.length >= MAX_PLACES) return places;
        if (holds(line, expression)) places.push({ file, line: index + 1, expression });
      }
    }
  }
  return places;
}

/** Whether a text has the name, not as a part of another one. */
function names(text: string, name: string): boolean {
  if (name === '') return false;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (
      !/[\w.-]$/.test(text.slice(Math.max(0, at - 1), at)) &&
      !/^[\w.-]/.test(text.slice(at + name.length, at + name.length + 1))
    )
      return true;
  }
  return false;
}

/** Whether the line has the expression itself: not escaped, and not another one whose name only begins alike. */
function holds(line: string, expression: string): boolean {
  const open = /[\p{L}\p{Nd}_]$/u.test(expression);
  for (let at = line.indexOf(expression); at >= 0; at = line.indexOf(expression, at + 1)) {
    const dollars = /\$*$/.exec(line.slice(0, at))?.[0].length ?? 0;
    if (dollars % 2 === 0 && !(open && /^[\p{L}\p{Nd}_]/u.test(line.slice(at + expression.length)))) return true;
  }
  return false;
}

/** `file:line: ${name}` of each place. */
export function printPlaces(places: readonly Place[]): string {
  return places
    .map(({ file, line, expression }) => `${file}:${line}: ${expression}${NAME_ONLY.test(expression) ? '}' : ''}`)
    .join('\n');
}

const NAME_ONLY = /^\$\{#?[\p{L}\p{Nd}_]+$/u;
