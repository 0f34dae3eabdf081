import { describe, expect, it } from 'vitest';
import type { GitRepository } from '../../api/kinds/git-repository.ts';
import type { Artifact } from '../../source/artifact/artifact.ts';
import { FoundArtifacts } from './found-artifacts.ts';

function artifact(revision: string, digest: string): Artifact {
  const path = `gitrepository/apps/repo/${revision}.tar.gz`;
  return { revision, digest, path, url: `http://src/${path}`, size: 1, lastUpdateTime: '2026-01-01T00:00:00Z' };
}
const THEIRS = artifact('main@sha1:aa', 'sha256:01');
const OURS = artifact('main@sha1:aa', 'sha256:02');
const LATER = artifact('main@sha1:bb', 'sha256:03');

function repository(status: GitRepository['status'], spec: Partial<GitRepository['spec']> = {}): GitRepository {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'repo', namespace: 'apps' },
    spec: { interval: '1m', url: 'https://host/x', ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

describe('an engine that ends leaves in the status of a source', () => {
  const NOTHING = 'no artifact';
  const AS_IT_IS = 'what there is';
  it.each<[string, Artifact, readonly Artifact[], Partial<GitRepository['spec']>, Artifact | string]>([
    ['what it found, where it made the same', THEIRS, [OURS], {}, THEIRS],
    ['no artifact once the content has moved on', THEIRS, [OURS, LATER], {}, NOTHING],
    ['what it found again, when the content is back', THEIRS, [OURS, LATER, OURS], {}, THEIRS],
    ['no artifact where it found another revision', LATER, [OURS], {}, NOTHING],
    ['no artifact where other files are left out now', THEIRS, [OURS], { ignore: '*.md' }, NOTHING],
    ['no artifact where what it found was its own', OURS, [OURS], {}, NOTHING],
    ['what there is, while the source is suspended', THEIRS, [OURS], { suspend: true }, AS_IT_IS],
    ['what there is, where nothing could be made', THEIRS, [], {}, AS_IT_IS],
  ])('%s', (_, first, made, spec, want) => {
    const found = new FoundArtifacts();
    const before = { observedGeneration: 1, artifact: first };
    found.note(repository(before, spec), first, before);
    let last: GitRepository['status'] = { observedGeneration: 1 };
    for (const each of made) {
      last = { observedGeneration: 1, artifact: each };
      found.compare(repository(last, spec), each, []);
    }
    const left = found.leave(repository(last, spec));
    const rest = { observedGeneration: 1 };
    const expected = want === AS_IT_IS ? undefined : want === NOTHING ? rest : { ...rest, artifact: want };
    expect(left).toEqual(expected);
  });

  it('what there is, where its store had what the status told of', () => {
    const found = new FoundArtifacts();
    expect(found.leave(repository({ observedGeneration: 1, artifact: OURS }))).toBeUndefined();
  });

  it('what there is, of a source that was made anew', () => {
    const found = new FoundArtifacts();
    found.note(repository(undefined), THEIRS, {});
    found.forget(repository(undefined));
    expect(found.leave(repository({ observedGeneration: 1, artifact: OURS }))).toBeUndefined();
  });
});
