import { expect, it } from 'vitest';
import { matchPath } from './path-match.ts';

// Go's own answers: path/filepath/match_test.go has most of them.
it.each([
  ['abc', 'abc', true],
  ['abc', 'abcd', false],
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*.jpg', 'a.jpg', true],
  ['*.jpg', 'a.jpeg', false],
  ['*.jpg', 'a/b.jpg', false],
  ['a*b', 'ab', true],
  ['a*b*c', 'axbxbxc', true],
  ['a*b*c', 'axbxbx', false],
  ['ab[c]', 'abc', true],
  ['ab[^c]', 'abc', false],
  ['[b-d]x', 'cx', true],
  ['[b-d]x', 'ex', false],
  ['a???b', 'a☺☺☺b', true],
  ['a?b', 'a/b', false],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['*\\.jpg', 'a.jpg', true],
  ['☺*☺', '☺x☺', true],
  ['*😀', 'a😀', true],
  ['a\\', 'a', 'bad pattern'],
  ['[', 'a', 'bad pattern'],
  ['[]a]', ']', 'bad pattern'],
  ['[a', 'x', 'bad pattern'],
  ['x[a', 'y', 'bad pattern'],
  ['*[a', 'x/y', 'bad pattern'],
] as const)('%j and %j: %s', (pattern, name, wanted) => {
  expect(matchPath(pattern, name)).toBe(wanted);
  // Parsed the first time, known the second.
  expect(matchPath(pattern, name)).toBe(wanted);
});
