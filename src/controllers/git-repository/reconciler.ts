import type { Artifact, GitRepository } from '../../api/kinds/git-repository.ts';
import type { Outcome } from '../../api/outcome.ts';
import { parseDuration } from '../../base/duration.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { type Controller, defineController, type ReconcileContext } from '../../runtime/controller.ts';
import { compress, packTree } from '../../source/artifact/archive.ts';
import type { ArtifactReader } from '../../source/artifact/artifact.ts';
import { overlay, type SourceFile, selectFiles } from '../../source/artifact/source-tree.ts';
import type { ArtifactOwner, ArtifactStore } from '../../source/artifact/store.ts';
import { exhaustion } from '../../source/exhausted.ts';
import { shortMessage } from '../../source/git/commit.ts';
import { type Checkout, type Git } from '../../source/git/git.ts';
import { referenceOf } from '../../source/git/reference.ts';
import { cleanPath } from '../../source/git/source-files.ts';
import { type AccessPorts, access } from './access.ts';
import { FoundArtifacts } from './found-artifacts.ts';
import {
  begin,
  building,
  CONDITIONS,
  conclude,
  contentChanged,
  type Failure,
  fail,
  includesDiffer,
  inStorage,
  mark,
  type Progress,
  report,
  stored,
  tell,
  unmark,
  withoutArtifact,
} from './plan.ts';
import { verify } from './verify.ts';

export interface GitRepositoryOptions extends AccessPorts {
  readonly client: KubeClient;
  readonly git: Git;
  readonly store: ArtifactStore;
  /** Reads the artifacts of included repositories. */
  readonly reader: ArtifactReader;
  /** `--requeue-dependency`. */
  readonly requeueDependencyMs: number;
}

const API_VERSION = 'source.toolkit.fluxcd.io/v1';
const KIND = 'GitRepository';
const DEFAULT_TIMEOUT_MS = 60_000;

/** Fetches git repositories into artifacts. Source: source-controller@1.9 gitrepository_controller.go. */
export function gitRepositoryController(options: GitRepositoryOptions): Controller<GitRepository> {
  const found = new FoundArtifacts();
  return defineController({
    name: 'source-controller',
    apiVersion: API_VERSION,
    kind: KIND,
    watches: [],
    conditions: CONDITIONS,
    finalizer: 'finalizers.fluxcd.io',
    restampsReady: true,
    reconciler: { reconcile: (object, context) => reconcile(options, found, object, context) },
    leave: (object) => found.leave(object),
  });
}

async function reconcile(
  options: GitRepositoryOptions,
  found: FoundArtifacts,
  object: GitRepository,
  context: ReconcileContext,
): Promise<Outcome> {
  const owner = ownerOf(object);
  if (object.metadata.deletionTimestamp !== undefined) {
    found.forget(object);
    return remove(options, object, owner, context);
  }
  if (object.spec.suspend === true) return { kind: 'none' };
  const run: Run = {
    options,
    found,
    object,
    owner,
    context,
    intervalMs: durationOf(object.spec.interval, DEFAULT_TIMEOUT_MS),
  };
  let progress = begin(object);
  show(context, progress);
  const checked = await checkStorage(run, progress).catch((cause: unknown) => {
    const message = exhaustion(cause);
    if (message === undefined) throw cause;
    return message;
  });
  if (typeof checked === 'string') {
    const message = `failed to look at stored artifacts: ${checked}`;
    const failure = {
      type: 'StorageOperationFailed',
      reason: 'StatOperationFailed',
      message,
      policy: 'retry',
    } as const;
    return failed(run, { progress, failure });
  }
  progress = checked;
  const fetched = await fetchSource(run, progress);
  if (!fetched.ok) return failed(run, fetched.error);
  if (fetched.value.kind === 'concluded') return fetched.value.outcome;
  const { checkout } = fetched.value;
  try {
    const built = await buildArtifact(run, fetched.value);
    return built.ok ? built.value : failed(run, built.error);
  } finally {
    await checkout.close();
  }
}

interface Run {
  readonly options: GitRepositoryOptions;
  readonly found: FoundArtifacts;
  readonly object: GitRepository;
  readonly owner: ArtifactOwner;
  readonly context: ReconcileContext;
  readonly intervalMs: number;
}
interface Stopped {
  readonly progress: Progress;
  readonly failure: Failure;
}

function failed({ options }: Run, { progress, failure }: Stopped): Outcome {
  return fail(progress, failure, options.requeueDependencyMs);
}

async function remove(
  { store, git }: GitRepositoryOptions,
  object: GitRepository,
  owner: ArtifactOwner,
  context: ReconcileContext,
): Promise<Outcome> {
  const removed = await store.removeAll(owner);
  await git.forget(owner);
  if (removed) {
    const { conditions, status } = begin(object);
    const message = 'garbage collected artifacts for deleted resource';
    await context.progress({
      conditions,
      status: status as object as Exclude<Parameters<ReconcileContext['progress']>[0]['status'], undefined>,
      events: [{ severity: 'trace', reason: 'GarbageCollectionSucceeded', message }],
    });
  }
  return { kind: 'deleted' };
}

/** Shows a step in the status while work goes on: whether the server takes it shows when the outcome is written. */
function show(context: ReconcileContext, progress: Progress): void {
  context.progress(report(progress)).catch(() => {});
}

/** Makes what the status says of the stored artifact true again. */
async function checkStorage({ options, found, object, context }: Run, start: Progress): Promise<Progress> {
  const { store } = options;
  let progress = start;
  const { artifact } = start.status;
  if (artifact !== undefined) {
    const removed = await store.collectGarbage(artifact as StoredArtifact);
    if (removed > 0) {
      const message = `garbage collected ${removed} artifacts`;
      progress = tell(progress, { severity: 'trace', reason: 'GarbageCollectionSucceeded', message });
    }
    const state = await store.check(artifact as StoredArtifact);
    if (state === 'stored') {
      return {
        ...progress,
        status: { ...progress.status, artifact: store.withCurrentUrl(artifact as StoredArtifact) },
      };
    }
    if (state === 'corrupt') {
      const message = 'failed to verify integrity of artifact: computed digest does not match the advertised one';
      progress = tell(progress, { severity: 'error', reason: 'ArtifactVerificationFailed', message });
      await store.remove(artifact as StoredArtifact);
    } else found.note(object, artifact as StoredArtifact, start.status);
  }
  progress = withoutArtifact(progress, artifact !== undefined);
  await context.progress(report(progress));
  return progress;
}

type StoredArtifact = Parameters<ArtifactStore['check']>[0];

type Fetched =
  | { readonly kind: 'concluded'; readonly outcome: Outcome }
  | {
      readonly kind: 'checkout';
      readonly checkout: Checkout;
      readonly files: readonly SourceFile[];
      readonly includes: readonly Artifact[];
      readonly progress: Progress;
    };

async function fetchSource(run: Run, start: Progress): Promise<Result<Fetched, Stopped>> {
  const { options, object, context, owner } = run;
  const { spec } = object;
  let progress = start;
  const stop = (failure: Failure): Result<never, Stopped> => err({ progress, failure });

  const allowed = await access(options, object);
  if (!allowed.ok) return stop(allowed.error);
  const includes = await readIncludes(run);
  if (!includes.ok) return stop(includes.error);
  progress = unmark(progress, 'IncludeUnavailable');
  if (includesDiffer(includes.value, progress.status.includedArtifacts)) {
    const message = 'included artifacts differ from last observed includes';
    if (progress.status.includedArtifacts !== undefined) progress = mark(progress, outdated('IncludeChange', message));
    progress = building(progress, message);
    show(context, progress);
  }
  progress = unmark(progress, 'ArtifactOutdated');

  const gitFailure = (message: string): Failure => ({
    type: 'FetchFailed',
    reason: 'GitOperationFailed',
    message,
    policy: 'retry',
  });
  const reference = referenceOf(spec.ref);
  if (!reference.ok) return stop(gitFailure(`failed to checkout and determine revision: ${reference.error}`));
  const request = {
    owner,
    url: allowed.value.url,
    reference: reference.value,
    credentials: allowed.value.credentials,
    ...(allowed.value.proxy === undefined ? {} : { proxy: allowed.value.proxy }),
    timeoutMs: durationOf(spec.timeout, DEFAULT_TIMEOUT_MS),
    recurseSubmodules: spec.recurseSubmodules === true,
    sparseCheckout: spec.sparseCheckout,
    signal: context.signal,
  };
  const { artifact } = progress.status;
  const isStored = progress.conditions.some(({ type, status }) => type === 'ArtifactInStorage' && status === 'True');
  const same = artifact !== undefined && isStored && !contentChanged(object, progress.status, includes.value);
  const result = await options.git.fetch(same ? { ...request, lastRevision: artifact.revision } : request);
  if (!result.ok) {
    const { code, message } = result.error;
    if (code === 'Empty') return stop({ ...gitFailure(message), reason: 'EmptyGitRepository' });
    return stop(gitFailure(`failed to checkout and determine revision: ${message}`));
  }
  if (result.value.kind === 'unchanged') {
    return ok({ kind: 'concluded', outcome: unchanged(run, progress, result.value.revision) });
  }

  const { checkout } = result.value;
  let handedOn = false;
  try {
    const files = await checkout.files();
    progress = unmark(progress, 'FetchFailed');
    if (!files.ok) {
      const { code, message } = files.error;
      const step =
        code === 'Sparse' ? 'failed to sparse checkout directories : ' : 'failed to checkout and determine revision: ';
      return stop(gitFailure(step + message));
    }
    const verified = await verify(options.client, object, checkout, progress, context.signal);
    if (!verified.ok) return verified;
    progress = verified.value;
    if (artifact?.revision !== checkout.revision) {
      const message = `new upstream revision '${checkout.revision}'`;
      if (artifact !== undefined) progress = mark(progress, outdated('NewRevision', message));
      progress = building(progress, message);
      show(context, progress);
    }
    handedOn = true;
    return ok({ kind: 'checkout', checkout, files: files.value, includes: includes.value, progress });
  } finally {
    if (!handedOn) await checkout.close();
  }
}

/** The server has what is stored, and nothing else that shapes the artifact has changed. */
function unchanged({ object, intervalMs }: Run, at: Progress, revision: string): Outcome {
  const message = `no changes since last reconciliation: observed revision '${revision}'`;
  const clean = mark(unmark(at, 'FetchFailed'), inStorage(revision));
  const told = tell(clean, { severity: 'trace', reason: 'GitOperationSucceeded', message });
  return conclude(object, told, revision, intervalMs);
}

function outdated(reason: string, message: string): Parameters<typeof mark>[1] {
  return { type: 'ArtifactOutdated', status: 'True', reason, message };
}

/** The artifacts of `spec.include`, in its order. */
async function readIncludes({ options, object }: Run): Promise<Result<readonly Artifact[], Failure>> {
  const artifacts: Artifact[] = [];
  for (const { repository } of object.spec.include ?? []) {
    const waiting = (reason: string, message: string): Result<never, Failure> =>
      err({ type: 'IncludeUnavailable', reason, message, policy: 'wait' });
    const { namespace = '' } = object.metadata;
    const found = await options.client.get({ apiVersion: API_VERSION, kind: KIND, namespace, name: repository.name });
    if (!found.ok) {
      const why = isNotFound(found.error)
        ? `${KIND}.source.toolkit.fluxcd.io "${repository.name}" not found`
        : found.error.message;
      return waiting('NotFound', `could not get resource for include '${repository.name}': ${why}`);
    }
    const { artifact } = (found.value as unknown as GitRepository).status ?? {};
    if (artifact === undefined) return waiting('NoArtifact', `no artifact available for include '${repository.name}'`);
    artifacts.push(artifact);
  }
  return ok(artifacts);
}

async function buildArtifact(
  run: Run,
  { checkout, files, includes, progress: start }: Extract<Fetched, { readonly kind: 'checkout' }>,
): Promise<Result<Outcome, Stopped>> {
  const { options, found, object, owner, intervalMs } = run;
  const { artifact } = start.status;
  const subject = shortMessage(checkout.commit.message);
  if (artifact?.revision === checkout.revision && !contentChanged(object, start.status, includes)) {
    const message = `artifact up-to-date with remote revision: '${artifact.revision}'`;
    const told = tell(mark(unmark(start, 'ArtifactOutdated'), inStorage(artifact.revision)), {
      severity: 'trace',
      reason: 'ArtifactUpToDate',
      message,
    });
    return ok(conclude(object, told, subject, intervalMs));
  }
  const stop = (reason: string, message: string): Result<never, Stopped> =>
    err({ progress: start, failure: { type: 'StorageOperationFailed', reason, message, policy: 'retry' } });

  const merged = await addIncludes(run, files, includes);
  if (!merged.ok) return stop('CopyFailure', merged.error);
  const selected = await selectFiles(merged.value, object.spec.ignore);
  if (!selected.ok) return stop('ArchiveOperationFailed', `unable to archive artifact to storage: ${selected.error}`);
  const tar = packTree(selected.value);
  const compressed = compress(tar);
  // Meanwhile: whoever uses it finds it unpacked when the status tells of it; if that fails, theirs is to say so.
  const staged = options.reader.stage(tar);
  const file = `${checkout.commit.hash}.tar.gz`;
  const made = await compressed
    .then((bytes) => options.store.put(owner, file, checkout.revision, bytes, found.of(object)))
    .catch(async (cause: unknown) => {
      await staged.drop();
      const message = exhaustion(cause);
      if (message === undefined) throw cause;
      return message;
    });
  if (typeof made === 'string') {
    return stop('ArchiveOperationFailed', `unable to archive artifact to storage: ${made}`);
  }
  found.compare(object, made, includes);
  staged.keep(made).catch(() => {});
  return ok(conclude(object, stored(start, object, made, includes), subject, intervalMs));
}

/** Copies the included artifacts' files into the tree. */
async function addIncludes(
  { options, object, owner, context }: Run,
  files: readonly SourceFile[],
  includes: readonly Artifact[],
): Promise<Result<readonly SourceFile[], string>> {
  let merged = files;
  for (const [index, include] of (object.spec.include ?? []).entries()) {
    const { name } = include.repository;
    const from = include.fromPath ?? '';
    const to = include.toPath ?? '';
    const target = to === '' ? name : to;
    const say = (why: string): Result<never, string> =>
      err(`failed to copy '${name}' include from ${from} to ${target}: ${why}`);
    const archive = await options.reader.files(includes[index] as Artifact, context.signal);
    if (!archive.ok) return say(archive.error.message);
    const added = archive.value.map((file) => ({ ...file, read: async () => file.content }));
    const source = cleanPath(from);
    // `..` stops at the root, as filepath-securejoin does it for Flux.
    const destination = target.split('/').reduce<readonly string[]>((steps, step) => {
      if (step === '..') return steps.slice(0, -1);
      return step === '' || step === '.' ? steps : [...steps, step];
    }, []);
    const result = source === undefined ? undefined : overlay(merged, added, source, destination.join('/'));
    if (result === undefined) {
      const path = `${options.git.workDirectory(owner)}/unpack/${from}`;
      return say(`cannot stat ${path}: stat ${path}: no such file or directory`);
    }
    merged = result;
  }
  return ok(merged);
}

function ownerOf({ kind, metadata }: GitRepository): ArtifactOwner {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** Durations were checked by the schema when the object was stored. */
function durationOf(text: string | undefined, fallbackMs: number): number {
  const parsed = text === undefined ? undefined : parseDuration(text);
  return parsed?.ok === true ? parsed.value : fallbackMs;
}
