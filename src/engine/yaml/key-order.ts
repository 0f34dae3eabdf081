import type { Dialect } from './resolve.ts';

const LETTER = /\p{L}/u;
const DIGIT = /\p{Nd}/u;

function isLetter(code: number): boolean {
  if (code < 0x80) return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
  return LETTER.test(String.fromCodePoint(code));
}

function isDigit(code: number): boolean {
  if (code < 0x80) return code >= 0x30 && code <= 0x39;
  return DIGIT.test(String.fromCodePoint(code));
}

/**
 * Orders keys as Go's YAML libraries do (v2 sorter.go): digits by their number, letters after everything else; in v3
 * letters behind a digit before it.
 */
export function compareKeys(a: string, b: string, dialect: Dialect = 'v2'): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  let at = 0;
  while (at < shared && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === shared) return a.length - b.length;
  const x = a.codePointAt(at) as number;
  const y = b.codePointAt(at) as number;
  const xLetter = isLetter(x);
  const yLetter = isLetter(y);
  if (xLetter && yLetter) return x - y;
  if (xLetter || yLetter) {
    const behindDigit = dialect === 'v3' && at > 0 && isDigit(a.charCodeAt(at - 1));
    return yLetter === behindDigit ? 1 : -1;
  }
  let xNumber = 0;
  let yNumber = 0;
  if (x === 0x30 || y === 0x30) {
    for (let back = at - 1; back >= 0 && isDigit(a.charCodeAt(back)); back--) {
      if (a.charCodeAt(back) !== 0x30) {
        xNumber = 1;
        yNumber = 1;
        break;
      }
    }
  }
  let xEnd = at;
  for (; xEnd < a.length && isDigit(a.charCodeAt(xEnd)); xEnd++) xNumber = xNumber * 10 + (a.charCodeAt(xEnd) - 0x30);
  let yEnd = at;
  for (; yEnd < b.length && isDigit(b.charCodeAt(yEnd)); yEnd++) yNumber = yNumber * 10 + (b.charCodeAt(yEnd) - 0x30);
  if (xNumber !== yNumber) return xNumber - yNumber;
  if (xEnd !== yEnd) return xEnd - yEnd;
  return x - y;
}
