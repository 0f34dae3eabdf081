import { canonical } from '../gotemplate/go-string.ts';
import { checkListLength } from './limits.ts';

/** `strings.SplitN`: at most `count` pieces of `text`, all when it is negative; an empty separator parts every character. */
export function stringPieces(text: string, separator: string, count: number): string[] {
  if (count === 0) return [];
  const pieces = separator === '' ? Array.from(canonical(text)) : text.split(separator);
  checkListLength('split', pieces.length);
  if (count < 0 || pieces.length <= count) return pieces;
  return [...pieces.slice(0, count - 1), pieces.slice(count - 1).join(separator)];
}
