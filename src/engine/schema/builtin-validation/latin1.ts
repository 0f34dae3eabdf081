const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The bytes of base64 text, one character each. */
export function latin1(base64: string): string {
  let out = '';
  let bits = 0;
  let held = 0;
  for (const digit of base64) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) continue;
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += String.fromCodePoint((held >> bits) & 255);
    }
  }
  return out;
}
