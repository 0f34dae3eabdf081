import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitFiles, type GitHttp, serveGit } from '../../../tests/support/git-http.ts';
import { startTestEngine } from '../../../tests/support/kustomization-engine.ts';
import { at, isArray, stringAt } from '../../base/json.ts';
import { type Builder, inlineBuilder } from '../../build/builder.ts';
import { withoutRemoteBases, withRemoteBases } from '../../build/remote-bases.ts';
import { fetchRemoteBase, isolatedEnvironment } from '../../source/remote-base.ts';

const manifest = (name: string, value = 'one'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: default\ndata:\n  key: "${value}"\n`;
const kustomizationOf = (...resources: readonly string[]): string => JSON.stringify({ resources });

describe('bases that URLs name', () => {
  let root: string;
  let git: GitHttp;
  let web: Server;
  let webUrl: string;
  let served = 'one';

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'weir-remote-'));
    web = createServer((request, response) => {
      response.statusCode = request.url === '/cm.yaml' ? 200 : 404;
      response.end(request.url === '/cm.yaml' ? manifest('file', served) : 'nothing');
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    webUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    git = await serveGit(join(root, 'git'));
    commitFiles(join(root, 'git', 'base.git'), 'first', {
      'deploy/kustomization.yaml': kustomizationOf('cm.yaml', `${webUrl}/cm.yaml`),
      'deploy/cm.yaml': manifest('cloned'),
    });
  });
  afterAll(async () => {
    await git.close();
    web.close();
    rmSync(root, { recursive: true, force: true });
  });

  const open = async (kustomization: string, other?: Builder) => {
    const work = mkdtempSync(join(root, 'work-'));
    const builder =
      other ??
      withRemoteBases(inlineBuilder(), {
        workDirectory: work,
        fetch: (url, folder, signal) =>
          fetchRemoteBase(url, { signal, folder, env: isolatedEnvironment(folder, process.env['PATH'] ?? '') }),
      });
    const engine = await startTestEngine({}, { builder });
    await engine.publish('repo', 'main@sha1:a', { 'kustomization.yaml': kustomization });
    const app = {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      namespace: 'default',
      name: 'app',
    };
    const apply = (annotations: Readonly<Record<string, string>> = {}) =>
      engine.apply({
        apiVersion: app.apiVersion,
        kind: app.kind,
        metadata: { name: 'app', annotations } as never,
        spec: {
          interval: '1h',
          retryInterval: '1h',
          prune: true,
          sourceRef: { kind: 'GitRepository', name: 'repo' },
        },
      });
    await apply();
    const ready = async (status: string): Promise<string> => {
      const conditionOf = (object: unknown) => {
        const conditions = at(object as never, 'status', 'conditions');
        return isArray(conditions) ? conditions.find((item) => stringAt(item, 'type') === 'Ready') : undefined;
      };
      const found = await engine.until(app, (object) => stringAt(conditionOf(object), 'status') === status);
      return stringAt(conditionOf(found), 'message') ?? '';
    };
    const valueOf = (name: string) =>
      engine.until(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name },
        (object) => object !== undefined,
      );
    return { engine, apply, work, ready, valueOf };
  };

  it('are fetched, from a repository that has one of its own too, and nothing stays on the disk', async () => {
    const { engine, work, ready, valueOf } = await open(kustomizationOf(`${git.url}/base.git//deploy?ref=main`));
    await ready('True');
    await valueOf('cloned');
    await valueOf('file');
    expect(readdirSync(work)).toEqual([]);
    await engine.stop();
  });

  it('are fetched again in each pass, though the revision is the same', async () => {
    served = 'one';
    const { engine, apply, ready } = await open(kustomizationOf(`${webUrl}/cm.yaml`));
    await ready('True');
    served = 'two';
    await apply({ 'reconcile.fluxcd.io/requestedAt': 'now' });
    const isNew = (object: unknown): boolean => stringAt(object as never, 'data', 'key') === 'two';
    const file = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'file' };
    expect(isNew(await engine.until(file, isNew))).toBe(true);
    await engine.stop();
  });

  it.each([
    [
      'a repository',
      () => `${git.url}/base.git//deploy?ref=main`,
      /URL is a git repository': fs-security-constraint abs/,
    ],
    ['a file', () => `${webUrl}/cm.yaml`, /remote bases are disabled \(--no-remote-bases\)/],
  ])('are refused where they are not allowed, without a request: %s', async (_, url, message) => {
    const requests: string[] = [];
    const note = (request: { readonly url?: string | undefined }): void => void requests.push(request.url ?? '');
    web.on('request', note);
    const { engine, ready } = await open(kustomizationOf(url()), withoutRemoteBases(inlineBuilder()));
    expect(await ready('False')).toMatch(message);
    expect(requests).toEqual([]);
    web.off('request', note);
    await engine.stop();
  });

  it.each([
    ['a file that is not there', () => `${webUrl}/nope.yaml`, /HTTP Error: status code 404/],
    ['a branch that is not there', () => `${git.url}/base.git//deploy?ref=nope`, /couldn't find remote ref nope/],
    [
      'a repository of the own disk',
      () => `file://${root}/git/base.git//deploy?ref=main`,
      /transport 'file' not allowed/,
    ],
  ])('fail with a message for %s', async (_, url, message) => {
    const { engine, ready } = await open(kustomizationOf(url()));
    expect(await ready('False')).toMatch(message);
    await engine.stop();
  });
});
