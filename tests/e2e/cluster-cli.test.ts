import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type Ran, Terminal } from './terminal.ts';

/** `weir cluster` as a user types it, with the real kubectl on what it made. */
const terminal = new Terminal();
const at = (...path: string[]) => join(terminal.home, ...path);
const clusters = () => at('state', 'weir', 'clusters');

const weir = (line: string, env: Record<string, string> = {}): Promise<Ran> =>
  terminal.line(`weir cluster ${line}`, { mayFail: true, env });
const kubectl = async (line: string, context: string): Promise<string> =>
  (await terminal.line(`kubectl --context weir-${context} ${line}`)).stdout;
/** What a command that must fail says last. */
const complaint = async (line: string): Promise<string> => {
  const { code, stderr } = await weir(line);
  expect(code).toBe(1);
  return stderr.trimEnd().split('\n').at(-1) ?? '';
};
const stateOf = (name: string): { pid: number; port: number } =>
  JSON.parse(readFileSync(join(clusters(), name, 'cluster.json'), 'utf8'));
const list = async (): Promise<string[]> =>
  (await weir('list')).stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ +/).slice(0, 2).join(' '));

async function deleteAll(): Promise<void> {
  if (!existsSync(clusters())) return;
  for (const name of readdirSync(clusters())) await weir(`delete --name ${name}`);
}
afterEach(deleteAll);
afterAll(async () => {
  await deleteAll();
  await terminal.close();
});

async function kill(name: string): Promise<void> {
  const { pid } = stateOf(name);
  process.kill(pid, 'SIGKILL');
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('weir cluster create', () => {
  it('answers kubectl as soon as it returns, and deletes without a trace', async () => {
    await terminal.line('weir cluster create');
    expect(await kubectl('get namespaces -o name', 'weir')).toContain('namespace/default');
    expect((await terminal.line('kubectl config current-context')).stdout).toBe('weir-weir\n');
    expect((await terminal.line('kubectl auth whoami')).stdout).toContain('kubernetes-admin');
    expect(await list()).toEqual(['weir running']);
    await terminal.line('weir cluster delete');
    expect(await list()).toEqual([]);
    expect(readdirSync(clusters())).toEqual([]);
    expect((await terminal.line('kubectl config get-contexts -o name')).stdout).toBe('');
  });

  it('makes clusters side by side at the same time, each with its own objects and context', async () => {
    const names = ['one', 'two', 'three'];
    const made = await Promise.all(names.map((name) => weir(`create --name ${name} --ephemeral`)));
    expect(made.map(({ code, stderr }) => (code === 0 ? '' : stderr))).toEqual(['', '', '']);
    for (const name of names) await kubectl(`create configmap only-${name}`, name);
    for (const name of names)
      expect(await kubectl('get configmaps -o name', name)).toBe(
        `configmap/kube-root-ca.crt\nconfigmap/only-${name}\n`,
      );
    expect(await list()).toEqual(['one running', 'three running', 'two running']);
  });

  it('starts one process only, however often it is asked', async () => {
    const tries = await Promise.all([1, 2, 3].map(() => weir('create --name same')));
    expect(tries.filter(({ code }) => code === 0)).toHaveLength(1);
    expect(await complaint('create --name same')).toMatch(/^✗ cluster same exists already and runs at https:/);
    expect(await complaint('run --name same')).toMatch(/^✗ cluster same runs already, as process \d+$/);
    expect(await kubectl('get namespaces -o name', 'same')).toContain('namespace/default');
  });

  it('says what is wrong, and leaves nothing behind', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
    );
    try {
      expect(await complaint(`create --port ${port}`)).toBe(`✗ port ${port} is in use: choose another with --port`);
      expect(await complaint('create --port 70000')).toBe('✗ 70000 is no port: choose one up to 65535');
      expect(await complaint('create --name Ä')).toMatch(/^✗ "Ä" is no name of a cluster/);
      writeFileSync(at('file'), '');
      expect(await complaint(`create --data-dir ${at('file')}`)).toBe(`✗ ${at('file')} is no folder`);
      expect(await complaint(`create --from ${at('missing')}`)).toMatch(/ENOENT|there is no file/);
      expect(await list()).toEqual([]);
      expect((await terminal.line('kubectl config get-contexts -o name')).stdout).toBe('');
    } finally {
      taken.close();
    }
  });

  it('neither uses nor deletes a folder that holds other things', async () => {
    mkdirSync(at('mine'));
    writeFileSync(at('mine', 'thesis.txt'), 'x');
    expect(await complaint(`create --data-dir ${at('mine')}`)).toBe(
      `✗ ${at('mine')} holds other things than a cluster`,
    );
    expect(await complaint(`delete --data-dir ${at('mine')}`)).toBe('✗ there is no cluster weir');
    expect(readdirSync(at('mine'))).toEqual(['thesis.txt']);
  });

  it('E05: writes keys and data for their owner only, whatever the umask', async () => {
    const mask = process.umask(0);
    try {
      await terminal.line('weir cluster create --name open');
    } finally {
      process.umask(mask);
    }
    const modes = (path: string): string[] => {
      const found = statSync(path);
      const own = `${(found.mode & 0o777).toString(8)}`;
      if (!found.isDirectory()) return [own];
      return [own, ...readdirSync(path).flatMap((name) => modes(join(path, name)))];
    };
    expect(new Set(modes(clusters()))).toEqual(new Set(['700', '600']));
    expect(modes(terminal.env['KUBECONFIG'] as string)).toEqual(['600']);
  });

  it('keeps what else is in the kubeconfig, also when it is a link', async () => {
    const file = at('other', 'config');
    mkdirSync(at('other'));
    const env = { KUBECONFIG: file };
    await terminal.line('kubectl config set-cluster elsewhere --server https://elsewhere.example', { env });
    await terminal.run('ln', ['-s', file, at('link')]);
    await terminal.line(`weir cluster create --ephemeral --kubeconfig ${at('link')}`);
    expect((await terminal.line('kubectl config get-clusters', { env })).stdout.split('\n')).toEqual(
      expect.arrayContaining(['elsewhere', 'weir-weir']),
    );
    await terminal.line(`weir cluster delete --kubeconfig ${at('link')}`);
    expect((await terminal.line('kubectl config get-clusters', { env })).stdout).toBe('NAME\nelsewhere\n');
  });
});

describe('what a cluster holds', () => {
  it('is there after a SIGKILL, at the same address and with the same certificates', async () => {
    await terminal.line('weir cluster create --name kept');
    const before = readFileSync(terminal.env['KUBECONFIG'] as string, 'utf8');
    await kubectl('create configmap c --from-literal=a=b', 'kept');
    const uid = await kubectl('get configmap c -o jsonpath={.metadata.uid}{.metadata.resourceVersion}', 'kept');
    await kill('kept');
    expect(await list()).toEqual(['kept stopped']);
    await terminal.line('weir cluster create --name kept');
    expect(readFileSync(terminal.env['KUBECONFIG'] as string, 'utf8')).toBe(before);
    expect(await kubectl('get configmap c -o jsonpath={.metadata.uid}{.metadata.resourceVersion}', 'kept')).toBe(uid);
  });

  it('refuses to start on data that was damaged, and begins anew when told', async () => {
    await terminal.line('weir cluster create --name broken');
    await kill('broken');
    const store = join(clusters(), 'broken', 'data', 'store');
    const log = join(store, readdirSync(store).find((name) => name.startsWith('log-')) as string);
    const bytes = readFileSync(log);
    bytes.fill(0xff, 100, 200);
    writeFileSync(log, bytes);
    expect(await complaint('create --name broken')).toMatch(
      /^✗ store: .*\/log-1 is damaged at byte 0: restore a snapshot with `weir cluster restore`, or begin anew with `weir cluster reset`$/,
    );
    await terminal.line('weir cluster reset --name broken');
    await terminal.line('weir cluster create --name broken');
    expect(await kubectl('get namespaces -o name', 'broken')).toContain('namespace/default');
  });

  it.each(['', ' --ephemeral'])('goes into a snapshot and comes back from it, create%s', async (how) => {
    await terminal.line(`weir cluster create --name snap${how}`);
    await kubectl('create configmap c --from-literal=a=1', 'snap');
    const first = await kubectl('get configmap c -o yaml --show-managed-fields', 'snap');
    const { pid } = stateOf('snap');
    await terminal.line(`weir cluster snapshot --name snap ${at('file')}`);
    expect(stateOf('snap').pid).toBe(pid);
    expect(statSync(at('file')).mode & 0o777).toBe(0o600);
    await kubectl('delete configmap c', 'snap');
    const version = async (): Promise<number> =>
      Number(JSON.parse(await kubectl('get --raw /api/v1/namespaces/default/pods', 'snap')).metadata.resourceVersion);
    const before = await version();

    writeFileSync(at('wrong'), 'a: [');
    expect(await complaint(`restore --name snap ${at('wrong')}`)).toContain(`${at('wrong')}: `);
    expect(await complaint(`restore --name snap ${at('none')}`)).toBe(`✗ there is no file ${at('none')}`);
    const cut = readFileSync(at('file'));
    writeFileSync(at('cut'), cut.subarray(0, cut.length - 7));
    expect(await complaint(`restore --name snap ${at('cut')}`)).toMatch(
      /^✗ .*\/cut is no snapshot, or damaged at byte/,
    );
    expect(stateOf('snap').pid).toBe(pid);

    await terminal.line(`weir cluster restore --name snap ${at('file')}`);
    expect(await kubectl('get configmap c -o yaml --show-managed-fields', 'snap')).toBe(first);
    // A cluster that is kept nowhere is another one after it.
    expect(how === '' ? await version() : before + 1).toBeGreaterThan(before);

    await terminal.line('weir cluster reset --name snap');
    expect(await kubectl('get configmaps -o name', 'snap')).not.toContain('configmap/c\n');
    // A cluster that is kept nowhere is another one after it.
    expect(how === '' ? await version() : before + 1).toBeGreaterThan(before);
  });

  it('may begin with objects as another cluster printed them', async () => {
    await terminal.line('weir cluster create --name source --ephemeral');
    await kubectl('create namespace team', 'source');
    await kubectl('create deployment web -n team --image=nginx', 'source');
    await terminal.line('kubectl --context weir-source -n team wait deployment/web --for=condition=Available');
    const printed = await kubectl(
      'get namespaces,deployments,replicasets,pods -A -o yaml --show-managed-fields',
      'source',
    );
    writeFileSync(at('objects.yaml'), printed);
    await terminal.line(`weir cluster create --name copy --ephemeral --from ${at('objects.yaml')}`);
    const shown = (context: string): Promise<string> =>
      kubectl('get deployment web -n team -o yaml --show-managed-fields', context);
    expect(await shown('copy')).toBe(await shown('source'));
    expect(await kubectl('get pods -A -o jsonpath={.items[*].metadata.uid}', 'copy')).toBe(
      await kubectl('get pods -A -o jsonpath={.items[*].metadata.uid}', 'source'),
    );
  });
});

it('prints a kubeconfig that works by itself', async () => {
  await terminal.line(`weir cluster create --name alone --ephemeral --kubeconfig ${at('elsewhere')}`);
  const { stdout } = await terminal.line('weir cluster kubeconfig --name alone');
  const file = at(`kubeconfig-${createHash('sha256').update(stdout).digest('hex').slice(0, 8)}`);
  writeFileSync(file, stdout, { mode: 0o600 });
  expect((await terminal.line('kubectl get namespaces -o name', { env: { KUBECONFIG: file } })).stdout).toContain(
    'default',
  );
});

it('runs in the foreground until it is interrupted', async () => {
  const running = await terminal.start('weir', ['cluster', 'run', '--name', 'front', '--ephemeral'], /is ready at/);
  expect(await list()).toEqual(['front running']);
  expect(await terminal.stop(running.process, 'SIGINT')).toBe(0);
  expect(await list()).toEqual(['front stopped']);
});
