/** Reading and writing of ASN.1's distinguished encoding rules. Source: X.690. */

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const UTF8_STRING = 0x0c;
export const PRINTABLE_STRING = 0x13;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
export const TRUE: Uint8Array = Uint8Array.of(0x01, 0x01, 0xff);

/** Tag, length, value. Source: X.690 section 8.1. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [tag];
  if (length < 0x80) head.push(length);
  else if (length < 0x100) head.push(0x81, length);
  else if (length < 0x1_0000) head.push(0x82, length >> 8, length & 0xff);
  else head.push(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
  const out = new Uint8Array(head.length + length);
  out.set(head);
  let at = head.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tlv(OBJECT_IDENTIFIER, Uint8Array.from(bytes));
}

/** Named bits, without zeros at the end; the first byte counts the bits of the last one that are not used. Source: X.690 section 11.2. */
export function bitString(bits: readonly number[]): Uint8Array {
  const last = Math.max(...bits);
  const bytes = new Uint8Array(Math.floor(last / 8) + 2);
  bytes[0] = 7 - (last % 8);
  for (const bit of bits) {
    const at = 1 + Math.floor(bit / 8);
    bytes[at] = (bytes[at] as number) | (0x80 >> (bit % 8));
  }
  return tlv(BIT_STRING, bytes);
}

/** A non-negative integer, from its bytes in network order. */
export function unsigned(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from++;
  const digits = bytes.subarray(from);
  // The first bit is the sign.
  return (digits[0] ?? 0) >= 0x80 ? tlv(INTEGER, Uint8Array.of(0), digits) : tlv(INTEGER, digits);
}

/**
 * A time of a certificate, from `2026-01-02T03:04:05.678Z`. Years from 2050 on have another form. Source: RFC 5280 section 4.1.2.5.
 */
export function certificateTime(iso: string): Uint8Array {
  const digits = iso.replace(/[-:T]|\.\d{3}/g, '');
  const isShort = Number(digits.slice(0, 4)) < 2050;
  const text = isShort ? digits.slice(2) : digits;
  return tlv(
    isShort ? UTC_TIME : GENERALIZED_TIME,
    Uint8Array.from(text, (character) => character.charCodeAt(0)),
  );
}

export interface DerElement {
  readonly tag: number;
  /** With tag and length. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/** Bytes that are no DER; the message is encoding/asn1's. */
export class MalformedDer extends Error {}

/** The elements that follow each other in `bytes`. @throws MalformedDer. Source: X.690 section 8.1. */
export function derElements(bytes: Uint8Array): DerElement[] {
  const out: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number;
    let head = at + 2;
    let length = bytes[at + 1] ?? 0x80;
    if (length === 0x80) throw new MalformedDer('data truncated');
    if (length > 0x80) {
      const digits = length & 0x7f;
      if (digits > 3) throw new MalformedDer('data truncated');
      length = 0;
      for (let index = 0; index < digits; index++) length = length * 256 + (bytes[head + index] ?? 0);
      head += digits;
    }
    const end = head + length;
    if (end > bytes.length) throw new MalformedDer('data truncated');
    out.push({ tag, whole: bytes.subarray(at, end), content: bytes.subarray(head, end) });
    at = end;
  }
  return out;
}

/** The one element of `bytes`. @throws MalformedDer when there is none or another */
export function onlyElement(bytes: Uint8Array): DerElement {
  const [first, second] = derElements(bytes);
  if (first === undefined) throw new MalformedDer('data truncated');
  if (second !== undefined) throw new MalformedDer('trailing data');
  return first;
}
