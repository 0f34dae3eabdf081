import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GitRepository } from '../../api/kinds/git-repository.ts';
import type { Outcome } from '../../api/outcome.ts';
import { ManualClock } from '../../base/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext } from '../../runtime/controller.ts';
import { openArtifactStore } from '../../source/artifact/store.ts';
import { openArtifactReader } from '../../source/artifact/unpacked-cache.ts';
import { openGit } from '../../source/git/git.ts';
import { gitRepositoryController } from './reconciler.ts';

const PATH = process.env['PATH'] ?? '';

/** A cluster that holds what it is given, for the reads that the reconciler makes. */
function cluster(objects: Readonly<Record<string, object>>): KubeClient {
  const get = async ({ kind, name }: { readonly kind: string; readonly name: string }) => {
    const value = objects[`${kind}/${name}`];
    const message = `${kind === 'Secret' ? 'secrets' : kind} "${name}" not found`;
    return value === undefined ? { ok: false, error: { code: 404, reason: 'NotFound', message } } : { ok: true, value };
  };
  return { get } as unknown as KubeClient;
}

describe('the GitRepository reconciler', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'weir-gitrepository-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  async function reconcile(
    spec: Partial<GitRepository['spec']>,
    objects: Readonly<Record<string, object>> = {},
    metadata: Partial<GitRepository['metadata']> = {},
  ): Promise<{ readonly outcome: Outcome; readonly messages: readonly string[] }> {
    const clock = new ManualClock(0);
    const store = await openArtifactStore({ directory: join(home, 'store'), advertisedAddress: 'src', clock });
    const reader = await openArtifactReader({ cacheDirectory: join(home, 'unpacked'), clock });
    const git = openGit({ path: PATH, workDirectory: join(home, 'tmp'), cacheDirectory: join(home, 'cache') });
    const controller = gitRepositoryController({
      client: cluster(objects),
      git,
      store,
      reader,
      requeueDependencyMs: 30_000,
    });
    const messages: string[] = [];
    const context: ReconcileContext = {
      signal: new AbortController().signal,
      superseded: new AbortController().signal,
      async progress({ conditions, events = [] }) {
        messages.push(...conditions.filter(({ type }) => type === 'Reconciling').map(({ message }) => message));
        messages.push(...events.map(({ reason }) => reason));
        return true;
      },
    };
    const object: GitRepository = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'repo', namespace: 'apps', generation: 1, ...metadata },
      // Port 1 of loopback answers at once that nobody is there.
      spec: { interval: '1m', url: 'http://127.0.0.1:1/x.git', timeout: '20s', ...spec },
      status: { observedGeneration: -1 },
    };
    return { outcome: await controller.reconciler.reconcile(object, context), messages };
  }

  it.each([
    [
      'the secret is missing',
      { secretRef: { name: 's' } },
      'backoff',
      'AuthenticationFailed',
      /^failed to get secret 'apps\/s': failed to get secret 'apps\/s': secrets "s" not found$/,
    ],
    [
      'the proxy secret is missing',
      { proxySecretRef: { name: 's' } },
      'backoff',
      'AuthenticationFailed',
      /^failed to configure proxy options: secret 'apps\/s' not found$/,
    ],
    ['ssh has no secret', { url: 'ssh://git@h/x' }, 'backoff', 'AuthenticationFailed', /'identity' is required$/],
    ['the address is hostile', { url: 'ssh://-oProxyCommand=id/x' }, 'stalled', 'URLInvalid', /^failed to parse url/],
    [
      'the branch is hostile',
      { ref: { branch: '--upload-pack=id' } },
      'backoff',
      'GitOperationFailed',
      /not a valid name$/,
    ],
    [
      'the provider is not there yet',
      { provider: 'azure' },
      'stalled',
      'InvalidProviderConfiguration',
      /not supported yet/,
    ],
    [
      'github has no secret',
      { provider: 'github' },
      'stalled',
      'InvalidProviderConfiguration',
      /^secretRef with github app data/,
    ],
    [
      'an included repository is missing',
      { include: [{ repository: { name: 'lib' } }] },
      'wait',
      'NotFound',
      /GitRepository.source.toolkit.fluxcd.io "lib" not found$/,
    ],
    [
      'nobody answers',
      {},
      'backoff',
      'GitOperationFailed',
      /^failed to checkout and determine revision: unable to clone 'http:\/\/127.0.0.1:1\/x.git': /,
    ],
  ] as const)('says so when %s', async (_what, spec, kind, reason, message) => {
    const { outcome, messages } = await reconcile(spec as never);
    if (outcome.kind === 'none' || outcome.kind === 'deleted') throw new Error(outcome.kind);
    expect([outcome.kind, messages]).toEqual([
      kind,
      ['processing object: new generation -1 -> 1', 'building artifact'],
    ]);
    expect(outcome.conditions.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason,
      message: expect.stringMatching(message),
    });
  });

  it('does nothing while suspended, and cleans up when deleted', async () => {
    expect((await reconcile({ suspend: true })).outcome).toEqual({ kind: 'none' });
    await mkdir(join(home, 'store/gitrepository/apps/repo'), { recursive: true });
    const { outcome, messages } = await reconcile({}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect([outcome, messages]).toEqual([{ kind: 'deleted' }, ['GarbageCollectionSucceeded']]);
  });
});
