import { describe, expect, it } from 'vitest';
import { matchesLabels, parseLabelSelector, selects } from './label-selector.ts';

describe('a label selector', () => {
  it.each([
    ['', { a: 'b' }, true],
    ['a=b', { a: 'b' }, true],
    ['a==b,c', { a: 'b' }, false],
    ['a!=b', {}, true],
    ['a in (x, b)', { a: 'b' }, true],
    ['a notin (b)', { a: 'b' }, false],
    ['!a', { a: 'b' }, false],
    ['n>5', { n: '6' }, true],
    ['n<5', { n: '6' }, false],
    ['constructor', {}, false],
  ])('%j of %j: %s', (text, labels, expected) => {
    const parsed = parseLabelSelector(text);
    expect(parsed.ok && matchesLabels(parsed.value, labels)).toBe(expected);
  });

  it.each([
    ['env===x', "unable to parse requirement: found '=', expected: identifier"],
    ['env in prod', "unable to parse requirement: found 'prod' expected: '('"],
    ['(x)', "found '(', expected: !, identifier, or 'end of string'"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ])('%j is refused as the real server refuses it', (text, message) => {
    expect(parseLabelSelector(text)).toEqual({ ok: false, error: message });
  });

  it('selects everything when it is an empty object, and nothing when it is missing', () => {
    expect(selects({}, undefined)).toBe(true);
    expect(selects(undefined, { a: 'b' })).toBe(false);
    expect(selects({ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] }, { a: 'b' })).toBe(false);
  });
});
