import { describe, expect, it } from 'vitest';
import { canonicalQuantity, nanoOf, parseQuantity } from './quantity.ts';

describe('a quantity', () => {
  it.each([
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['1500Mi', '1500Mi'],
    ['1e3', '1e3'],
    ['100k', '100k'],
    ['0.1Gi', '107374182400m'],
    ['0', '0'],
    ['-2', '-2'],
    ['1000', '1k'],
  ])('%s is written %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each(['', 'x', '1X', '1..2', '1e999'])('%j is refused', (text) => {
    expect(typeof parseQuantity(text)).toBe('string');
  });

  it('compares exactly', () => {
    expect(nanoOf('1')).toBe(nanoOf('1000m'));
    expect(nanoOf('1Ki') > nanoOf('1k')).toBe(true);
  });
});
