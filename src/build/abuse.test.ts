import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../base/files.ts';
import { addVariables } from '../engine/envsubst/object.ts';
import { type BuildResult, build } from './build.ts';

const cm = (name: string, more = ''): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}`;

/** Builds one file, with variables where there are some; a text is the error. */
async function built(text: string, values?: readonly (readonly [string, string])[]): Promise<BuildResult | string> {
  const files = memoryFiles({ 'kustomization.yaml': 'resources: [r.yaml]\n', 'r.yaml': text });
  const variables = new Map<string, string>();
  addVariables(variables, (values ?? []) as [string, string][]);
  const substitution = values === undefined ? {} : { substitution: { variables, strict: true, always: false } };
  const result = await build(files, { path: '', rootPath: '/tmp/k', spec: {}, ...substitution });
  return result.ok ? result.value : result.error.message;
}

const yamlOf = (result: BuildResult | string): string => (typeof result === 'string' ? result : result.yaml);
const namesOf = (result: BuildResult | string): readonly string[] | string =>
  typeof result === 'string' ? result : result.objects.map(({ metadata }) => metadata.name);

// What kustomize v5.8.1 does with each of these.
describe('B16: odd manifests', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'a List',
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: x}\n',
      ['x'],
    ],
    ['empty documents', `---\n# nothing\n---\n${cm('a')}---\n\n---\n`, ['a']],
    ['a byte order mark', `\uFEFF${cm('a')}`, ['a']],
    ['carriage returns', cm('a').replaceAll('\n', '\r\n'), ['a']],
    ['a line of dashes in a block', cm('a', 'data:\n  k: |\n    one\n    ---\n    two\n'), ['a']],
  ])('%s', async (_, text, names) => {
    expect(namesOf(await built(text))).toEqual(names);
  });

  it('two documents of one id are refused by name', async () => {
    const error = await built(`${cm('a')}---\n${cm('a')}`);
    expect(error).toContain('may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]');
  });

  it('a tab that indents is refused with its line', async () => {
    const error = await built('apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n');
    expect(error).toContain('MalformedYAMLError: yaml: line 4: found character that cannot start any token');
  });

  it('a file of 50 MB is built whole', async () => {
    const line = `    ${'x'.repeat(1020)}\n`;
    const result = await built(cm('big', `data:\n  k: |\n${line.repeat(50_000)}`));
    expect(namesOf(result)).toEqual(['big']);
    expect(yamlOf(result).length).toBeGreaterThan(50_000_000);
  }, 120_000);
});

describe('B11: odd substitutions', () => {
  it.each<[string, readonly (readonly [string, string])[], string, string]>([
    ['a default that is a variable', [['b', 'x']], '${'.concat('a:-${b}}'), 'x'],
    ['an operator that is not known', [['a', 'x']], '${'.concat('a:+y}'), 'x'],
    ['what a shell would run', [['a', 'x']], '$(id) `id`', '$(id) `id`'],
    ['dollars and names without braces', [['a', 'x']], '$$ $a', '$ $a'],
    ['a line break in a value, which goes', [['a', 'one\nevil']], '${'.concat('a}'), 'oneevil'],
  ])('%s', async (_, values, text, wanted) => {
    const result = await built(cm('a', `data:\n  k: '${text}'\n`), values);
    expect(typeof result === 'string' ? result : (result.objects[0] as { data?: object } | undefined)?.data).toEqual({
      k: wanted,
    });
  });

  it('a value that breaks the YAML is refused, by object', async () => {
    const error = await built(cm('a', `data:\n  k: ${'$'}{a}\n`), [['a', 'x: {y']]);
    expect(error).toContain("post build failed for 'ConfigMap.v1.[noGrp]/a'");
  });

  it('a variable that is not set is named', async () => {
    expect(await built(cm('a', `data:\n  k: ${'$'}{gone}\n`), [['a', 'x']])).toContain(
      'variable not set (strict mode): "gone"',
    );
  });

  it('a million variables cost a build no more than their reading', async () => {
    const values = Array.from({ length: 1_000_000 }, (_, index) => [`v${index}`, `${index}`] as const);
    const result = await built(cm('a', `data:\n  k: x${'$'}{v999999}\n`), values);
    expect(yamlOf(result)).toContain('k: x999999');
  }, 60_000);
});
