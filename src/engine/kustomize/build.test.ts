import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryFiles } from '../../base/files.ts';
import { diskFiles } from '../../build/disk-files.ts';
import { buildKustomization } from './build.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';

function build(tree: Readonly<Record<string, string>>, folder = 'app'): string {
  const result = buildKustomization(memoryFiles(tree), folder, { sha256 });
  if (!result.ok) throw new Error(result.error.message);
  return result.value.yaml;
}

describe('buildKustomization', () => {
  it('builds an overlay over a base', () => {
    expect(
      build({
        'base/kustomization.yaml': 'resources: [a.yaml]\n',
        'base/a.yaml': `${CONFIG_MAP}data:\n  "10": ten\n  "9": nine\n`,
        'app/kustomization.yaml': 'namePrefix: p-\nnamespace: prod\nresources: [../base]\n',
      }),
    ).toBe(
      'apiVersion: v1\ndata:\n  "9": nine\n  "10": ten\nkind: ConfigMap\nmetadata:\n  name: p-a\n  namespace: prod\n',
    );
  });

  it('gives the objects, the files that it read and the deprecated fields', () => {
    const files = memoryFiles({
      'kustomization.yaml': 'commonLabels: {a: b}\nresources: [a.yaml]\n',
      'a.yaml': CONFIG_MAP,
    });
    const result = buildKustomization(files, '', { sha256 });
    if (!result.ok) throw new Error(result.error.message);
    expect(result.value.objects).toMatchObject([{ kind: 'ConfigMap', metadata: { name: 'a', labels: { a: 'b' } } }]);
    expect([...result.value.filesRead].sort()).toEqual(['a.yaml', 'kustomization.yaml']);
    expect(result.value.warnings.join('\n')).toContain("'commonLabels' is deprecated");
  });

  // As kustomize v5.8.1 answers: it adds a null key once more when it reads, and finds it twice when it writes.
  it.each([
    ['null: b', 'yaml: unmarshal errors:\n  line 7: mapping key "null" already defined at line 6'],
    ['~: 1\n  "": 2', 'yaml: unmarshal errors:\n  line 7: mapping key "~" already defined at line 6'],
    ['!!null x: b\n  q: r', 'yaml: unmarshal errors:\n  line 8: mapping key "x" already defined at line 6'],
    ['1: 2\n  a: 2\n  a: 3', 'yaml: unmarshal errors:\n  line 8: mapping key "a" already defined at line 7'],
    ['!!int y: z', 'yaml: cannot decode !!str `y` as a !!int'],
    ['? a: b\n  : c', 'yaml: invalid map key: map[string]interface {}{"a":"b"}'],
  ])('refuses a map with the key %j', (key, message) => {
    expect(() =>
      build({ 'app/kustomization.yaml': 'resources: [a.yaml]\n', 'app/a.yaml': `${CONFIG_MAP}x:\n  ${key}\n` }),
    ).toThrow(`map[string]interface {}(nil): ${message}`);
  });

  it('refuses two resources that a patch gave one id', () => {
    const tree = {
      'app/kustomization.yaml':
        'resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: "- {op: replace, path: /metadata/name, value: x}"\n',
      'app/a.yaml': `${CONFIG_MAP}---\n${CONFIG_MAP.replace('name: a', 'name: b')}`,
    };
    expect(() => build(tree)).toThrow(
      'recovered from kustomize build panic: may not add resource with an already registered id: ConfigMap.v1.[noGrp]/x.[noNs]',
    );
  });

  it('refuses a name with a comma, as that of an object that is encrypted whole', () => {
    const tree = {
      'app/kustomization.yaml': 'resources: [a.yaml]\nnamespace: x\n',
      'app/a.yaml': CONFIG_MAP.replace('name: a', 'name: "ENC[a,b]"'),
    };
    expect(() => build(tree)).toThrow(
      /^recovered from kustomize build panic: number of previous names, .* previous kinds not equal$/,
    );
  });

  it.each([
    ['itself', { 'app/kustomization.yaml': 'resources: [../app]\n' }],
    [
      'one that includes it',
      { 'app/kustomization.yaml': 'resources: [../b]\n', 'b/kustomization.yaml': 'resources: [../app]\n' },
    ],
    [
      'a folder that holds it',
      { 'kustomization.yaml': 'resources: [app]\n', 'app/kustomization.yaml': 'resources: [..]\n' },
    ],
  ])('refuses a kustomization that includes %s (A05)', (_name, tree) => {
    expect(() => build(tree)).toThrow(/cycle/);
  });

  it('refuses 3,000 overlays over one another (A05)', () => {
    const tree: Record<string, string> = { 'app/kustomization.yaml': 'resources: [../o0]\n' };
    for (let level = 0; level < 3000; level++) tree[`o${level}/kustomization.yaml`] = `resources: [../o${level + 1}]\n`;
    tree['o3000/kustomization.yaml'] = 'resources: [a.yaml]\n';
    tree['o3000/a.yaml'] = CONFIG_MAP;
    expect(() => build(tree)).toThrow('nested more than');
  });

  it('keeps the failure of components in components short, though each level quotes it again (A05)', () => {
    const tree: Record<string, string> = { 'app/kustomization.yaml': 'components: [../c0]\n' };
    const header = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
    for (let level = 0; level < 60; level++)
      tree[`c${level}/kustomization.yaml`] = `${header}components: [../c${level + 1}]\n`;
    const result = buildKustomization(memoryFiles(tree), 'app', { sha256 });
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result).length).toBeLessThan(1_000_000);
  });
});

/** Every field that names a file, with the secret in place of `PATH`. */
const READING_FIELDS = [
  'resources: [PATH]',
  'components: [PATH]',
  'crds: [PATH]',
  'configurations: [PATH]',
  'generators: [PATH]',
  'transformers: [PATH]',
  'validators: [PATH]',
  'openapi: {path: PATH}',
  'patches: [{path: PATH}]',
  'patchesStrategicMerge: [PATH]',
  'patchesJson6902: [{path: PATH, target: {version: v1, kind: ConfigMap, name: a}}]',
  'replacements: [{path: PATH}]',
  'configMapGenerator: [{name: g, files: [PATH]}]',
  'configMapGenerator: [{name: g, files: [k=PATH]}]',
  'configMapGenerator: [{name: g, envs: [PATH]}]',
  'secretGenerator: [{name: g, files: [PATH]}]',
  'secretGenerator: [{name: g, envs: [PATH]}]',
  'helmCharts: [{name: c, valuesFile: PATH}]',
  'helmCharts: [{name: c, additionalValuesFiles: [PATH]}]',
];

describe('a kustomization that reads outside its folder (A02, A03)', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'weir-kustomize-'));
    mkdirSync(join(root, 'tree/app'), { recursive: true });
    writeFileSync(join(root, 'secret.yaml'), `${CONFIG_MAP}data:\n  found: hunter2\n`);
    writeFileSync(join(root, 'tree/beside.yaml'), `${CONFIG_MAP}data:\n  found: hunter2\n`);
    writeFileSync(join(root, 'tree/app/a.yaml'), CONFIG_MAP);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const paths = (): readonly string[] => {
    symlinkSync('../../secret.yaml', join(root, 'tree/app/link.yaml'));
    symlinkSync(join(root, 'secret.yaml'), join(root, 'tree/app/absolute-link.yaml'));
    symlinkSync('../..', join(root, 'tree/app/up'));
    return [
      '../beside.yaml',
      '../../secret.yaml',
      join(root, 'secret.yaml'),
      './x/../../../secret.yaml',
      'link.yaml',
      'absolute-link.yaml',
      'up/secret.yaml',
      '/etc/passwd',
      'file:///etc/passwd',
    ];
  };

  function attempt(kustomization: string, loadRestrictor: 'rootOnly' | 'none', rootPath = ''): string {
    writeFileSync(join(root, 'tree/app/kustomization.yaml'), kustomization);
    const helm = (): { ok: true; value: string } => ({ ok: true, value: '' });
    const result = buildKustomization(diskFiles(join(root, 'tree')), 'app', { sha256, loadRestrictor, helm, rootPath });
    return result.ok ? `built: ${result.value.yaml}` : result.error.message;
  }

  it.each(READING_FIELDS)('is refused: %s', (field) => {
    const others = field.startsWith('resources') ? '' : 'resources: [a.yaml]\n';
    const answers = paths().map((path) => attempt(`${others}${field.replace('PATH', path)}\n`, 'rootOnly'));
    expect(answers.filter((answer) => /^built|hunter2/.test(answer))).toEqual([]);
  });

  it('is refused as the home of charts outside of the tree', () => {
    for (const home of ['../../charts', '/etc', root]) {
      expect(
        attempt(`helmGlobals: {chartHome: ${home}}\nhelmCharts: [{name: c}]\n`, 'rootOnly', join(root, 'tree')),
      ).toContain(`'${home}'`);
    }
  });

  it('is named by the failure, without a byte of its content', () => {
    const message = attempt('resources: [../../secret.yaml]\n', 'rootOnly');
    expect(message).toContain('../../secret.yaml');
    expect(message).not.toContain('hunter2');
  });

  it('still cannot leave the tree when load restrictions are off', () => {
    const [, ...outside] = paths();
    const answers = outside.map((path) => attempt(`resources: [${path}]\n`, 'none'));
    expect(answers.filter((answer) => /^built|hunter2/.test(answer))).toEqual([]);
  });
});
