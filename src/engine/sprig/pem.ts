import { readBase64 } from './encoding.ts';

export interface PemBlock {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const BLOCK =
  /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n((?:[^\n:]*:[^\n]*\n)*)([A-Za-z0-9+/=\s]*?)-----END \1-----[ \t\r]*(?:\n|$)/;

/** The first block of a PEM text; undefined when there is none. Source: go@1.26 encoding/pem. */
export function decodePem(text: string): PemBlock | undefined {
  const match = BLOCK.exec(text);
  if (match === null) return undefined;
  const bytes = readBase64((match[3] as string).replace(/\s/g, ''));
  return typeof bytes === 'string' ? undefined : { type: match[1] as string, bytes };
}
