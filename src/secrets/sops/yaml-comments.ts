/** A comment of a YAML text. */
export interface YamlComment {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Without the `#`. */
  readonly text: string;
  /** Whether something stands before it on its line. */
  readonly inline: boolean;
}

const BLOCK_HEADER = /(?:^|[:\-?]\s+|\s)(?:[!&]\S+\s+)*[|>][-+0-9]*\s*(?:#.*)?$/;

/** Finds the comments of a YAML text: `#` in block scalars and quoted text is none. */
export function yamlComments(text: string): readonly YamlComment[] {
  const found: YamlComment[] = [];
  let quote = '';
  let blockIndent = -1;
  for (const [index, line] of text.split('\n').entries()) {
    const indent = line.length - line.trimStart().length;
    if (blockIndent >= 0) {
      if (line.trim() === '' || indent > blockIndent) continue;
      blockIndent = -1;
    }
    const startedQuoted = quote !== '';
    let comment = -1;
    for (let at = 0; at < line.length; at++) {
      const char = line[at] as string;
      if (quote !== '') {
        if (quote === '"' && char === '\\') at++;
        else if (char === quote) {
          if (quote === "'" && line[at + 1] === "'") at++;
          else quote = '';
        }
      } else if ((char === '"' || char === "'") && /(?:^|[\s[{,:(]|- )$/.test(line.slice(0, at))) quote = char;
      else if (char === '#' && (at === 0 || /\s/.test(line[at - 1] as string))) {
        comment = at;
        break;
      }
    }
    if (comment >= 0) {
      const before = line.slice(0, comment).trim();
      found.push({ line: index + 1, column: comment, text: line.slice(comment + 1).trimEnd(), inline: before !== '' });
    }
    if (quote === '' && !startedQuoted && BLOCK_HEADER.test(line) && !/^\s*#/.test(line)) {
      blockIndent = blockParent(line);
    }
  }
  return found;
}

/** Indentation of what holds the block scalar that begins on `line`: its content is indented further. */
function blockParent(line: string): number {
  const match = /^(\s*(?:- +)*)/.exec(line) as RegExpExecArray;
  const dashes = (match[1] as string).trimEnd();
  // `- |` belongs to the sequence, `- key: |` to the mapping that begins behind the dash.
  return /^\s*(?:- +)+[|>]/.test(line) ? dashes.length - 1 : (match[1] as string).length;
}
