import { expect, test } from 'vitest';
import { memoryFiles } from '../base/files.ts';
import { build } from './build.ts';
import { locateExpressions, printPlaces } from './locate-expressions.ts';

const files = memoryFiles({
  'a.yaml': 'name: one\nx: ${region} ${regions}\ny: $${region}\nz: $$${region^^}\n',
  'b.yaml': 'name: two\nx: ${region}\n',
  'c.env': 'URL=${host:-x}\n',
  'd.yaml': 'name: four\nx: "${broken/}"\n',
});
const all = ['a.yaml', 'b.yaml', 'c.env', 'd.yaml', 'gone.yaml'];

test.each([
  ['of the object that is named, not escaped', 'one', ['${region'], 'a.yaml:2: ${region}\na.yaml:4: ${region}'],
  ['of another object', 'two', ['${region'], 'b.yaml:2: ${region}'],
  [
    'everywhere, where no file names the object',
    'p-one-x',
    ['${region'],
    'a.yaml:2: ${region}\na.yaml:4: ${region}\nb.yaml:2: ${region}',
  ],
  ['in a file that is no manifest', 'one', ['${host'], 'c.env:1: ${host}'],
  ['that is none', 'four', ['${broken/}'], 'd.yaml:2: ${broken/}'],
  ['that was written otherwise', 'four', ["${broken/''}"], 'd.yaml:2: ${broken}'],
  ['that no file holds', 'one', ['${nowhere'], ''],
])('an expression %s', (_, name, expressions, wanted) => {
  expect(printPlaces(locateExpressions(files, all, name, expressions))).toBe(wanted);
});

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata:\n  text: "TEXT"\n';
const config = (name: string, text: string): string => CONFIG.replace('NAME', name).replace('TEXT', text);

test.each([
  ['missing', '${x} ${missing} ${other^^}', ['app/a.yaml:5: ${missing}', 'app/a.yaml:5: ${other}']],
  ['no expression', '${x} ${x%}', ['app/a.yaml:5: ${x%}']],
  ['not closed', '${x', ['app/a.yaml:5: ${x}']],
  ['no length', '${x:0:-1}', ['app/a.yaml:5: ${x:0:-1}']],
  ['no YAML afterwards', '${quote}', ['app/a.yaml:5: ${quote}']],
])('a build tells where a variable is %s', async (_, text, wanted) => {
  const variables = new Map([
    ['x', 'y'],
    ['quote', '['],
  ]);
  const tree = memoryFiles({ 'app/a.yaml': config('a', text), 'app/b.yaml': config('b', '${x}') });
  const request = {
    path: 'app',
    rootPath: '/tmp/x',
    spec: {},
    substitution: { variables, strict: true, always: false },
  };
  const built = await build(tree, request);
  expect(built.ok).toBe(false);
  const places = built.ok ? [] : (built.error.unreplaced ?? []).flatMap((found) => found.places);
  expect(printPlaces(places).split('\n')).toEqual(wanted);
});
