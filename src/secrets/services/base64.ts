import { Buffer } from 'node:buffer';

/** The bytes of text that is base64 from end to end; undefined for other text, which Node would read as far as it can. */
export function bytesOf(text: string, encoding: 'base64' | 'base64url'): Buffer | undefined {
  const alphabet = encoding === 'base64' ? /^[A-Za-z0-9+/]*={0,2}$/ : /^[A-Za-z0-9_-]*$/;
  const plain = text.replaceAll(/[\r\n]/g, '');
  return alphabet.test(plain) ? Buffer.from(plain, encoding) : undefined;
}
