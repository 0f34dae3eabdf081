/** Charts rendered by the real helm (`.cache/tools/helm`) and by Weir: the same bytes, or the same error. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helmTemplate } from '../support/helm-template.ts';

const exec = promisify(execFile);
const helm = fileURLToPath(new URL('../../.cache/tools/helm', import.meta.url));
const shop = fileURLToPath(new URL('../golden/data/releases/charts/shop', import.meta.url));
/** The same cases at every run. */
const SEED = 20261130;

let folder: string;

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** What helm prints; its log lines are left out. */
async function real(chart: string, args: readonly string[]): Promise<string> {
  const env = { PATH: '/usr/bin:/bin', HOME: folder, TZ: 'UTC' };
  try {
    return (await exec(helm, ['template', 'rel', chart, ...args], { cwd: folder, env })).stdout;
  } catch (failure) {
    const lines = (failure as { readonly stderr: string }).stderr.split('\n');
    return lines
      .filter((line) => !/^(level=|\d{4}\/\d\d\/\d\d)/.test(line))
      .join('\n')
      .trim();
  }
}

/** What both print; they should be equal. */
async function both(
  chart: string,
  args: readonly string[] = [],
): Promise<{ readonly ours: string; readonly theirs: string }> {
  return { ours: helmTemplate('rel', chart, args, { cwd: folder }), theirs: await real(chart, args) };
}

beforeAll(async () => {
  if (!existsSync(helm)) throw new Error('.cache/tools/helm is missing: run node tools/test-tools.mjs');
  folder = await mkdtemp(join(tmpdir(), 'weir-helm-'));
  await exec(helm, ['create', 'demo'], { cwd: folder, env: { PATH: '/usr/bin:/bin', HOME: folder } });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the chart that helm create makes', () => {
  it.each([
    [[]],
    [['--set', 'ingress.enabled=true,autoscaling.enabled=true,httpRoute.enabled=true']],
    [['--set', 'serviceAccount.create=false,nameOverride=x', '--set-json', 'tolerations=[{"key":"a"}]']],
    [['--set', 'fullnameOverride=null,podAnnotations.a\\.b/c=1,resources.limits.cpu=1', '--namespace', 'prod']],
    [['-s', 'templates/service.yaml', '-s', 'templates/dep*.yaml']],
    [['--set', 'image=oops']],
    [['--kube-version', '1.29', '--no-hooks']],
  ])('with %j', async (args) => {
    const { ours, theirs } = await both('demo', args);
    expect(ours).toBe(theirs);
  });
});

describe('a chart of ours', () => {
  it.each([[[]], [['--include-crds', '--set', 'auth.password=a b&c,cache.enabled=false']], [['--set', 'auth=null']]])(
    'with %j',
    async (args) => {
      const { ours, theirs } = await both(shop, args);
      expect(ours).toBe(theirs);
    },
  );
});

const PRINT =
  'apiVersion: v1\nkind: C\nmetadata: {name: c}\nv: {{ .Values | toJson | quote }}\nd: {{ .Chart.Dependencies | toJson | quote }}\n';
const child = (name: string): Readonly<Record<string, string>> => ({
  [`${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name.slice(name.lastIndexOf('/') + 1)}\nversion: 0.1.0\n`,
  [`${name}/templates/c.yaml`]: PRINT,
});

const key = fc.constantFrom('a', 'b', 'sub', 'other', 'global', 'tags', 'data', 'exports');
const leaf = fc.constantFrom(null, true, false, 1, 2.5, 1_000_000, 's', '', 'true', [], {}, [1, { k: null }]);
const { tree } = fc.letrec((tie) => ({
  tree: fc.dictionary(key, fc.oneof({ depthSize: 'small' }, leaf, tie('tree')), { maxKeys: 4 }),
}));

describe('generated values', () => {
  it('are merged through charts, aliases, conditions, tags and imports alike', async () => {
    const dependency = fc.record({
      condition: fc.constantFrom('', 'a.b', 'sub.a', 'sub.a,b'),
      tags: fc.constantFrom([], ['a'], ['a', 'b']),
      'import-values': fc.constantFrom([], ['data'], [{ child: 'a', parent: 'imported.a' }]),
      alias: fc.constantFrom('', 'other'),
    });
    const sets = fc.constantFrom(
      'a.b=true',
      'sub=null',
      'sub.a=null',
      'tags.a=false',
      'global.a=null',
      'b=false',
      'a[1]=x',
    );
    const generated = fc.tuple(tree, tree, tree, tree, dependency, sets);
    for (const [own, inner, user, second, given, set] of fc.sample(generated, { seed: SEED, numRuns: 40 })) {
      const dependencies = [{ name: 'sub', version: '0.1.0', repository: '', ...given }];
      await write({
        ...child('p'),
        'p/Chart.yaml': `${JSON.stringify({ apiVersion: 'v2', name: 'p', version: '0.1.0', dependencies })}\n`,
        ...child('p/charts/sub'),
        'p/values.yaml': JSON.stringify(own),
        'p/charts/sub/values.yaml': JSON.stringify(inner),
        'user.yaml': JSON.stringify(user),
        'second.yaml': JSON.stringify(second),
      });
      const { ours, theirs } = await both('p', ['-f', 'user.yaml', '-f', 'second.yaml', '--set', set]);
      expect(ours).toBe(theirs);
    }
  });

  it('are set by the same text', async () => {
    await write({ ...child('s'), 's/values.yaml': 'a: {b: 1}\nl: [1, {x: 2}]\ns: str\n' });
    const part = fc.constantFrom(
      'a',
      'b',
      'l',
      's',
      '.',
      '=',
      ',',
      '[0]',
      '[1]',
      '[',
      '[-1]',
      '{a,b}',
      '\\.',
      '1',
      '01',
      'null',
      'é',
      '"',
    );
    const text = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''));
    const flag = fc.constantFrom('--set', '--set-string', '--set-literal', '--set-json');
    for (const args of fc.sample(fc.tuple(flag, text), { seed: SEED, numRuns: 60 })) {
      const { ours, theirs } = await both('s', args);
      expect(ours).toBe(theirs);
    }
  });
});

describe('files of a chart', () => {
  it('are left out and found by the same patterns', async () => {
    const files = ['a.txt', 'b.yaml', 'conf/a.txt', 'conf/x/b.txt', 'conf/[x].txt', 'doc/é.md', 'conf/.hidden'];
    const ignore = fc.constantFrom(
      '*.txt',
      'conf/',
      '/a.txt',
      'conf/*.txt',
      'doc',
      '[ab].*',
      '# no',
      'x/',
      '*/x',
      '?.yaml',
    );
    const glob = fc.constantFrom(
      '*',
      '**',
      '**.txt',
      'conf/*',
      'conf/**',
      '{a,b}.*',
      '[ab].txt',
      '[!a].*',
      '?.yaml',
      'conf/?.txt',
      '**/b.txt',
      '{conf/*,doc/*}',
      '[',
      '*{',
      'conf/[[]x].txt',
      '[a-b].txt',
      '[a-zA-Z].txt',
    );
    for (const [rules, pattern] of fc.sample(fc.tuple(fc.array(ignore, { maxLength: 3 }), glob), {
      seed: SEED,
      numRuns: 40,
    })) {
      const print =
        '{{ range $p, $_ := .Files }}{{ $p }};{{ end }}|{{ range $p, $_ := .Files.Glob (index .Values.g 0) }}{{ $p }};{{ end }}';
      await write({
        ...Object.fromEntries(files.map((name) => [`f/${name}`, name])),
        'f/Chart.yaml': 'apiVersion: v2\nname: f\nversion: 0.1.0\n',
        'f/values.yaml': JSON.stringify({ g: [pattern] }),
        'f/templates/c.yaml': `apiVersion: v1\nkind: C\nmetadata: {name: c}\nv: ${JSON.stringify('X').replace('X', print)}\n`,
        'f/.helmignore': `${rules.join('\n')}\n`,
      });
      const { ours, theirs } = await both('f');
      expect(ours).toBe(theirs);
    }
  });
});

describe('documents of a template', () => {
  it('are split, sorted and hooked alike', async () => {
    const kind = fc.constantFrom(
      'Namespace',
      'Deployment',
      'Zebra',
      'ConfigMap',
      'Ape',
      'Service',
      'CustomResourceDefinition',
    );
    const hook = fc.constantFrom(
      '',
      '',
      'pre-install',
      'post-install,test',
      'test-success',
      'crd-install',
      'Pre-Delete, post-delete',
    );
    const separator = fc.constantFrom('---\n', '\n---\n', '--- \n\n', '---\n---\n', '\n\n---\n# c\n', '...\n---\n');
    const document = fc.tuple(kind, hook, separator, fc.constantFrom('', '# comment\n', '\n\n'));
    for (const documents of fc.sample(fc.array(document, { minLength: 1, maxLength: 6 }), {
      seed: SEED,
      numRuns: 40,
    })) {
      const text = documents.map(([name, event, before, comment], index) => {
        const annotations =
          event === '' ? '' : `, annotations: {helm.sh/hook: "${event}", helm.sh/hook-weight: "${index}"}`;
        return `${before}${comment}apiVersion: v1\nkind: ${name}\nmetadata: {name: n${index}${annotations}}\n`;
      });
      await write({
        'd/Chart.yaml': 'apiVersion: v2\nname: d\nversion: 0.1.0\n',
        'd/templates/b.yaml': text.join(''),
        'd/templates/a.yaml': text.toReversed().join(''),
      });
      const { ours, theirs } = await both('d');
      expect(ours).toBe(theirs);
    }
  });
});

/** Failing expressions one by one, since an error ends a chart; the others together. */
const FAILING = [
  '{{ .Values.a.b.c.d }}',
  '{{ .Values.x.y }}',
  '{{ .Values.e | required "need e" }}',
  '{{ fail "no" }}',
  '{{ include "none" . }}',
  '{{ template "none" . }}',
  '{{ .Values.l.x }}',
  '{{ index .Values.l 9 }}',
  '{{ dig "a" "x" "c" 5 .Values }}',
  '{{ break }}',
  '{{ tpl "{{ fail \\"in tpl\\" }}" . }}',
  '{{ tpl "{{ .x.y }}" (dict) }}',
  '{{ tpl "{{" . }}',
  '{{ .Release.Nope.x }}',
  '{{ not }}',
  '{{ mustRegexMatch "[" "x" }}',
  'a: b: c',
  '- list',
];
const WORKING = [
  '{{ .Values.a.b | toYaml }}',
  '{{ tpl .Values.t . }}',
  '{{ .Values.big }}|{{ .Values.big | int64 }}|{{ .Values.big | toJson }}',
  '{{ .Values.f }}|{{ .Values.f | quote }}',
  '{{ .Chart | toJson }}',
  '{{ .Files | toJson }}',
  '{{ .Files.Get "files/b.bin" | b64enc }}',
  '{{ (.Files.Glob "files/*").AsSecrets }}',
  '{{ (.Files.Glob "files/*").AsConfig }}',
  '{{ .Files.Lines "files/a.txt" }}',
  '{{ .Capabilities | toYaml }}',
  '{{ .Capabilities.APIVersions.Has "apps/v1" }} {{ .Capabilities.KubeVersion }}',
  '{{ .Release | toYaml }}',
  '{{ .Template | toYaml }}',
  '{{ .Values | toToml }}{{ .Values.a.Table }}',
  '{{ .Values.nope | default "d" }}{{ .Values.n | default "d" }}{{ .Nope }}',
  '{{ dig "a" "x" "c" 5 .Values.AsMap }}',
  '{{ $_ := set .Values "q" 1 }}{{ .Values.q }}',
  '{{ merge (dict "x" 1) .Values.a | toJson }}',
  '{{ kindOf .Values }} {{ typeOf .Values }} {{ typeOf .Values.a }} {{ typeOf .Values.z }}',
  '{{ lookup "v1" "Secret" "a" "b" | toJson }}{{ (lookup "v1" "Secret" "a" "b").data.x }}',
  '{{ .Values.global.g }} {{ .Subcharts }}',
  '{{- define "t" }}[{{ . }}]{{ end }}{{ include "t" 5 }}{{ template "t" .Values.z }}',
  '{{ range .Values.l }}{{ if eq . 2.0 }}{{ break }}{{ end }}{{ . }}{{ end }}',
  '{{ fromYaml "a: [1, 2" | toJson }}{{ fromJson "{" | toJson }}',
  '{{ .Values.l | has 2.0 }}{{ .Values.l | has 2 }}{{ without .Values.l 1.0 | toJson }}',
  '{{ eq .Values.z 0.0 }}{{ lt .Values.z 1.0 }}{{ int .Values.f }}{{ .Values.a.b.c | add 1 }}',
];

describe('expressions', () => {
  const chartOf = async (text: string): Promise<void> => {
    await write({
      'i/Chart.yaml':
        'apiVersion: v2\nname: i\nversion: 1.2.3+b.1\nappVersion: v2\nannotations: {a: "1"}\nkubeVersion: ">=1.20.0-0"\n',
      'i/values.yaml':
        'a: {b: {c: 1}}\nl: [1, 2, {x: y}]\ne: ""\nz: 0\nf: 1.50\nbig: 12345678901234567890\nn: null\nt: "{{ .Release.Name }}-{{ .Values.a.b.c }}"\nglobal: {g: 1}\n',
      'i/files/a.txt': 'hello\nworld',
      'i/templates/a.yaml': text,
    });
    await writeFile(join(folder, 'i/files/b.bin'), Buffer.from([0xff, 0xfe, 0, 1]));
  };

  it.each(FAILING)('%s', async (text) => {
    await chartOf(`k: 1\nv: |\n  x\n${text}\n`);
    const { ours, theirs } = await both('i', ['--kube-version', '1.34.0']);
    expect(ours).toBe(theirs);
    expect(ours).toMatch(/^Error: /);
  });

  it('that print are printed alike', async () => {
    await chartOf(WORKING.map((text, index) => `k${index}: |\n  ${text}\n`).join(''));
    const { ours, theirs } = await both('i', ['--kube-version', '1.34.0']);
    expect(ours).toBe(theirs);
  });
});
