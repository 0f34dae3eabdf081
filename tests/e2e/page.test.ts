import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.ts';
import { eventually, freeNodePort, Terminal } from './terminal.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const terminal = new Terminal();
const data = join(terminal.home, 'data');
const clone = join(terminal.home, 'flux-tenant');
const KUSTOMIZATION = 'kustomize.toolkit.fluxcd.io/Kustomization/flux-cluster/flux-tenant';
const DEPLOYMENT = 'apps/Deployment/backend/nginx-test';

let browser: Browser;
let page: Page;
let address = '';
let git = '';
/** What the browser complains about: a script or style that the page's own policy forbids is a failure. */
const complaints: string[] = [];

beforeAll(async () => {
  if (!existsSync(join(root, 'dist/web/index.html'))) {
    const built = spawnSync('npm', ['run', 'build', '-w', 'web'], { cwd: root, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stdout + built.stderr);
  }
  const args = ['--data-dir', data, '--page-port', String(await freePort()), '--api-port', String(await freePort())];
  const started = await terminal.start(
    'weir',
    ['start', ...args, '--git-port', String(await freeNodePort())],
    /^ready /,
  );
  const said = /^ready page=(\S+) kubeconfig=(\S+) git=(\S+)$/.exec(started.line);
  if (said === null) throw new Error(started.output());
  [, address = '', terminal.env['KUBECONFIG'] = '', git = ''] = said;
  // As the printed lines say.
  const ssh = /export (GIT_SSH_COMMAND)="(.+)"/.exec(started.output());
  terminal.env['GIT_SSH_COMMAND'] = ssh?.[2] ?? '';
  await terminal.line(`git clone --quiet ${git}/flux-tenant.git`);

  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
  });
  page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address);
});
afterAll(async () => {
  await browser?.close();
  await terminal.close();
});

const node = (id: string) => page.locator(`[data-node="${id}"]`);
const pods = () => page.locator('[data-node^="/Pod/backend/nginx-test-"]');

it('shows every object Ready, from the sources to the pods', async () => {
  await node(DEPLOYMENT).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  await eventually(async () => {
    const states = await page.getByRole('list', { name: 'Objects by state' }).innerText();
    expect(states.replaceAll(/\s+/g, ' ')).toMatch(/^0 failed \d\d+ ready$/);
  });
  for (const name of ['flux-system/flux-system', 'flux-cluster/flux-cluster', 'flux-cluster/flux-tenant'])
    for (const kind of ['source.toolkit.fluxcd.io/GitRepository', 'kustomize.toolkit.fluxcd.io/Kustomization'])
      expect(await node(`${kind}/${name}`).getAttribute('data-state')).toBe('Ready');
  expect(await pods().innerText()).toContain('local-test:v1');
});

it('shows a pushed change as it rolls out, and the revert, without a reload', async () => {
  // A reload would lose this.
  await page.evaluate(() => document.documentElement.setAttribute('data-not-reloaded', ''));
  const manifest = join(clone, 'backend', 'nginx-deployment.yaml');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('local-test:v1', 'local-test:v2'));
  await terminal.run('git', ['commit', '--quiet', '-m', 'Use v2', 'backend/nginx-deployment.yaml'], { cwd: clone });
  const changed = await push();
  await arrived(changed, 'local-test:v2');
  expect(await page.locator('.events').innerText()).toContain("stored artifact for commit 'Use v2'");

  await terminal.line('git revert --no-edit HEAD', { cwd: clone });
  const reverted = await push();
  await arrived(reverted, 'local-test:v1');
  expect(await page.locator('html[data-not-reloaded]').count()).toBe(1);
  const folder = join(root, 'docs', 'images');
  if (process.env['WEIR_SCREENSHOT'] === '1') {
    mkdirSync(folder, { recursive: true });
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(folder, 'page.png'), animations: 'disabled' });
  }
});

async function push(): Promise<string> {
  await terminal.line('git push --quiet', { cwd: clone });
  return (await terminal.line('git rev-parse HEAD', { cwd: clone })).stdout.trim();
}

/** The page shows the revision at the Kustomization, and one ready pod with the image. */
async function arrived(commit: string, image: string): Promise<void> {
  await eventually(async () => {
    expect(await node(KUSTOMIZATION).innerText()).toContain(`master@${commit.slice(0, 7)}`);
    expect(await node(DEPLOYMENT).getAttribute('data-state')).toMatch(/^(Ready|Drifted)$/);
    expect(await pods().count()).toBe(1);
    expect(await pods().innerText()).toContain(image);
  }, 30_000);
}

it('shows drift that was put back', async () => {
  // Right after a new revision a change counts as part of it: it is made again until it is seen by itself.
  await eventually(async () => {
    await terminal.line('kubectl scale -n backend deployment/nginx-test --replicas=3');
    await page.locator(`[data-node="${DEPLOYMENT}"][data-state="Drifted"]`).waitFor({ timeout: 4000 });
  });
  expect(await page.locator('[data-trouble="Drifted"]').innerText()).toContain('put back to what git says');
  const replicas = await terminal.line('kubectl get deployment nginx-test -n backend -o jsonpath={.spec.replicas}');
  expect(replicas.stdout).toBe('1');
});

it('tells in place why a push failed, and keeps what runs', async () => {
  const manifest = join(clone, 'backend', 'nginx-service.yaml');
  writeFileSync(manifest, `${readFileSync(manifest, 'utf8')}  broken: [\n`);
  await terminal.run('git', ['commit', '--quiet', '-m', 'Break it', 'backend/nginx-service.yaml'], { cwd: clone });
  await push();
  await eventually(async () => {
    expect(await page.locator('[data-trouble="Failed"]').innerText()).toContain('nginx-service.yaml');
    expect(await page.title()).toMatch(/^1 failed/);
    expect(await pods().innerText()).toContain('local-test:v1');
  }, 30_000);
  await page.locator('[data-trouble="Failed"] button').click();
  const details = page.getByRole('region', { name: 'Selected object' });
  expect(await details.innerText()).toContain('weir reconcile kustomization flux-tenant -n flux-cluster --with-source');
  await page.keyboard.press('Escape');
  await terminal.line('git revert --no-edit HEAD', { cwd: clone });
  await arrived(await push(), 'local-test:v1');
});

it('is used by keys, and fits a phone', async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await page.locator('tr[data-node]').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('local-test:v1');
  await eventually(async () => expect(await page.locator('tr[data-node]').count()).toBe(4));
  await page.keyboard.press('Escape');
  for (const width of [1440, 900, 360]) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect({ width, overflow }).toMatchObject({ width, overflow: expect.toSatisfy((pixels) => Number(pixels) <= 0) });
  }
});

it('says that it lost the connection when the engine stops, and breaks no rule of its own', async () => {
  // What the browser logs of a stream that ends is no fault of the page.
  expect(complaints).toEqual([]);
  await terminal.close();
  await page.getByText(/connection lost/).waitFor();
  expect(await node(DEPLOYMENT).count()).toBe(1);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const found = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof found === 'object' && found !== null ? found.port : 0;
}
