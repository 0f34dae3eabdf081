import { Buffer } from 'node:buffer';
import { ready, unknownReady } from '../../api/condition.ts';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import { groupOf } from '../../api/object.ts';
import type { Outcome } from '../../api/outcome.ts';
import { contentHash } from '../../apply/applied-memory.ts';
import { type Applied, type ApplyOptions, applyAll, type Desired } from '../../apply/apply.ts';
import { altered, printChanges } from '../../apply/change.ts';
import { ignoreRules } from '../../apply/ignore-rules.ts';
import { identityOf, inventoryEntry, inventoryId, mergeEntries, staleEntries } from '../../apply/inventory.ts';
import { normalise } from '../../apply/normalise.ts';
import { isSelf, withMetadata } from '../../apply/owner.ts';
import { prune } from '../../apply/prune.ts';
import { formatDuration } from '../../base/duration.ts';
import { at, type JsonObject, stringAt, stringifyJson } from '../../base/json.ts';
import type { BuildResult } from '../../build/build.ts';
import { BuildCache } from '../../build/build-cache.ts';
import { compileExpression } from '../../health/expression.ts';
import { expressionRule } from '../../health/expression-rules.ts';
import { type HealthRule, jobRule } from '../../health/verdict.ts';
import { type HealthTarget, waitForHealth } from '../../health/wait.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ReconcileContext, Reconciler, Superseded } from '../../runtime/controller.ts';
import { type ReadyExpression, unmetDependency } from './dependencies.ts';
import type { DriftTracker } from './drift.ts';
import { finalize } from './finalize.ts';
import { Remembered } from './memory.ts';
import { Pass } from './pass.ts';
import { GROUP, plan, requestOf } from './plan.ts';
import type { KustomizationPorts, Settings } from './ports.ts';
import { readSource, type SourceArtifact } from './source.ts';
import { readVariables } from './variables.ts';

export const MANAGER = 'kustomize-controller';
const TERMINAL = 'Reconciliation failed terminally due to configuration error';
/** Everything is compared with the server at least this often, whatever the watches say. */
const VERIFY_EVERY_MS = 60 * 60_000;
/** Unwatched objects are read this often while their health is waited for. Source: kustomize-controller@1.9 checkHealth. */
const HEALTH_POLL_MS = 5_000;

/** Reconciles Kustomizations: source, dependencies, build, apply, prune, health. Source: kustomize-controller@1.9. */
export class KustomizationReconciler implements Reconciler<Kustomization> {
  readonly #ports: KustomizationPorts;
  readonly #settings: Settings;
  readonly #drift: DriftTracker;
  readonly #builds: BuildCache;
  readonly #memory = new Map<string, Remembered>();

  constructor(ports: KustomizationPorts, settings: Settings, drift: DriftTracker) {
    this.#ports = ports;
    this.#settings = settings;
    this.#drift = drift;
    this.#builds = new BuildCache(ports.builder);
  }

  /** Drops what is remembered of an object that is gone. */
  forget(key: string): void {
    this.#memory.delete(key);
    this.#builds.forget(key);
    this.#drift.forget(key);
  }

  async reconcile(object: Kustomization, context: ReconcileContext): Promise<Outcome> {
    const pass = new Pass(object, context, this.#ports.clock);
    try {
      return await this.#reconcile(pass, context);
    } finally {
      pass.cancel();
    }
  }

  async #reconcile(pass: Pass, context: ReconcileContext): Promise<Outcome> {
    const { object } = pass;
    const { spec } = object;
    const key = keyOf(object);
    if (object.metadata.deletionTimestamp !== undefined) {
      this.forget(key);
      const serviceAccount = spec.serviceAccountName || this.#settings.defaultServiceAccount || undefined;
      return finalize(pass, {
        ...this.#ports,
        live: this.#drift,
        signal: context.signal,
        serviceAccount,
        acting: this.#acting(object),
      });
    }
    if (spec.suspend === true) return { kind: 'none' };
    const rules = expressionRule(spec.healthCheckExprs ?? []);
    if (!rules.ok) return pass.stalled('InvalidCELExpression', `${TERMINAL}: ${rules.error}`, true);

    const source = await readSource(object, (ref) => this.#read(ref), this.#settings);
    if (!source.ok) {
      const { code, message } = source.error;
      if (code === 'AccessDenied') return pass.stalled('AccessDenied', message, false);
      if (code === 'NotFound') return pass.waiting('ArtifactFailed', message, pass.times.retryMs);
      throw new Error(message);
    }
    const { requeueDependencyMs } = this.#settings;
    if (source.value === undefined) {
      const message = `Source artifact not found, retrying in ${formatDuration(requeueDependencyMs)}`;
      return pass.waiting('ArtifactFailed', message, requeueDependencyMs);
    }
    pass.revision = source.value.revision;
    pass.originRevision = source.value.originRevision;

    let remembered = this.#memory.get(key);
    if (remembered === undefined) {
      remembered = new Remembered();
      this.#memory.set(key, remembered);
    }
    const { applied } = remembered;
    this.#drift.of(key, () => applied);
    const drifted = this.#drift.drifted(key);
    const memory = { lastFull: remembered.lastFull, drifted: drifted.size > 0 };
    if (plan(object, memory, pass.revision, pass.startMs) === 'repair') {
      return this.#repair(pass, context, remembered, [...drifted]);
    }

    const unmet = await unmetDependency(object, pass.revision, {
      client: this.#ports.client,
      evaluate: evaluateReady,
      additive: this.#settings.additiveReadyExpr,
    });
    if (unmet?.terminal === true) {
      return pass.stalled('InvalidCELExpression', `${TERMINAL}: terminal error: ${unmet.message}`, true);
    }
    if (unmet !== undefined) {
      const outcome = pass.waiting('DependencyNotReady', unmet.message, requeueDependencyMs);
      pass.event(
        'info',
        `Dependencies do not meet ready condition, retrying in ${formatDuration(requeueDependencyMs)}`,
      );
      return { ...outcome, ...pass.end() } as Outcome;
    }

    this.#drift.begin(key);
    try {
      return await this.#full(pass, context, source.value, remembered, [rules.value, jobRule]);
    } finally {
      this.#drift.end(key);
    }
  }

  async #full(
    pass: Pass,
    context: ReconcileContext,
    source: SourceArtifact,
    remembered: Remembered,
    rules: readonly HealthRule[],
  ): Promise<Outcome> {
    const { object } = pass;
    const { spec } = object;
    const key = keyOf(object);
    remembered.lastFull = undefined;
    pass.mark(unknownReady('Progressing', 'Reconciliation in progress'));
    pass.step('Fetching manifests');
    const unpacked = await this.#ports.artifacts.unpack(source.location, context.signal);
    if (!unpacked.ok) {
      const { requeueDependencyMs } = this.#settings;
      if (unpacked.error.code !== 'NotFound') return pass.failed('ArtifactFailed', unpacked.error.message);
      const message = `Source is not ready, artifact not found, retrying in ${formatDuration(requeueDependencyMs)}`;
      return pass.waiting('ArtifactFailed', message, requeueDependencyMs);
    }
    const substitution = await readVariables(object, this.#ports.client, this.#settings.strictSubstitutions);
    const request = {
      path: spec.path ?? '',
      rootPath: rootPath(source.location.digest),
      spec,
      ...(substitution === undefined ? {} : { substitution }),
    };
    const { digest } = source.location;
    const builds = this.#builds.build(key, digest, unpacked.value.directory, request, context.signal);
    const built = await this.#duringStep(pass, builds);
    if (!built.ok && built.error.code === 'path') return pass.failed('ArtifactFailed', built.error.message);
    pass.status = { ...pass.status, lastAttemptedRevision: pass.revision };
    pass.step('Building manifests');
    const unsupported = unsupportedField(object);
    if (unsupported !== undefined) return pass.failed(unsupported.reason, unsupported.message);
    if (!built.ok) return pass.failed('BuildFailed', built.error.message);
    pass.digest = built.value.digest;

    pass.step('Detecting drift');
    const encrypted = built.value.objects.find(isEncrypted);
    if (encrypted !== undefined) {
      const { namespace, name } = encrypted.metadata;
      const subject = [encrypted.kind, namespace, name].filter(Boolean).join('/');
      pass.record('ReconciliationFailed');
      return pass.failed(
        'ReconciliationFailed',
        `${subject} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
      );
    }
    const ignore = ignoreRules(spec.ignore ?? []);
    if (!ignore.ok) {
      pass.record('ReconciliationFailed');
      return pass.failed('ReconciliationFailed', ignore.error);
    }
    const desired = this.#prepare(object, built.value, remembered);
    this.#drift.watch(desired.map((item) => item.object));
    const verify =
      requestOf(object) !== (object.status?.lastHandledReconcileAt ?? undefined) ||
      pass.startMs - remembered.verifiedAtMs >= VERIFY_EVERY_MS;
    const options = this.#applyOptions(object, remembered, context.signal, verify, ignore.value);
    const applied = await applyAll(desired, options);
    if (!applied.ok) {
      const { message, changes } = applied.error;
      pass.record('ReconciliationFailed');
      return pass.failed('ReconciliationFailed', `${message}\n${withLineEnd(printChanges(altered(changes)))}`);
    }
    if (verify) remembered.verifiedAtMs = pass.startMs;
    remembered.desired = new Map(desired.map((item) => [inventoryId(identityOf(item.object)), item]));
    remembered.applied.keep(new Set(remembered.desired.keys()));
    const changes = altered(applied.value);
    if (changes.length > 0) pass.event('info', printChanges(changes));

    const before = pass.status.inventory?.entries ?? [];
    const after = applied.value.map(({ ref }) =>
      inventoryEntry({ ...ref, metadata: { name: ref.name, ...namespaceOf(ref) } }),
    );
    pass.setInventory(after);
    if (spec.prune === true) {
      const { namespace = '', name } = object.metadata;
      const owner = { group: GROUP, namespace, name };
      const pruned = await prune(staleEntries(before, after), owner, {
        client: this.#acting(object),
        live: this.#drift,
        signal: context.signal,
      });
      if (!pruned.ok) {
        pass.setInventory(mergeEntries(after, pruned.error.survivors));
        pass.record('PruneFailed');
        return pass.failed('PruneFailed', pruned.error.message);
      }
      if (pruned.value.length > 0) pass.event('info', printChanges(pruned.value));
    }

    const unhealthy = await this.#checkHealth(pass, context, applied.value, desired, rules, changes.length > 0);
    if (unhealthy !== undefined) return unhealthy;

    const { originRevision, revision } = pass;
    const { lastAppliedOriginRevision: _, ...status } = pass.status;
    pass.status = {
      ...status,
      lastAppliedRevision: revision,
      ...(originRevision === undefined ? {} : { lastAppliedOriginRevision: originRevision }),
    };
    pass.mark(ready('ReconciliationSucceeded', `Applied revision: ${revision}`));
    pass.unmark('Reconciling');
    pass.record('ReconciliationSucceeded');
    const interval = formatDuration(pass.times.intervalMs);
    pass.event('info', `Reconciliation finished in ${pass.elapsed()}, next run in ${interval}`, {
      commit_status: 'update',
    });
    remembered.lastFull = {
      generation: object.metadata.generation ?? 0,
      requested: requestOf(object),
      revision,
      atMs: pass.startMs,
    };
    return pass.done(pass.times.intervalMs);
  }

  /** Puts back objects that drifted, without building and without a line in the history. */
  async #repair(
    pass: Pass,
    context: ReconcileContext,
    remembered: Remembered,
    ids: readonly string[],
  ): Promise<Outcome> {
    const { object } = pass;
    const key = keyOf(object);
    const desired = ids.map((id) => remembered.desired.get(id)).filter((item) => item !== undefined);
    const ignore = ignoreRules(object.spec.ignore ?? []);
    this.#drift.begin(key);
    try {
      const options = this.#applyOptions(object, remembered, context.signal, true, ignore.ok ? ignore.value : []);
      const applied = await applyAll(desired, options);
      const done = altered(applied.ok ? applied.value : applied.error.changes);
      if (!applied.ok) {
        remembered.lastFull = undefined;
        pass.mark(unknownReady('Progressing', 'Reconciliation in progress'));
        pass.step('Detecting drift');
        return pass.failed('ReconciliationFailed', `${applied.error.message}\n${withLineEnd(printChanges(done))}`);
      }
      if (done.length > 0) {
        const before = pass.conditions;
        pass.mark(unknownReady('Progressing', 'Reconciliation in progress'));
        pass.event('info', printChanges(done));
        pass.conditions = before;
      }
      const last = remembered.lastFull?.atMs ?? pass.startMs;
      return pass.done(Math.max(0, last + pass.times.intervalMs - this.#ports.clock.now()));
    } finally {
      this.#drift.end(key);
    }
  }

  async #checkHealth(
    pass: Pass,
    context: ReconcileContext,
    applied: readonly Applied[],
    desired: readonly Desired[],
    rules: readonly HealthRule[],
    changed: boolean,
  ): Promise<Outcome | undefined> {
    const { object } = pass;
    const targets = healthTargets(object, applied, desired);
    if (targets.length === 0) {
      pass.unmark('Healthy');
      return undefined;
    }
    const wasHealthy = pass.conditions.get('Healthy')?.status === 'True';
    const isNewRevision = pass.status.lastAppliedRevision !== pass.revision;
    pass.step('Running health checks');
    const progress = pass.conditions.get('Reconciling')?.message ?? '';
    pass.mark({ type: 'Healthy', status: 'Unknown', reason: 'Progressing', message: progress });
    const startMs = pass.stopwatch();
    const { namespace = '', name } = object.metadata;
    const others = targets.filter(
      ({ ref }) =>
        !isSelf(
          { group: groupOf(ref.apiVersion), kind: ref.kind, namespace: ref.namespace ?? '', name: ref.name },
          { group: GROUP, namespace, name },
          object.kind,
        ),
    );
    const waited = await waitForHealth(others, {
      client: this.#acting(object),
      live: this.#drift,
      clock: this.#ports.clock,
      rules,
      timeoutMs: pass.times.timeoutMs,
      failFast: this.#settings.failFast,
      pollMs: HEALTH_POLL_MS,
      signal: AbortSignal.any([context.signal, context.superseded]),
    });
    if (waited.ok) {
      const message = `Health check passed in ${pass.elapsed(startMs)}`;
      if (!wasHealthy || (isNewRevision && changed)) pass.event('info', message);
      pass.mark({ type: 'Healthy', status: 'True', reason: 'Succeeded', message });
      return undefined;
    }
    if (waited.error.code === 'canceled') {
      context.signal.throwIfAborted();
      const by = (context.superseded.reason as Superseded | undefined)?.by ?? 'the engine';
      pass.mark({
        type: 'Ready',
        status: 'False',
        reason: 'HealthCheckCanceled',
        message: `New reconciliation triggered by ${by}`,
      });
      pass.event('info', `Health checks canceled due to new reconciliation triggered by ${by}`);
      return { kind: 'wait', requeueAfterMs: 0, ...pass.end() };
    }
    pass.mark({ type: 'Healthy', status: 'False', reason: 'HealthCheckFailed', message: waited.error.message });
    pass.record('HealthCheckFailed');
    return pass.failed(
      'HealthCheckFailed',
      `health check failed after ${pass.elapsed(startMs)}: ${waited.error.message}`,
    );
  }

  /** A build that takes long shows as such, although its outcome decides which step a failure belongs to. */
  async #duringStep<T>(pass: Pass, work: Promise<T>): Promise<T> {
    const conditions = pass.conditions;
    pass.step('Building manifests');
    const result = await work;
    pass.conditions = conditions;
    return result;
  }

  /** Objects as they are sent, with their hashes: made once per build and spec. */
  #prepare(object: Kustomization, { objects }: BuildResult, remembered: Remembered): readonly Desired[] {
    const key = [objects, stringifyJson((object.spec.commonMetadata ?? {}) as JsonObject)] as const;
    const last = remembered.prepared;
    if (Array.isArray(last?.key) && last.key[0] === key[0] && last.key[1] === key[1]) return last.objects;
    const { namespace = '', name } = object.metadata;
    const owner = { group: GROUP, namespace, name };
    const prepared = objects.map((built): Desired => {
      const labelled = withMetadata(normalise(built, base64), owner, object.spec.commonMetadata as never);
      return { object: labelled, hash: contentHash(labelled as unknown as JsonObject) };
    });
    remembered.prepared = { key, objects: prepared };
    return prepared;
  }

  #applyOptions(
    object: Kustomization,
    remembered: Remembered,
    signal: AbortSignal,
    verify: boolean,
    ignore: ApplyOptions['ignore'],
  ): ApplyOptions {
    return {
      client: this.#acting(object),
      live: this.#drift,
      clock: this.#ports.clock,
      memory: remembered.applied,
      manager: MANAGER,
      policyGroup: GROUP,
      force: object.spec.force === true,
      ignore,
      overrideManagers: this.#settings.overrideManagers,
      stageKinds: new Set(this.#settings.stageKinds),
      verify,
      concurrency: this.#settings.concurrentApplies,
      signal,
    };
  }

  /** The client that acts for the Kustomization: as its service account, where it names one. */
  #acting({ metadata, spec }: Kustomization): KubeClient {
    const account = spec.serviceAccountName || this.#settings.defaultServiceAccount;
    const { client } = this.#ports;
    return account === '' ? client : client.as({ user: `system:serviceaccount:${metadata.namespace}:${account}` });
  }

  /** Reads a source from the cache when it is watched. */
  async #read(ref: ObjectRef): ReturnType<KubeClient['get']> {
    const { apiVersion, kind, namespace, name } = ref;
    const informer = this.#ports.informers.watch({ apiVersion, kind });
    const cached = informer.isSynced() ? informer.get(namespace, name) : undefined;
    return cached === undefined ? this.#ports.client.get(ref) : { ok: true, value: cached };
  }
}

export function keyOf({ metadata: { namespace = '', name } }: Pick<KubeObject, 'metadata'>): string {
  return `${namespace}/${name}`;
}

function namespaceOf({ namespace }: ObjectRef): { namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function withLineEnd(text: string): string {
  return text === '' ? '' : `${text}\n`;
}

/** What stands for the artifact's folder in messages: a path as Flux prints one, the same for the same artifact. */
function rootPath(digest: string): string {
  return `/tmp/kustomization-${BigInt(`0x${/[0-9a-f]{12}/.exec(digest)?.[0] ?? '0'}`)}`.padEnd(24, '0');
}

const evaluateReady: ReadyExpression = (text, self, dep) => {
  const compiled = compileExpression(text, ['self', 'dep']);
  if (!compiled.ok) {
    const name = stringAt(dep, 'metadata', 'name') ?? '';
    return { terminal: true, message: `failed to evaluate dependency ${name}: ${compiled.error}` };
  }
  const result = compiled.value.evaluate({ self, dep });
  return result.ok ? result.value : { terminal: false, message: result.error };
};

/** Fields whose behaviour is still to come: said, never ignored. */
function unsupportedField({ spec }: Kustomization): { readonly reason: string; readonly message: string } | undefined {
  if (spec.kubeConfig !== undefined) {
    return { reason: 'ReconciliationFailed', message: 'spec.kubeConfig is not supported yet' };
  }
  if (spec.decryption !== undefined) return { reason: 'BuildFailed', message: 'spec.decryption is not supported yet' };
  return undefined;
}

const DECRYPT = `${GROUP}/decrypt`;

/** An object that sops has encrypted and nobody has decrypted. Source: kustomize-controller@1.9 decryptor.IsEncryptedSecret. */
function isEncrypted(object: KubeObject): boolean {
  if (object.kind !== 'Secret') return false;
  if (object.metadata.annotations?.[DECRYPT]?.toLowerCase() === 'disabled') return false;
  return at(object as unknown as JsonObject, 'sops', 'mac') !== undefined;
}

function healthTargets(
  { spec }: Kustomization,
  applied: readonly Applied[],
  desired: readonly Desired[],
): readonly HealthTarget[] {
  if (spec.wait !== true) {
    return (spec.healthChecks ?? []).map(({ apiVersion, kind, name, namespace }) => ({
      ref: { apiVersion: apiVersion || 'apps/v1', kind, name, ...(namespace ? { namespace } : {}) },
    }));
  }
  const vanishing = new Set(
    desired
      .filter(
        ({ object: { kind, spec: jobSpec } }) => kind === 'Job' && at(jobSpec, 'ttlSecondsAfterFinished') !== undefined,
      )
      .map(({ object }) => inventoryId(identityOf(object))),
  );
  return applied
    .filter(({ action }) => action !== 'skipped')
    .map(({ ref, uid, generation }) => {
      const id = inventoryId({
        group: groupOf(ref.apiVersion),
        kind: ref.kind,
        namespace: ref.namespace ?? '',
        name: ref.name,
      });
      return { ref, applied: { uid, generation }, ...(vanishing.has(id) ? { mayVanish: true } : {}) };
    });
}
