import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
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
  expect([line, code]).toEqual([line, 1]);
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

afterAll(async () => {
  for (const name of existsSync(clusters()) ? readdirSync(clusters()) : []) await weir(`delete --name ${name}`);
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

/** Permissions of a file, or of a folder and all in it. */
const modes = (path: string): string[] => {
  const found = statSync(path);
  const own = `${(found.mode & 0o777).toString(8)}`;
  return found.isDirectory() ? [own, ...readdirSync(path).flatMap((name) => modes(join(path, name)))] : [own];
};

const objects = 'get namespaces,deployments,replicasets,pods -n team -o yaml --show-managed-fields';
const version = async (context: string): Promise<number> =>
  Number(JSON.parse(await kubectl('get --raw /api/v1/namespaces/team/secrets', context)).metadata.resourceVersion);

it('says what is wrong, and leaves nothing behind', async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
  );
  writeFileSync(at('file'), '');
  mkdirSync(at('mine'));
  writeFileSync(at('mine', 'thesis.txt'), 'x');
  const cases: readonly (readonly [line: string, said: RegExp])[] = [
    [`create --name a --port ${port}`, /^✗ port \d+ is in use: choose another with --port$/],
    ['create --name b --port 70000', /^✗ 70000 is no port: choose one up to 65535$/],
    ['create --name Ä', /^✗ "Ä" is no name of a cluster/],
    [`create --data-dir ${at('file')}`, /^✗ .*\/file is no folder$/],
    [`create --name c --from ${at('missing')}`, /^✗ there is no file .*\/missing$/],
    [`create --name d --from ${at('mine')}`, /^✗ .*\/mine is a folder$/],
    ['create --clock sundial', /^✗ "sundial" is no clock: use system or manual$/],
    [`create --data-dir ${at('mine')}`, /^✗ .*\/mine holds other things than a cluster$/],
    [`delete --data-dir ${at('mine')}`, /^✗ there is no cluster weir$/],
    ['kubeconfig', /^✗ there is no cluster weir$/],
    ['reset', /^✗ there is no cluster weir$/],
    [`restore ${at('file')}`, /^✗ there is no cluster weir$/],
    [`snapshot ${at('file')}`, /^✗ there is no cluster weir$/],
    ['advance 1h', /^✗ there is no cluster weir$/],
  ];
  const said = await Promise.all(cases.map(([line]) => complaint(line)));
  taken.close();
  for (const [index, [line, expected]] of cases.entries()) expect(said[index], line).toMatch(expected);
  expect(readdirSync(at('mine'))).toEqual(['thesis.txt']);
  expect(await list()).toEqual([]);
  expect(existsSync(terminal.env['KUBECONFIG'] as string)).toBe(false);
});

it('runs in the foreground until it is interrupted', async () => {
  // No timeout is meant for what runs until it is stopped.
  const args = ['cluster', 'run', '--name', 'front', '--ephemeral', '--timeout', '1ms'];
  const running = await terminal.start('weir', args, /is ready at/);
  expect(await list()).toEqual(['front running']);
  expect(await terminal.stop(running.process, 'SIGINT')).toBe(0);
  expect(running.output()).not.toContain('✗');
  expect(await list()).toEqual(['front stopped']);
  await terminal.line('weir cluster delete --name front');
});

it('makes clusters side by side at the same time, one process for each name', async () => {
  const names = ['one', 'two', 'one'];
  const made = await Promise.all(names.map((name) => weir(`create --name ${name} --ephemeral`)));
  expect(made.filter(({ code }) => code === 0)).toHaveLength(2);
  expect(await complaint('create --name two')).toMatch(/^✗ cluster two exists already and runs at https:/);
  expect(await complaint('run --name two')).toMatch(/^✗ cluster two runs already, as process \d+$/);
  for (const name of ['one', 'two']) await kubectl(`create configmap only-${name}`, name);
  for (const name of ['one', 'two'])
    expect(await kubectl('get configmaps -o name', name)).toBe(`configmap/kube-root-ca.crt\nconfigmap/only-${name}\n`);
  expect(await list()).toEqual(['one running', 'two running']);
  await Promise.all(['one', 'two'].map((name) => weir(`delete --name ${name}`)));
  expect(await list()).toEqual([]);
});

it('E05: answers kubectl as soon as it returns, writes keys and data for their owner only, and keeps both after a SIGKILL', async () => {
  const mask = process.umask(0);
  try {
    await terminal.line('weir cluster create --name kept');
  } finally {
    process.umask(mask);
  }
  expect(await kubectl('get namespaces -o name', 'kept')).toContain('namespace/default');
  expect((await terminal.line('kubectl config current-context')).stdout).toBe('weir-kept\n');
  expect((await terminal.line('kubectl auth whoami')).stdout).toContain('kubernetes-admin');
  expect(new Set(modes(clusters()))).toEqual(new Set(['700', '600']));
  const config = terminal.env['KUBECONFIG'] as string;
  expect(modes(config)).toEqual(['600']);
  const before = readFileSync(config, 'utf8');

  await kubectl('create namespace team', 'kept');
  await kubectl('create deployment web -n team --image=nginx', 'kept');
  await kubectl('-n team wait deployment/web --for=condition=Available --timeout=120s', 'kept');
  const shown = await kubectl(objects, 'kept');
  await kill('kept');
  expect(await list()).toEqual(['kept stopped']);
  await terminal.line('weir cluster create --name kept');
  expect(readFileSync(config, 'utf8')).toBe(before);
  expect(await kubectl(objects, 'kept')).toBe(shown);

  const { stdout } = await terminal.line('weir cluster kubeconfig --name kept');
  writeFileSync(at('alone'), stdout, { mode: 0o600 });
  const env = { KUBECONFIG: at('alone') };
  expect((await terminal.line('kubectl get namespaces -o name', { env })).stdout).toContain('namespace/team');
});

it('goes into a snapshot and comes back from it', async () => {
  const first = await kubectl(objects, 'kept');
  const { pid } = stateOf('kept');
  await terminal.line(`weir cluster snapshot --name kept ${at('snapshot')}`);
  expect(modes(at('snapshot'))).toEqual(['600']);
  await kubectl('delete namespace team', 'kept');
  const before = await version('kept');

  writeFileSync(at('wrong'), 'a: [');
  const whole = readFileSync(at('snapshot'));
  writeFileSync(at('cut'), whole.subarray(0, whole.length - 7));
  expect(await complaint(`restore --name kept ${at('wrong')}`)).toContain(`${at('wrong')}: `);
  expect(await complaint(`restore --name kept ${at('none')}`)).toBe(`✗ there is no file ${at('none')}`);
  expect(await complaint(`restore --name kept ${at('cut')}`)).toMatch(/^✗ .*\/cut is no snapshot, or damaged at byte/);
  // A wrong file changes nothing.
  expect(stateOf('kept').pid).toBe(pid);

  await terminal.line(`weir cluster restore --name kept ${at('snapshot')}`);
  expect(await kubectl(objects, 'kept')).toBe(first);
  expect(await version('kept')).toBeGreaterThan(before);
});

it('begins with a snapshot, or with objects as another cluster printed them, kept nowhere', async () => {
  writeFileSync(at('objects.yaml'), await kubectl(objects, 'kept'));
  const link = at('link');
  const env = { KUBECONFIG: at('other') };
  await terminal.line('kubectl config set-cluster elsewhere --server https://elsewhere.example', { env });
  await terminal.run('ln', ['-s', at('other'), link]);
  await terminal.line(`weir cluster create --name copy --ephemeral --from ${at('objects.yaml')} --kubeconfig ${link}`);
  const copy = async (line: string): Promise<string> => (await terminal.line(`kubectl ${line}`, { env })).stdout;
  expect(await copy(objects)).toBe(await kubectl(objects, 'kept'));
  await copy('delete namespace team');
  await terminal.line(`weir cluster restore --name copy ${at('snapshot')} --kubeconfig ${link}`);
  expect(await copy(objects)).toBe(await kubectl(objects, 'kept'));
  await terminal.line(`weir cluster reset --name copy --kubeconfig ${link}`);
  expect(await copy('get namespaces -o name')).not.toContain('namespace/team');
  // What else is in the kubeconfig stays, also when it is a link.
  expect((await copy('config get-clusters')).split('\n').toSorted()).toEqual(['', 'NAME', 'elsewhere', 'weir-copy']);
  await terminal.line(`weir cluster delete --name copy --kubeconfig ${link}`);
  expect(await copy('config get-clusters')).toBe('NAME\nelsewhere\n');
});

it('refuses to start on data that was damaged, begins anew when told, and is deleted without a trace', async () => {
  await kill('kept');
  const store = join(clusters(), 'kept', 'data', 'store');
  const damaged = readdirSync(store).find((name) => name.startsWith('snapshot-')) as string;
  const bytes = readFileSync(join(store, damaged));
  bytes.fill(0xff, 100, 200);
  writeFileSync(join(store, damaged), bytes);
  expect(await complaint('create --name kept')).toMatch(
    /^✗ .*\/snapshot-\d+ is no snapshot, or damaged at byte \d+: restore a snapshot with `weir cluster restore`, or begin anew with `weir cluster reset`$/,
  );
  await terminal.line('weir cluster reset --name kept');
  await terminal.line('weir cluster create --name kept');
  expect(await kubectl('get namespaces -o name', 'kept')).not.toContain('namespace/team');
  await terminal.line('weir cluster delete --name kept');
  expect(await list()).toEqual([]);
  expect(readdirSync(clusters())).toEqual([]);
  expect((await terminal.line('kubectl config get-contexts -o name')).stdout).toBe('');
});
