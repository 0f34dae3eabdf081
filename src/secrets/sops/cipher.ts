import { Buffer } from 'node:buffer';
import { createDecipheriv } from 'node:crypto';
import { utf8Text } from '../../base/files.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Comment, Leaf } from './tree.ts';

const ENCRYPTED = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]/;
/** A value that sops has encrypted, whole. */
const WHOLE = /^ENC\[AES256_GCM,data:[^,]*,iv:[^,]+,tag:[^,]+,type:[a-z0-9]+\]$/;
const TAG_BYTES = 16;

/** Whether `text` is a value that sops has encrypted. */
export function isCipherText(text: string): boolean {
  return text.startsWith('ENC[') && WHOLE.test(text.trim());
}

/**
 * The value behind `ENC[AES256_GCM,…]`. `additional` is what the value is bound to: its path.
 * Errors are sops's, without the value itself. Source: sops@3.13 aes/cipher.go, kustomize-controller@1.9 safeDecrypt.
 */
export function decryptValue(text: string, key: Uint8Array, additional: string): Result<Leaf | Comment, string> {
  if (text === '') return ok('');
  const match = ENCRYPTED.exec(text);
  if (match === null) return err("Input string <redacted> does not match sops' data format");
  const parts: Buffer[] = [];
  for (const [index, name] of (['data', 'iv', 'tag'] as const).entries()) {
    const encoded = match[index + 1] as string;
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.toString('base64') !== encoded) return err(`Error base64-decoding ${name}: illegal base64 data`);
    parts.push(bytes);
  }
  const [data, iv, tag] = parts as [Buffer, Buffer, Buffer];
  if (key.length !== 32) return err(`crypto/aes: invalid key size ${key.length}`);
  const refused = err('Could not decrypt with AES_GCM: cipher: message authentication failed');
  if (tag.length !== TAG_BYTES) return refused;
  let plain: Buffer;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(additional, 'utf8'));
    decipher.setAuthTag(tag);
    plain = Buffer.concat([decipher.update(data), decipher.final()]);
  } catch {
    return refused;
  }
  return typed(plain, match[4] as string);
}

function typed(plain: Buffer, type: string): Result<Leaf | Comment, string> {
  const text = utf8Text(plain);
  switch (type) {
    case 'str':
    case 'bytes':
      return ok(text ?? plain);
    case 'comment':
      return ok({ comment: text ?? plain.toString('latin1') });
    case 'int':
    case 'int64':
      return text !== undefined && /^[-+]?\d+$/.test(text) ? ok(BigInt(text)) : err('the value is not an integer');
    case 'float': {
      const value = Number(text);
      return text !== undefined && text !== '' && !Number.isNaN(value) ? ok(value) : err('the value is not a number');
    }
    case 'bool':
      if (text !== undefined && /^(1|t|T|true|TRUE|True)$/.test(text)) return ok(true);
      if (text !== undefined && /^(0|f|F|false|FALSE|False)$/.test(text)) return ok(false);
      return err('the value is not a boolean');
    case 'time':
      return ok({ time: text ?? '' });
    default:
      return err(`Unknown datatype: ${type}`);
  }
}
