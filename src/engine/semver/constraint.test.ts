import { describe, expect, it } from 'vitest';
import { objections, parseConstraint, satisfies } from './constraint.ts';
import { parseVersion } from './version.ts';

function check(constraint: string, version: string): boolean | string {
  const parsed = parseConstraint(constraint);
  const read = parseVersion(version);
  if (!parsed.ok) return parsed.error;
  return read.ok ? satisfies(read.value, parsed.value) : read.error;
}

describe('a constraint', () => {
  it.each([
    ['>=1.0.0-0 <2.0.0', '1.2.0-rc.1', true],
    ['*', '1.2.0-rc.1', false],
    ['>= 1.2 , < 3', '2.9.9', true],
    ['~1.0', '1.1.0', false],
    ['^0.2', '0.3.0', false],
    ['1.2 - 1.4.5', '1.4.6', false],
    ['>11', '11.9.0', false],
    ['!=1.2', '1.2.3', false],
    ['1.2 || 1.4', '1.4.0', true],
    ['', '1.0.0', 'improper constraint: ""'],
    ['--upload-pack=x', '1.0.0', 'improper constraint: "--upload-pack=x"'],
  ])('%j takes %j: %j', (constraint, version, want) => {
    expect(check(constraint, version)).toBe(want);
  });

  it('is judged in time linear in its length, also when it is hostile', () => {
    // Each gap had several readings once; a failure at the end then tried all their combinations.
    expect(check(`${'1   '.repeat(120)}!`, '1.0.0')).toContain('improper constraint');
    expect(check(`${'1 , '.repeat(120)}!`, '1.0.0')).toContain('improper constraint');
  });

  it('says why a version lies outside, a reason for each comparison', () => {
    const constraint = parseConstraint('>1.0.0 || <0.5');
    const version = parseVersion('0.7');
    if (!constraint.ok || !version.ok) throw new Error('does not parse');
    expect(objections(version.value, constraint.value)).toEqual([
      '"0.7.0" is less than or equal to "1.0.0"',
      '"0.7.0" is greater than or equal to "0.5"',
    ]);
  });
});
