/* oxlint-disable vitest/no-conditional-tests -- without the recorded cluster there is one test, which says so */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/object.ts';
import { at, equal, type Json } from '../../src/base/json.ts';
import { commitFiles, type GitHttp, serveGit } from '../support/git-http.ts';
import { keyOf, type TakenOver, takeOver } from '../support/taken-over.ts';
import { conformanceDirectory } from './judge.ts';

const directory = join(conformanceDirectory(), 'takeover');
const STATUS_OR_EVENT = /^(PATCH|PUT) .*\/status$|^(POST|PATCH) .*\/events(\/|$)/;

describe('a cluster as Flux left it', () => {
  if (!existsSync(directory)) {
    it('did not run: there is no recorded cluster beside this checkout', () => {
      console.log(`the take-over did not run: ${directory} does not exist (set WEIR_CONFORMANCE_DIR)`);
      expect(existsSync(directory)).toBe(false);
    });
    return;
  }
  const before = new Map(read<{ items: KubeObject[] }>('cluster.json').items.map((object) => [keyOf(object), object]));
  const control = read<{ changed: [string, string, string][] }>('control.json').changed;
  const mayChange = new Set(control.map(([kind, namespace, name]) => `${kind}/${namespace}/${name}`));
  const work = mkdtempSync(join(tmpdir(), 'weir-takeover-'));
  let git: GitHttp;
  let cluster: TakenOver;

  beforeAll(async () => {
    interface Commit {
      repo: string;
      message: string;
      files: Record<string, string>;
      expectedCommit: string;
    }
    for (const { repo, message, files, expectedCommit } of read<{ commits: Commit[] }>('repositories.json').commits) {
      const hash = commitFiles(join(work, 'git', `${repo}.git`), message, files);
      if (hash !== expectedCommit) throw new Error(`${repo}: ${hash} instead of ${expectedCommit}`);
    }
    git = await serveGit(work, 20880);
    cluster = await takeOver([...before.values()]);
  });
  afterAll(async () => {
    await cluster?.stop();
    await git?.close();
    rmSync(work, { recursive: true, force: true });
  });

  it('is taken over without a write other than status', async () => {
    await cluster.run((objects) => passes(objects) === 1);
    expect(cluster.writes.filter((write) => !STATUS_OR_EVENT.test(write))).toEqual([]);
    expect(differences()).toEqual([]);
  });

  it('and the next engine finds what it would have left itself', async () => {
    await cluster.run((objects) => passes(objects) === 2);
    expect(cluster.writes.filter((write) => !STATUS_OR_EVENT.test(write))).toEqual([]);
    expect(differences()).toEqual([]);
  });

  /** Passes over every Kustomization since the beginning; the digest of what was built must be Flux's for it to count. */
  function passes(objects: ReadonlyMap<string, KubeObject>): number {
    return Math.min(
      ...[...mayChange].map(
        (key) => total(objects.get(key), before.get(key)) - total(before.get(key), before.get(key)),
      ),
    );
  }

  function total(object: KubeObject | undefined, like: KubeObject | undefined): number {
    const digest = historyOf(like)[0]?.digest;
    return historyOf(object).find((entry) => entry.digest === digest)?.totalReconciliations ?? 0;
  }

  /** Objects that are not as Flux left them, beyond what a pass of Flux itself changes. */
  function differences(): readonly string[] {
    const after = cluster.objects();
    const found: string[] = [];
    for (const [key, was] of before) {
      const now = after.get(key) as KubeObject;
      const isSource = key.startsWith('GitRepository/');
      if (!mayChange.has(key) && !isSource && !equal(now as never, was as never)) found.push(`${key} was changed`);
      // Nothing but the status, and the version and time that come with it.
      if (!equal(withoutTimes(now), withoutTimes(was))) found.push(`${key} was changed beside its status`);
      for (const field of ['inventory', 'lastAppliedRevision', 'lastAttemptedRevision', 'observedGeneration']) {
        if (!equal(at(now.status, field), at(was.status, field))) found.push(`${key} has another ${field}`);
      }
      if (isSource && !equal(at(now.status, 'artifact', 'revision'), at(was.status, 'artifact', 'revision'))) {
        found.push(`${key} has another revision`);
      }
    }
    const added = [...after.keys()].filter((key) => !before.has(key) && /\/(flux-system|frontend|backend)\//.test(key));
    return [...found, ...added.map((key) => `${key} was made`)];
  }
});

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(directory, name), 'utf8')) as T;
}

function historyOf(object: KubeObject | undefined): readonly { digest: string; totalReconciliations: number }[] {
  return (object?.status?.['history'] ?? []) as { digest: string; totalReconciliations: number }[];
}

/** An object without its status, and without what changes with a status. */
function withoutTimes(whole: KubeObject): Json {
  const { status: _, ...object } = whole;
  const { resourceVersion: __, managedFields = [], ...metadata } = object.metadata as unknown as Record<string, Json>;
  const fields = (managedFields as readonly { readonly [key: string]: Json }[]).map(
    ({ time: ___, fieldsV1, ...field }) => (field['subresource'] === 'status' ? field : { ...field, fieldsV1 }),
  );
  return { ...object, metadata: { ...metadata, managedFields: fields } } as unknown as Json;
}
