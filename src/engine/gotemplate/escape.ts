import { printable, sprintAll } from './format.ts';
import { canonical, toBytes } from './go-string.ts';
import { isPrint } from './quote.ts';
import type { Value } from './value.ts';

/*
 * html, js and urlquery. (go@1.26 text/template/funcs.go, net/url/url.go)
 */

const HTML: { readonly [character: string]: string } = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

const JS: { readonly [character: string]: string } = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** The arguments as text, as an action would print them. */
function textOfAll(values: readonly Value[]): string {
  const [first] = values;
  if (values.length === 1 && typeof first === 'string') return first;
  return sprintAll(values.map((value) => (value === undefined || value === null ? '<no value>' : printable(value))));
}

export function escapeHtml(values: readonly Value[]): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is one of the characters
  return textOfAll(values).replace(/[\0"'&<>]/g, (character) => HTML[character] as string);
}

export function escapeJs(values: readonly Value[]): string {
  return canonical(textOfAll(values)).replace(/[\\'"<>&=]|[^ -\x7f]/gu, (character) => {
    const known = JS[character];
    if (known !== undefined) return known;
    const code = character.codePointAt(0) as number;
    if (code === 0x7f) return character;
    if (code < 0x80) return `\\u00${hex(code, 2)}`;
    // An invalid byte stays: the rune that it reads as is printable.
    const isByte = code >= 0xdc80 && code <= 0xdcff;
    return isByte || isPrint(code) ? character : `\\u${hex(code, 4)}`;
  });
}

export function escapeQuery(values: readonly Value[]): string {
  let out = '';
  for (const byte of toBytes(textOfAll(values))) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(character)) out += character;
    else out += byte === 0x20 ? '+' : `%${hex(byte, 2)}`;
  }
  return out;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
