const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let index = 0; index < bytes.length; index += 3) {
    const a = bytes[index] as number;
    const b = bytes[index + 1];
    const c = bytes[index + 2];
    const word = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    parts.push(
      ALPHABET.charAt(word >> 18) +
        ALPHABET.charAt((word >> 12) & 63) +
        (b === undefined ? '=' : ALPHABET.charAt((word >> 6) & 63)) +
        (c === undefined ? '=' : ALPHABET.charAt(word & 63)),
    );
  }
  return parts.join('');
}

/** Bytes of base64 text; undefined when it is none. Padding may be missing. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const body = text.replace(/=+$/, '');
  const out: number[] = [];
  let word = 0;
  let bits = 0;
  for (const char of body) {
    const digit = ALPHABET.indexOf(char);
    if (digit < 0) return undefined;
    word = ((word << 6) | digit) & 0xff_ffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push((word >> bits) & 255);
    }
  }
  return Uint8Array.from(out);
}

/** The UTF-8 bytes of text. */
export function utf8Encode(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x1_0000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(out);
}

const WELL_FORMED = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Offset at which Go's reader gives up on padded standard base64; undefined for good text. Line breaks are skipped. (go@1.25 encoding/base64 decodeQuantum) */
export function corruptBase64(text: string): number | undefined {
  if (WELL_FORMED.test(text)) return undefined;
  let at = 0;
  const skipBreaks = (): void => {
    while (text[at] === '\n' || text[at] === '\r') at++;
  };
  for (;;) {
    let digits = 0;
    while (digits < 4) {
      skipBreaks();
      if (at === text.length) return digits === 0 ? undefined : at - digits;
      const char = text.charAt(at++);
      if (ALPHABET.includes(char)) {
        digits++;
        continue;
      }
      if (char !== '=' || digits < 2) return at - 1;
      if (digits === 2) {
        skipBreaks();
        if (at === text.length) return text.length;
        if (text.charAt(at) !== '=') return at - 1;
        at++;
      }
      skipBreaks();
      return at < text.length ? at : undefined;
    }
  }
}

/** Good base64 as Go prints what it read: without line breaks and stray bits. */
export function canonicalBase64(text: string): string {
  return text.endsWith('=') || /[\r\n]/.test(text)
    ? encodeBase64(decodeBase64(text.replaceAll(/[\r\n]/g, '')) ?? new Uint8Array())
    : text;
}
