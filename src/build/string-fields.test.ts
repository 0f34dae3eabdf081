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
