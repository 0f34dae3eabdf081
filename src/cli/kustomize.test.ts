import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CliHost } from './command.ts';
import { runKustomize } from './kustomize-run.ts';

describe('weir kustomize', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-cli-'));
    writeFileSync(join(folder, 'a.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function run(line: string): Promise<string> {
    let out = '';
    const write = (text: string): void => {
      out += text;
    };
    const io = { stdout: write, stderr: write } as unknown as CliHost['io'];
    const host = { io, env: {}, cwd: folder, signal: new AbortController().signal } as unknown as CliHost;
    const code = await runKustomize(line.split(' '), host);
    return code === 0 ? out : `exit code ${code}: ${out}`;
  }
  const kustomization = (): string => readFileSync(join(folder, 'kustomization.yaml'), 'utf8');

  it('creates a kustomization of the resources that it finds, edits it and builds it', async () => {
    expect(await run('create --autodetect --namespace prod')).toBe('');
    expect(kustomization()).toBe(
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- a.yaml\nnamespace: prod\n',
    );
    expect(await run('edit set nameprefix p-')).toBe('');
    expect(await run('build')).toBe('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: p-a\n  namespace: prod\n');
  });

  it('keeps the order and the comments of a kustomization that it edits', async () => {
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      '# top\nnamespace: prod\n\n# what is built\nresources:\n- a.yaml\n',
    );
    expect(await run('edit set image nginx=nginx:1.2')).toBe('');
    expect(kustomization()).toBe(
      '# top\nnamespace: prod\n\n# what is built\nresources:\n- a.yaml\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n- name: nginx\n  newName: nginx\n  newTag: "1.2"\n',
    );
  });

  it('renders charts of the folder with --enable-helm, and pulls none', async () => {
    mkdirSync(join(folder, 'charts/c/templates'), { recursive: true });
    writeFileSync(join(folder, 'charts/c/Chart.yaml'), 'apiVersion: v2\nname: c\nversion: 1.0.0\n');
    writeFileSync(join(folder, 'charts/c/values.yaml'), 'a: chart\nb: chart\n');
    writeFileSync(
      join(folder, 'charts/c/templates/cm.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {a: {{ .Values.a }}, b: {{ .Values.b }}, k: {{ .Capabilities.KubeVersion }}}\n',
    );
    const use = (chart: string): void =>
      writeFileSync(join(folder, 'kustomization.yaml'), `helmCharts:\n- {${chart}}\n`);
    use('name: c, releaseName: r, valuesInline: {a: mine}');
    expect(await run('build')).toContain('must specify --enable-helm');
    expect(await run('build --enable-helm --helm-kube-version 1.30.1')).toBe(
      'apiVersion: v1\ndata:\n  a: mine\n  b: chart\n  k: v1.30.1\nkind: ConfigMap\nmetadata:\n  name: r\n',
    );
    use('name: other, repo: https://charts.example, version: 1.0.0');
    expect(await run('build --enable-helm')).toContain("chart 'other': no chart found at '");
  });

  it.each([
    ['?ref=v1', 'p-old'],
    ['?ref=v1&timeout=20s&submodules=false', 'p-old'],
    ['', 'p-new'],
  ])('builds a base in a git repository at %j', async (query, name) => {
    const git = (...args: string[]): void => {
      const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false'];
      execFileSync('git', [...identity, ...args], { cwd: join(folder, 'repo'), stdio: 'ignore' });
    };
    mkdirSync(join(folder, 'repo/base'), { recursive: true });
    git('init');
    const write = (one: string): void =>
      writeFileSync(join(folder, 'repo/base/a.yaml'), `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${one}\n`);
    writeFileSync(join(folder, 'repo/base/kustomization.yaml'), 'resources: [a.yaml]\n');
    write('old');
    git('add', '.');
    git('commit', '-m', 'one');
    git('tag', 'v1');
    write('new');
    git('commit', '-a', '-m', 'two');
    const url = `file://${folder}/repo//base`;
    writeFileSync(join(folder, 'kustomization.yaml'), `resources: ['${url}${query}']\nnamePrefix: p-\n`);
    expect(await run('build')).toContain(`name: ${name}\n`);
    expect(await run(`build ${url}${query}`)).toContain(`name: ${name.slice(2)}\n`);
    expect(await run(`build ${url}?ref=none`)).toMatch(/^exit code 1: Error: failed to run 'git fetch .* none'/);
  });

  it('fails with exit code 1 and the reason', async () => {
    expect(await run('build none')).toMatch(/^exit code 1: Error: /);
    expect(await run('edit add resource')).toMatch(/^exit code 1: Error: must specify a resource file/);
  });
});
