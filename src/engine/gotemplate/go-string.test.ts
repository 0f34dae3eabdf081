import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  byteLength,
  canonical,
  compareStrings,
  equalStrings,
  firstRunes,
  fromBytes,
  runeCount,
  runes,
  sliceBytes,
  sortedKeys,
  toBytes,
} from './go-string.ts';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

describe('a Go string', () => {
  test('holds any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (given) => {
        const text = fromBytes(given);
        expect(toBytes(text)).toEqual(given);
        expect(byteLength(text)).toBe(given.length);
      }),
    );
  });

  test('is the text itself where the bytes are UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(fromBytes(toBytes(text))).toBe(text);
        expect([...toBytes(text)]).toEqual([...Buffer.from(text, 'utf8')]);
      }),
    );
  });

  test.each([
    ['a lead byte alone', bytes(0xc3), 1],
    ['a continuation alone', bytes(0x80), 1],
    ['an overlong slash', bytes(0xc0, 0xaf), 2],
    ['an encoded surrogate', bytes(0xed, 0xa0, 0x80), 3],
    ['more than U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80), 4],
    ['a cut sequence before text', bytes(0xe4, 0xb8, 0x61), 3],
  ])('reads %s as a rune for each byte', (_what, given, count) => {
    expect(runeCount(fromBytes(given))).toBe(count);
    expect(runes(fromBytes(given)).filter((rune) => rune === 0xfffd).length).toBe(
      count - (given.includes(0x61) ? 1 : 0),
    );
  });

  test('can be cut inside a character and joined again', () => {
    const head = sliceBytes('héllo', 0, 2);
    const tail = sliceBytes('héllo', 2);
    expect(byteLength(head)).toBe(2);
    expect(equalStrings(head + tail, 'héllo')).toBe(true);
    expect(canonical(head + tail)).toBe('héllo');
    expect(equalStrings(head, 'h')).toBe(false);
  });

  test.each([
    ['a', 'b', -1],
    ['b', 'a', 1],
    ['a', 'a', 0],
    ['a', 'ab', -1],
    ['\uffee', '😀', -1],
    ['\ue000', fromBytes(bytes(0xff)), -1],
  ])('%j compares to %j by bytes', (a, b, sign) => {
    expect(Math.sign(compareStrings(a, b))).toBe(sign);
  });

  test('counts runes for a cut, and sorts keys by bytes', () => {
    expect(firstRunes('é😀x', 2)).toBe('é😀');
    expect(sortedKeys(new Map(['😀', '\uffee', 'a', '__proto__'].map((key) => [key, 1])))).toEqual([
      '__proto__',
      'a',
      '\uffee',
      '😀',
    ]);
  });
});
