/** What a character may be, as bits. */
export const BLANK = 1;
export const BREAK = 2;
export const END = 4;
export const FLOW_INDICATOR = 8;
export const ALPHA = 16;
export const HEX = 32;
export const URI = 64;
export const NOT_PLAIN_START = 128;

const CLASS = new Uint8Array(256);
function classify(text: string, bit: number): void {
  for (const char of text) CLASS[char.charCodeAt(0)] = (CLASS[char.charCodeAt(0)] as number) | bit;
}
classify(' \t', BLANK);
classify('\r\n\u0085', BREAK);
classify(',?[]{}', FLOW_INDICATOR);
classify('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-', ALPHA);
classify('0123456789ABCDEFabcdef', HEX);
classify(";/?:@&=+$,.!~*'()[]%", URI);
classify('-?:,[]{}#&*!|>\'"%@`', NOT_PLAIN_START);

/** Code for the end of the text: NaN from charCodeAt is awkward to compare, so the text ends with NUL as Go's buffer does. */
export function classOf(code: number): number {
  if (code < 256) return code === 0 ? END : (CLASS[code] as number);
  return code === 0x2028 || code === 0x2029 ? BREAK : 0;
}
