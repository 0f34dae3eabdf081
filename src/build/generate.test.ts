import { expect, it } from 'vitest';
import { memoryFiles } from '../base/files.ts';
import { build } from './build.ts';

const deployment =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: c, image: nginx}]}}}\n';

it.each([
  ['images: [{name: nginx, newTag: 1.27}]', 'image: nginx:1.27'],
  ['images: [{name: nginx, newTag: 1}]', 'image: nginx:1\n'],
  ['commonAnnotations: {a: no}', 'a: "false"'],
  ['labels: [{pairs: {a: 1}}]', 'a: "1"'],
  ['namePrefix: 7', 'name: 7d'],
])('reads %s of the folder that Flux builds as its type has it', async (line, printed) => {
  const files = memoryFiles({ 'kustomization.yaml': `resources: [d.yaml]\n${line}\n`, 'd.yaml': deployment });
  const built = await build(files, { path: '', rootPath: '/tmp/k', spec: {} });
  expect(built.ok ? built.value.yaml : built.error.message).toContain(printed);
});

it('leaves it to kustomize to refuse the same in a folder below', async () => {
  const files = memoryFiles({
    'kustomization.yaml': 'resources: [below]\n',
    'below/kustomization.yaml': 'resources: [d.yaml]\nimages: [{name: nginx, newTag: 1.27}]\n',
    'below/d.yaml': deployment,
  });
  const built = await build(files, { path: '', rootPath: '/tmp/k', spec: {} });
  expect(built).toMatchObject({ ok: false, error: { message: expect.stringContaining('cannot unmarshal number') } });
});

const root = { path: '', rootPath: '/tmp/k', spec: {} };
const DECODED = 'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal';
const UNREADABLE = 'failed to decode Kubernetes YAML from /tmp/k/a.yaml:';

it.each<[string, Record<string, string>, string]>([
  [
    'a list for a file',
    { 'kustomization.yaml': '- a\n' },
    `${DECODED} array into Go value of type types.Kustomization`,
  ],
  [
    'a text for a list',
    { 'kustomization.yaml': 'resources: a.yaml\n' },
    `${DECODED} string into Go struct field Kustomization.resources of type []string`,
  ],
  [
    'a template',
    { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.x }}\n' },
    `${UNREADABLE} missing metadata.name`,
  ],
  [
    'a conflict',
    { 'a.yaml': 'kind: ConfigMap\n<<<<<<< HEAD\nmetadata:\n  name: cm\n' },
    `${UNREADABLE} MalformedYAMLError: yaml: line 2: could not find expected ':'`,
  ],
  [
    'an object without a version',
    { 'a.yaml': 'kind: ConfigMap\nmetadata: {name: cm}\n' },
    'failed to decode Kubernetes apiVersion, kind and name from: {"kind":"ConfigMap","metadata":{"name":"cm"}}',
  ],
  [
    'a list without items',
    { 'a.yaml': 'apiVersion: v1\nkind: List\nmetadata: {namespace: n}\n' },
    'failed to decode Kubernetes apiVersion, kind and name from: {"apiVersion":"v1","kind":"List","metadata":{"namespace":"n"}}',
  ],
  [
    'a version of two slashes',
    { 'a.yaml': 'apiVersion: a/b/c\nkind: Foo\nmetadata: {name: x}\n' },
    `error unmarshaling JSON: while decoding JSON: Object 'Kind' is missing in '{"apiVersion":"a/b/c","kind":"Foo","metadata":{"name":"x"}}'`,
  ],
])('refuses %s in the words of Flux', async (_, files, message) => {
  const built = await build(memoryFiles(files), root);
  expect(built.ok ? 'it was built' : built.error.message).toContain(message);
});
