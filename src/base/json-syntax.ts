/** Why a text is not JSON, in the words of Go's encoding/json scanner. */
export function jsonSyntaxError(text: string): string {
  let index = 0;
  /** @param inToken at the end of the text Go looks at a space more, which no number, word or escape goes on with */
  const problem = (context: string, inToken = false): string => {
    if (index >= text.length && !inToken) return 'unexpected end of JSON input';
    const character = shownCharacter(text.codePointAt(index) ?? 0x20);
    const quoted =
      character === "'" ? "'\\''" : character === '"' ? "'\"'" : `'${JSON.stringify(character).slice(1, -1)}'`;
    return `invalid character ${quoted} ${context}`;
  };
  const skip = (): void => {
    while (index < text.length && ' \t\r\n'.includes(text[index] as string)) index++;
  };
  const string = (): string | undefined => {
    index++;
    for (;;) {
      if (index >= text.length) return problem('');
      const character = text[index] as string;
      if (character === '"') {
        index++;
        return undefined;
      }
      if (character === '\\') {
        index++;
        if (index >= text.length) return problem('in string escape code', true);
        if (text[index] === 'u') {
          for (let digit = 0; digit < 4; digit++) {
            index++;
            if (!/[0-9a-fA-F]/.test(text[index] ?? '')) return problem('in \\u hexadecimal character escape', true);
          }
        } else if (!'"\\/bfnrt'.includes(text[index] as string)) return problem('in string escape code');
      } else if (character.charCodeAt(0) < 0x20) return problem('in string literal');
      index++;
    }
  };
  const word = (literal: string): string | undefined => {
    for (let at = 0; at < literal.length; at++, index++)
      if (text[index] !== literal[at]) {
        return at === 0
          ? problem('looking for beginning of value')
          : problem(`in literal ${literal} (expecting '${literal[at]}')`, true);
      }
    return undefined;
  };
  const number = (): string | undefined => {
    if (text[index] === '-') index++;
    if (!/\d/.test(text[index] ?? '')) return problem('in numeric literal', true);
    if (text[index] === '0') index++;
    else while (/\d/.test(text[index] ?? '')) index++;
    if (text[index] === '.') {
      index++;
      if (!/\d/.test(text[index] ?? '')) return problem('after decimal point in numeric literal', true);
      while (/\d/.test(text[index] ?? '')) index++;
    }
    if (/[eE]/.test(text[index] ?? '')) {
      index++;
      if (/[-+]/.test(text[index] ?? '')) index++;
      if (!/\d/.test(text[index] ?? '')) return problem('in exponent of numeric literal', true);
      while (/\d/.test(text[index] ?? '')) index++;
    }
    return undefined;
  };
  const scalar = (): string | undefined => {
    const character = text[index];
    if (character === '"') return string();
    if (character === 't') return word('true');
    if (character === 'f') return word('false');
    if (character === 'n') return word('null');
    if (character !== undefined && /[-\d]/.test(character)) return number();
    return problem('looking for beginning of value');
  };
  const open: ('{' | '[')[] = [];
  let expectValue = true;
  for (;;) {
    skip();
    if (expectValue) {
      const character = text[index];
      if (character === '{' || character === '[') {
        open.push(character);
        index++;
        skip();
        if (text[index] === (character === '{' ? '}' : ']')) {
          index++;
          open.pop();
        } else if (character === '[') continue;
        else {
          const bad = key('looking for beginning of object key string');
          if (bad !== undefined) return bad;
          continue;
        }
      } else {
        const bad = scalar();
        if (bad !== undefined) return bad;
      }
      expectValue = false;
    }
    skip();
    const top = open.at(-1);
    if (top === undefined)
      return index < text.length ? problem('after top-level value') : 'unexpected end of JSON input';
    const character = text[index];
    if (character === ',') {
      index++;
      if (top === '{') {
        skip();
        const bad = key('looking for beginning of object key string');
        if (bad !== undefined) return bad;
      }
      expectValue = true;
    } else if (character === (top === '{' ? '}' : ']')) {
      index++;
      open.pop();
    } else return problem(top === '{' ? 'after object key:value pair' : 'after array element');
  }

  function key(context: string): string | undefined {
    if (text[index] !== '"') return problem(context);
    const bad = string();
    if (bad !== undefined) return bad;
    skip();
    if (text[index] !== ':') return problem('after object key');
    index++;
    return undefined;
  }
}

/** Go names a byte, and takes the first one of a longer character for a character. */
function shownCharacter(code: number): string {
  if (code < 0x80) return String.fromCharCode(code);
  if (code < 0x800) return String.fromCharCode(0xc0 | (code >> 6));
  return String.fromCharCode(code < 0x1_0000 ? 0xe0 | (code >> 12) : 0xf0 | (code >> 18));
}
