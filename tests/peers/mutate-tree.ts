import * as fc from 'fast-check';
import { type Tree, trees } from './kustomize-trees.ts';

/** Values that YAML, Go or kustomize treat in a way of their own. */
const VALUES = [
  'null',
  '~',
  '""',
  '1',
  '-1',
  '1.5',
  '1e3',
  '0x10',
  '010',
  '0o10',
  '12345678901234567890',
  '99999999999999999999999',
  'true',
  'yes',
  'off',
  '[]',
  '{}',
  '[a, b]',
  '{a: b}',
  '|\n  block',
  '>\n  folded\n  text',
  '"a\\nb"',
  "'it''s'",
  '&x y',
  '*x',
  '!!str 1',
  '2001-01-01',
  '.inf',
  '# c',
  'a: b',
  '- x',
  '*',
  '.*',
  '(',
  'ü',
  '1_000',
  '=',
  '<<',
  '@x',
  '/x',
  'a.b',
  'merge',
  'replace',
  'Deployment',
  'ConfigMap',
  'apps/v1',
  'Component',
  '\ufeff',
  '\t',
  '0777',
  '1:30',
  'False',
  '1e400',
  '1.0',
  '1e21',
] as const;
const EXTRA = [
  '---',
  '# comment',
  '...',
  '',
  '%YAML 1.1\n---',
  '  # c',
  '\ufeff',
  'kind: Kustomization',
  'x: y',
] as const;

type Edit = (lines: string[], at: number, other: number, value: string, extra: string) => void;

/** What people do to files, by accident or with intent. */
const EDITS: readonly Edit[] = [
  (lines, at) => void lines.splice(at, 1),
  (lines, at) => void lines.splice(at, 0, lines[at] ?? ''),
  (lines, at, _other, value) => {
    lines[at] = (lines[at] ?? '').replace(/^(\s*(?:- )?[^\s:#'"]+:).*$/, (_, field: string) => `${field} ${value}`);
  },
  (lines, at, _other, value) => {
    lines[at] = (lines[at] ?? '').replace(
      /^(\s*(?:- )?)([^\s:#'"]+)(:.*)$/,
      (_, margin: string, __, rest: string) => margin + value.split('\n')[0] + rest,
    );
  },
  (lines, at) => {
    lines[at] = `  ${lines[at] ?? ''}`;
  },
  (lines, at) => {
    lines[at] = (lines[at] ?? '').replace(/^ {2}/, '');
  },
  (lines, at, other) => {
    [lines[at], lines[other]] = [lines[other] ?? '', lines[at] ?? ''];
  },
  (lines, at, _other, _value, extra) => void lines.splice(at, 0, extra),
  (lines) => {
    for (let index = 0; index < lines.length - 1; index++) lines[index] += '\r';
  },
];

const edit = fc.record({
  file: fc.nat(),
  how: fc.constantFrom(...EDITS),
  at: fc.nat(),
  other: fc.nat(),
  value: fc.constantFrom(...VALUES),
  extra: fc.constantFrom(...EXTRA),
});

/** Trees in which one to three lines are not what they should be. */
export const brokenTrees: fc.Arbitrary<Tree> = fc
  .tuple(trees, fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([tree, edits]) => {
    const broken: Record<string, string> = { ...tree };
    const paths = Object.keys(tree);
    for (const { file, how, at, other, value, extra } of edits) {
      const path = paths[file % paths.length] as string;
      const lines = (broken[path] as string).split('\n');
      how(lines, at % lines.length, other % lines.length, value, extra);
      broken[path] = lines.join('\n');
    }
    return broken;
  });
