import { describe, expect, test } from 'vitest';
import { formatFloat } from './float.ts';
import { NumberError, parseCharacter, parseComplex, parseFloat64, parseNumber } from './number.ts';

describe('formatFloat', () => {
  // Results of strconv.FormatFloat, go1.26.8.
  test.each([
    [0, 'g', -1, '0'],
    [-0, 'g', -1, '-0'],
    [1e6, 'g', -1, '1e+06'],
    [123456, 'g', -1, '123456'],
    [1e-4, 'g', -1, '0.0001'],
    [1e-5, 'g', -1, '1e-05'],
    [1e21, 'g', 3, '1e+21'],
    [100, 'g', 2, '1e+02'],
    [2.5, 'f', 0, '2'],
    [3.5, 'f', 0, '4'],
    [0.5, 'f', 0, '0'],
    [1.005, 'f', 2, '1.00'],
    [9.995, 'e', 1, '1.0e+01'],
    [0.1, 'f', 25, '0.1000000000000000055511151'],
    [1e22, 'f', -1, '10000000000000000000000'],
    [5e-324, 'e', -1, '5e-324'],
    [1, 'b', -1, '4503599627370496p-52'],
    [1.5, 'x', -1, '0x1.8p+00'],
    [1.9999, 'X', 1, '0X1.0P+01'],
    [Number.NaN, 'g', -1, 'NaN'],
    [Number.POSITIVE_INFINITY, 'f', 2, '+Inf'],
  ] as const)('writes %d as %s with precision %d: %s', (value, verb, precision, text) => {
    expect(formatFloat(value, verb, precision)).toBe(text);
  });

  test('writes a float32 with its own shortest digits, a tie to even', () => {
    expect(formatFloat(Math.fround(0.1), 'g', -1, 32)).toBe('0.1');
    expect(formatFloat(314911.625, 'f', -1, 32)).toBe('314911.62');
  });
});

describe('parseNumber', () => {
  test.each([
    ['017', 15n],
    ['0b11', 3n],
    ['0o17', 15n],
    ['0x_1F', 31n],
    ['1_000', 1000n],
    ['-0', 0n],
    ['1e3', 1000n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
  ])('reads %s', (text, int) => {
    expect(parseNumber(text).int).toBe(int);
  });

  test.each([
    ['08', 'integer overflow: "08"'],
    ['1__0', 'illegal number syntax: "1__0"'],
    ['0x', 'illegal number syntax: "0x"'],
    ['99999999999999999999', 'integer overflow: "99999999999999999999"'],
    ['1e400', 'illegal number syntax: "1e400"'],
    ['0x1.8', 'illegal number syntax: "0x1.8"'],
  ])('refuses %s', (text, message) => {
    expect(() => parseNumber(text)).toThrow(new NumberError(message));
  });

  test('knows what a constant can be', () => {
    expect(parseNumber('1.5')).toEqual({ int: undefined, uint: undefined, float: 1.5, complex: undefined });
    expect(parseNumber('9223372036854775808')).toMatchObject({ int: undefined, uint: 9223372036854775808n });
    expect(parseNumber('0x1p-1074').float).toBe(5e-324);
    expect(parseComplex('1e2-2.5i').complex).toEqual({ real: 100, imaginary: -2.5 });
    expect(parseCharacter(String.raw`'\x41'`).int).toBe(65n);
    expect(() => parseCharacter("'ab'")).toThrow("malformed character constant: 'ab'");
    expect(parseFloat64('1_0.5')).toBe(10.5);
    expect(parseFloat64('Inf')).toBe('invalid syntax');
  });
});
