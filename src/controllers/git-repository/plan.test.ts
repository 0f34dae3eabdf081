import { describe, expect, it } from 'vitest';
import type { Artifact, GitRepository } from '../../api/kinds/git-repository.ts';
import {
  begin,
  building,
  conclude,
  contentChanged,
  fail,
  inStorage,
  mark,
  report,
  stored,
  withoutArtifact,
} from './plan.ts';

const ARTIFACT: Artifact = {
  digest: 'sha256:aa',
  lastUpdateTime: '2026-01-01T00:00:00Z',
  path: 'gitrepository/apps/repo/a.tar.gz',
  revision: 'main@sha1:aa',
  size: 1,
  url: 'http://src/gitrepository/apps/repo/a.tar.gz',
};

function repository(spec: Partial<GitRepository['spec']> = {}, status?: GitRepository['status']): GitRepository {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'repo', namespace: 'apps', generation: 2 },
    spec: { interval: '1m', url: 'https://host/x', ...spec },
    ...(status === undefined ? {} : { status }),
  };
}
function condition(type: string, status: 'True' | 'False', reason = 'R', message = 'm') {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 2 };
}

describe('a reconcile of a GitRepository', () => {
  it('leaves conditions at the generation that they were last found in, until they are found again', () => {
    const types = ['ArtifactInStorage', 'SourceVerified', 'FetchFailed'];
    const conditions = types.map((type) => ({ ...condition(type, 'True'), observedGeneration: 1 }));
    const start = begin(repository({}, { conditions }));
    const generations = (progress: ReturnType<typeof begin>) =>
      new Map(progress.conditions.map(({ type, observedGeneration }) => [type, observedGeneration]));
    expect(types.map((type) => generations(start).get(type))).toEqual([1, 1, undefined]);
    expect(generations(mark(start, inStorage('main@sha1:aa'))).get('ArtifactInStorage')).toBeUndefined();
  });

  it.each([
    [undefined, 'processing object: new generation 0 -> 2'],
    [{ observedGeneration: -1 }, 'processing object: new generation -1 -> 2'],
    [{ observedGeneration: 2 }, 'reconciliation in progress'],
  ])('with status %j begins by saying %j', (status, message) => {
    expect(begin(repository({}, status)).message).toBe(message);
  });

  it('drops what is judged anew, and keeps a verification that held', () => {
    const types = (conditions: readonly ReturnType<typeof condition>[]) =>
      begin(repository({}, { conditions })).conditions.map(({ type }) => type);
    expect(types([condition('StorageOperationFailed', 'True'), condition('FetchFailed', 'True')])).toEqual([
      'FetchFailed',
    ]);
    expect(types([condition('SourceVerified', 'False'), condition('Stalled', 'True')])).toEqual([]);
    expect(types([condition('SourceVerified', 'True')])).toEqual(['SourceVerified']);
  });

  it('without a stored artifact is not Ready until there is one', () => {
    const progress = withoutArtifact(
      begin(repository({}, { artifact: ARTIFACT, conditions: [condition('ArtifactInStorage', 'True')] })),
      true,
    );
    expect(report(progress)).toEqual({
      conditions: [
        {
          type: 'Ready',
          status: 'Unknown',
          reason: 'Progressing',
          message: 'building artifact: disappeared from storage',
        },
        {
          type: 'Reconciling',
          status: 'True',
          reason: 'Progressing',
          message: 'building artifact: disappeared from storage',
        },
      ],
      status: {},
    });
  });

  it('tells of a new artifact, of a recovery, and of nothing when nothing happened', () => {
    const events = (before: GitRepository) => {
      const end = conclude(before, stored(begin(before), before, ARTIFACT, []), 'first', 60_000);
      return end.kind === 'done' ? end.events : [];
    };
    const message = "stored artifact for commit 'first'";
    const metadata = { revision: 'main@sha1:aa', digest: 'sha256:aa' };
    expect(events(repository())).toEqual([{ severity: 'info', reason: 'NewArtifact', message, metadata }]);
    const failing = repository({}, { artifact: ARTIFACT, conditions: [condition('FetchFailed', 'True')] });
    expect(events(failing)).toEqual([{ severity: 'info', reason: 'Succeeded', message, metadata }]);
    expect(events(repository({}, { artifact: ARTIFACT }))).toEqual([]);
  });

  it('that fails keeps what is stored and lets the first failure speak for Ready', () => {
    const before = repository({}, { artifact: ARTIFACT, observedGeneration: 2 });
    const progress = mark(building(mark(begin(before), inStorage('main@sha1:aa')), "new upstream revision 'x'"), {
      type: 'IncludeUnavailable',
      status: 'True',
      reason: 'NotFound',
      message: 'lib',
    });
    const end = fail(
      progress,
      { type: 'FetchFailed', reason: 'GitOperationFailed', message: 'no', policy: 'retry' },
      1000,
    );
    expect(end).toMatchObject({ kind: 'backoff', status: { artifact: ARTIFACT } });
    if (end.kind !== 'backoff') throw new Error(end.kind);
    expect(end.conditions.find(({ type }) => type === 'Ready')).toEqual({
      type: 'Ready',
      status: 'False',
      reason: 'GitOperationFailed',
      message: 'no',
    });
    expect(end.events).toEqual([{ severity: 'error', reason: 'GitOperationFailed', message: 'no' }]);
  });

  it.each([
    ['wait', 'wait', 'info'],
    ['stall', 'stalled', 'error'],
  ] as const)('with policy %s ends as %s', (policy, kind, severity) => {
    const end = fail(begin(repository()), { type: 'FetchFailed', reason: 'X', message: 'y', policy }, 30_000);
    expect(end).toMatchObject({ kind, events: [{ severity }] });
  });

  it.each([
    ['nothing', {}, {}, false],
    ['ignore', { ignore: '' }, {}, true],
    ['ignore, as observed', { ignore: '' }, { observedIgnore: '' }, false],
    ['submodules', { recurseSubmodules: true }, {}, true],
    ['sparse checkout', { sparseCheckout: ['a'] }, { observedSparseCheckout: ['b'] }, true],
    ['an inclusion', { include: [{ repository: { name: 'lib' } }] }, {}, true],
    ['verification', { verify: { secretRef: { name: 'k' } } }, {}, true],
    [
      'verification, as done',
      { verify: { mode: 'head', secretRef: { name: 'k' } } },
      { sourceVerificationMode: 'HEAD' },
      false,
    ],
  ] as const)('with a change of %s', (_what, spec, status, want) => {
    expect(contentChanged(repository(spec as never), status as never, [])).toBe(want);
  });

  it('fetches again when an included artifact has changed', () => {
    const status = { includedArtifacts: [ARTIFACT], observedInclude: [{ repository: { name: 'lib' } }] };
    const object = repository({ include: [{ repository: { name: 'lib' } }] });
    expect(contentChanged(object, status, [ARTIFACT])).toBe(false);
    expect(contentChanged(object, status, [{ ...ARTIFACT, digest: 'sha256:bb' }])).toBe(true);
  });
});
