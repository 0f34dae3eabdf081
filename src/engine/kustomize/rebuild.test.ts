import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FileTree, memoryFiles } from '../../base/files.ts';
import { buildKustomization } from './build.ts';
import { KustomizeCache } from './cache.ts';
import type { BuildRecord } from './rebuild.ts';

type Tree = Readonly<Record<string, string>>;

/** WEIR_PROPERTY_RUNS asks for more. */
const RUNS = Number(process.env['WEIR_PROPERTY_RUNS'] ?? '60');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function build(files: FileTree, cache?: KustomizeCache): string {
  const result = buildKustomization(files, 'overlay', { sha256, ...(cache !== undefined && { cache }) });
  if (!result.ok) return `failed: ${result.error.message}`;
  return JSON.stringify([result.value.yaml, result.value.objects, result.value.warnings, result.value.filesRead]);
}

/** `#` gives way to a number that each file has for itself. */
const name = fc.constantFrom('a#', 'a#', 'a#', 'b#');
const reference = fc.constantFrom('a0', 'a1', 'b2', 'g');
const configMap = fc
  .record({
    name,
    value: fc.constantFrom('1', '2', 'x: y'),
    label: fc.constantFrom(
      '',
      '  labels: {app: one}\n',
      '  annotations: {kustomize.config.k8s.io/needs-hash: "true"}\n',
    ),
  })
  .map(
    ({ name: one, value, label }) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${one}\n${label}data:\n  k: ${JSON.stringify(value)}\n`,
  );
const pod = fc
  .record({ name, ref: reference, image: fc.constantFrom('nginx', 'app:1'), replicas: fc.constantFrom(1, 2) })
  .map(
    ({ name: one, ref, image, replicas }) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${one}\nspec:\n  replicas: ${replicas}\n  template:\n    spec:\n      containers:\n      - name: main\n        image: ${image}\n        envFrom: [{configMapRef: {name: ${ref}}}]\n`,
  );
const manifest = fc
  .tuple(configMap, fc.option(pod, { nil: undefined }))
  .map((documents) => documents.filter((one) => one !== undefined).join('---\n'));
const numbered = (text: string, path: string): string => text.replaceAll('#', String(FILES.indexOf(path as never)));

/** Mostly nothing: with a line of each, few trees would build at all. */
const line = (...lines: readonly string[]) =>
  fc.constantFrom(...Array<string>(2 * lines.length + 2).fill(''), ...lines);
const settings = fc
  .tuple(
    line('namePrefix: p-', 'nameSuffix: -s'),
    line('namespace: one', 'namespace: two'),
    line('commonLabels: {app: x}', 'labels: [{pairs: {q: r}, includeSelectors: true}]'),
    line('images: [{name: nginx, newTag: "9"}]'),
    line('replicas: [{name: a0, count: 5}]'),
    line(
      'patches: [{patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a0}, data: {p: q}}"}]',
      'patches: [{target: {labelSelector: app=one}, patch: "[{\\"op\\": \\"add\\", \\"path\\": \\"/data/z\\", \\"value\\": \\"1\\"}]"}]',
      'patches: [{path: m1.yaml}]',
    ),
    line(
      'configMapGenerator: [{name: g, literals: [a=b]}]',
      'configMapGenerator: [{name: a0, behavior: merge, literals: [a=b]}]',
      'configMapGenerator: [{name: a0, behavior: merge, literals: [a=b], options: {disableNameSuffixHash: true}}]',
      'configMapGenerator: [{name: g, files: [m1.yaml], options: {disableNameSuffixHash: true}}]',
    ),
    line(
      'replacements: [{source: {kind: ConfigMap, name: a0, fieldPath: data.k}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.annotations.copy], options: {create: true}}]}]',
      'sortOptions: {order: fifo}',
      'buildMetadata: [originAnnotations]',
    ),
  )
  .map((lines) => `${lines.filter((one) => one !== '').join('\n')}\n`);

const FILES = ['base/m1.yaml', 'base/m2.yaml', 'overlay/m1.yaml', 'overlay/m2.yaml'] as const;
const KUSTOMIZATIONS = [
  'base/kustomization.yaml',
  'middle/kustomization.yaml',
  'again/kustomization.yaml',
  'overlay/kustomization.yaml',
] as const;
const trees = fc
  .record({
    manifests: fc.tuple(manifest, manifest, manifest, manifest),
    base: settings,
    middle: settings,
    overlay: settings,
    twice: fc.boolean(),
    part: fc.boolean(),
  })
  .map(({ manifests, base, middle, overlay, twice, part }): Tree => {
    const bases = twice ? '../middle, ../again' : '../middle';
    return {
      ...Object.fromEntries(FILES.map((path, index) => [path, numbered(manifests[index] as string, path)])),
      'base/kustomization.yaml': `resources: [m1.yaml, m2.yaml]\n${base}`,
      'middle/kustomization.yaml': `resources: [../base]\n${middle}`,
      'again/kustomization.yaml': `resources: [../base]\nnamePrefix: again-\n${part ? 'components: [../part]\n' : ''}`,
      'part/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${overlay}`,
      'overlay/kustomization.yaml': `resources: [${bases}, m1.yaml, m2.yaml]\n${overlay}`,
    };
  });
/** A file, and its new text; most changes leave names as they are. */
const changes = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      path: fc.constantFrom(...FILES),
      from: fc.constantFrom('k:', 'replicas:', 'image:'),
      to: fc.constantFrom('k2:', 'paused:', 'command:'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ path: fc.constantFrom(...FILES), text: manifest }) },
  { weight: 4, arbitrary: fc.record({ path: fc.constantFrom(...KUSTOMIZATIONS), add: settings }) },
  {
    weight: 1,
    arbitrary: fc.record({
      path: fc.constantFrom(...KUSTOMIZATIONS),
      from: fc.constantFrom('../base', '../middle', '../again'),
      to: fc.constantFrom('../base', '../again', '../overlay', '..'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      path: fc.constantFrom('base/kustomization.yaml', 'overlay/kustomization.yaml'),
      from: fc.constant('m2.yaml'),
      to: fc.constant('m1.yaml'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ path: fc.constantFrom(...FILES), text: fc.constant(undefined) }) },
);

const numberedText = ({ path, text }: { path: string; text: string | undefined }): string | undefined =>
  text === undefined ? undefined : numbered(text, path);

/** A kustomization of the same resources with other fields. */
const withSettings = (old: string, added: string): string => `${old.split('\n')[0]}\n${added}`;

describe('a rebuild with what the last build left', () => {
  it('gives what a build from nothing gives, whatever has changed', () => {
    let built = 0;
    fc.assert(
      fc.property(trees, fc.array(changes, { minLength: 1, maxLength: 4 }), (first, list) => {
        const cache = new KustomizeCache();
        let tree = first;
        if (build(memoryFiles(tree), cache).startsWith('[')) built++;
        for (const change of list) {
          const old = tree[change.path] ?? '';
          const text =
            'from' in change
              ? old.replace(change.from, change.to)
              : 'add' in change
                ? withSettings(old, change.add)
                : numberedText(change);
          const { [change.path]: _, ...others } = tree;
          tree = text === undefined ? others : { ...others, [change.path]: text };
          expect(build(memoryFiles(tree), cache)).toBe(build(memoryFiles(tree)));
        }
      }),
      { numRuns: RUNS },
    );
    expect(built).toBeGreaterThan(RUNS / 10);
  }, 300_000);

  it('takes nothing from a tree that lies elsewhere where its place matters', () => {
    const cache = new KustomizeCache();
    const tree = {
      'overlay/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
      'overlay/kustomization.yaml': 'resources: [../../one/overlay/a.yaml]\n',
    };
    const at = (rootPath: string): boolean =>
      buildKustomization(memoryFiles(tree), 'overlay', { sha256, cache, rootPath }).ok;
    expect([at('/x/one'), at('/x/two'), at('/x/one')]).toEqual([true, false, true]);
  });

  it('makes again only what the changed file holds', () => {
    const manifests = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [
        `overlay/m${index}.yaml`,
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m${index}}\ndata: {k: old}\n`,
      ]),
    );
    const tree = {
      ...manifests,
      'overlay/kustomization.yaml': `namePrefix: p-\nresources: [${Object.keys(manifests)
        .map((path) => path.slice(8))
        .join(', ')}]\n`,
    };
    const cache = new KustomizeCache();
    const options = { sha256, cache };
    const before = buildKustomization(memoryFiles(tree), 'overlay', { ...options, rootPath: '/artifacts/1' });
    const changed = { ...tree, 'overlay/m7.yaml': manifests['overlay/m7.yaml']?.replace('old', 'new') ?? '' };
    const after = buildKustomization(memoryFiles(changed), 'overlay', { ...options, rootPath: '/artifacts/2' });
    if (!before.ok || !after.ok) throw new Error('not built');
    const made = after.value.objects.filter((object, index) => object !== before.value.objects[index]);
    expect(made).toMatchObject([{ metadata: { name: 'p-m7' }, data: { k: 'new' } }]);
  });

  it('sees a cycle that goes through a layer it has', () => {
    const tree: Tree = {
      'base/kustomization.yaml': 'namePrefix: b-\n',
      'base/deep/kustomization.yaml': 'namePrefix: d-\n',
      'middle/kustomization.yaml': 'resources: [../base]\n',
      'overlay/kustomization.yaml': 'resources: [../middle, ../base/deep]\n',
    };
    const changed = { ...tree, 'base/deep/kustomization.yaml': 'resources: [../../middle]\n' };
    const cache = new KustomizeCache();
    expect(build(memoryFiles(tree), cache)).toMatch(/^\[/);
    const again = build(memoryFiles(changed), cache);
    expect(again).toContain("contains visited root '/base/deep'");
    expect(again).toBe(build(memoryFiles(changed)));
  });

  it.each([
    [
      'the data of another object',
      'configMapGenerator: [{name: g, files: [m1.yaml], options: {disableNameSuffixHash: true}}]',
    ],
    ['a patch of another object', 'patches: [{path: m1.yaml, target: {name: m2}}]'],
    [
      'a patch of all that have its labels',
      'patches: [{target: {labelSelector: k=old}, patch: "[{\\"op\\": \\"remove\\", \\"path\\": \\"/data\\"}]"}]',
    ],
    [
      'what another object takes from it',
      'replacements: [{source: {name: m1, fieldPath: data.k}, targets: [{select: {name: m2}, fieldPaths: [data.k]}]}]',
    ],
  ])('makes again what depends on the changed file: %s', (_, line) => {
    const object = (one: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${one}, labels: {k: old}}\ndata: {k: old}\n`;
    const tree: Tree = {
      'overlay/m1.yaml': object('m1'),
      'overlay/m2.yaml': object('m2'),
      'overlay/kustomization.yaml': `resources: [m1.yaml, m2.yaml]\n${line}\n`,
    };
    const changed = { ...tree, 'overlay/m1.yaml': tree['overlay/m1.yaml']?.replaceAll('old', 'new') ?? '' };
    const cache = new KustomizeCache();
    const before = build(memoryFiles(tree), cache);
    const after = build(memoryFiles(changed), cache);
    expect(before).toMatch(/^\[/);
    expect(after).not.toBe(before);
    expect(after).toBe(build(memoryFiles(changed)));
  });

  it('makes a kustomization file again with what is above it, and no other layer', () => {
    const kept: (BuildRecord | undefined)[] = [];
    class Watched extends KustomizeCache {
      override keepBuild(key: string, record: BuildRecord | undefined): void {
        kept.push(record);
        super.keepBuild(key, record);
      }
    }
    const object = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n';
    const tree: Tree = {
      'one/m.yaml': object,
      'one/kustomization.yaml': 'resources: [m.yaml]\nnamePrefix: one-\n',
      'two/kustomization.yaml': 'resources: [../one]\nnamePrefix: two-\n',
      'three/kustomization.yaml': 'resources: [../one]\nnamePrefix: three-\n',
      'overlay/kustomization.yaml': 'resources: [../two, ../three]\n',
    };
    const cache = new Watched();
    for (const path of ['overlay', 'two', 'one'])
      for (const label of ['a', 'b'])
        build(
          memoryFiles({
            ...tree,
            [`${path}/kustomization.yaml`]: `${tree[`${path}/kustomization.yaml`]}commonLabels: {l: ${label}}\n`,
          }),
          cache,
        );
    const taken = kept
      .slice(1)
      .map((record, index) =>
        [...(record?.layers ?? [])]
          .filter(([path, layer]) => kept[index]?.layers.get(path) === layer)
          .map(([path]) => path),
      );
    expect(taken.map((paths) => paths.sort())).toEqual([
      ['/one', '/three', '/two'],
      ['/one', '/three'],
      ['/one', '/three'],
      [],
      [],
    ]);
  });
});
