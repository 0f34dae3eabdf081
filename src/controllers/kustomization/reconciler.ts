import { notReady, unknownReady } from '../../api/condition.ts';
import { type Kustomization, kustomization } from '../../api/kinds/kustomization.ts';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import type { Outcome } from '../../api/outcome.ts';
import { type ApplyOptions, applyAll } from '../../apply/apply.ts';
import { altered, printChanges } from '../../apply/change.ts';
import { ignoreRules } from '../../apply/ignore-rules.ts';
import {
  type InventoryEntry,
  identityOf,
  inventoryEntry,
  inventoryId,
  mergeEntries,
  staleEntries,
} from '../../apply/inventory.ts';
import { withScope } from '../../apply/scope.ts';
import { formatDuration } from '../../base/duration.ts';
import { BuildCache } from '../../build/build-cache.ts';
import { expressionRule } from '../../health/expression-rules.ts';
import { unwatched } from '../../health/live-objects.ts';
import { type HealthRule, jobRule, judge } from '../../health/verdict.ts';
import type { ReconcileContext, Reconciler } from '../../runtime/controller.ts';
import { isEncryptedSecret } from '../../secrets/encrypted-object.ts';
import { ANNOTATIONS, isEnabled } from './annotations.ts';
import { buildArtifact } from './build-artifact.ts';
import { unmetDependency } from './dependencies.ts';
import type { DependencyWatch } from './dependency-watch.ts';
import type { DriftTracker } from './drift.ts';
import { finalize } from './finalize.ts';
import { checkHealth } from './health-checks.ts';
import { Remembered } from './memory.ts';
import { Pass } from './pass.ts';
import { deletesObjects, GROUP, plan } from './plan.ts';
import type { KustomizationPorts, Settings } from './ports.ts';
import { prepare } from './prepare.ts';
import { pruneStale } from './prune-stale.ts';
import { evaluateReady } from './ready-expression.ts';
import { artifactOf, readSource, type SourceArtifact } from './source.ts';
import { succeed } from './succeed.ts';
import { type TargetCluster, TargetClusters } from './target-cluster.ts';
import { tellDrift, tellRepair } from './tell-drift.ts';
import { tellUnreplaced } from './unreplaced.ts';

export const MANAGER = 'kustomize-controller';
const TERMINAL = 'Reconciliation failed terminally due to configuration error';
/** Everything is compared with the server at least this often, whatever the watches say. */
const VERIFY_EVERY_MS = 60 * 60_000;
/** Users of a source whose files are compared before others get their turn. */
const CHECKS_AT_ONCE = 20;
/** Reconciles Kustomizations: source, dependencies, build, apply, prune, health. Source: kustomize-controller@1.9. */
export class KustomizationReconciler implements Reconciler<Kustomization> {
  readonly #ports: KustomizationPorts;
  readonly #settings: Settings;
  readonly #drift: DriftTracker;
  readonly #dependencies: DependencyWatch;
  readonly #builds: BuildCache;
  readonly #targets: TargetClusters;
  readonly #memory = new Map<string, Remembered>();
  /** Whether dependencies are being looked at, or were not met; of those who failed for another reason nothing is known. */
  readonly #waiting = new Map<string, boolean>();

  constructor(ports: KustomizationPorts, settings: Settings, drift: DriftTracker, dependencies: DependencyWatch) {
    this.#dependencies = dependencies;
    this.#ports = ports;
    this.#settings = settings;
    this.#drift = drift;
    this.#builds = new BuildCache(ports.builder);
    this.#targets = new TargetClusters(
      { client: ports.client, live: drift, connect: ports.connect, cloud: ports.cloud },
      settings,
    );
  }

  /** Whether an object waits for its dependencies, which its status may not say yet; undefined where only that may tell. */
  isWaiting(key: string): boolean | undefined {
    return this.#waiting.get(key);
  }

  /** The revision that the last pass of an object began with; undefined before the first one. */
  attempted(key: string): string | undefined {
    return this.#memory.get(key)?.attempted;
  }

  /** Drops what is remembered of an object that is gone. */
  forget(key: string): void {
    this.#memory.delete(key);
    this.#waiting.delete(key);
    this.#builds.forget(key);
    this.#drift.forget(key);
    this.#targets.forget(key);
  }

  /** Tells of those users of a source whose files its new artifact changes: the others only report the revision. */
  async affected(keys: readonly string[], source: KubeObject, found: (key: string) => void): Promise<void> {
    const location = artifactOf(source)?.location;
    const unpacked = location === undefined ? undefined : await this.#ports.artifacts.unpack(location);
    if (location === undefined || unpacked?.ok !== true) return;
    for (const [index, key] of keys.entries()) {
      if (!this.#builds.holds(key, location.digest, unpacked.value.directory)) found(key);
      // Files are read synchronously: others get their turn in between.
      if (index % CHECKS_AT_ONCE === CHECKS_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async reconcile(object: Kustomization, context: ReconcileContext): Promise<Outcome> {
    const pass = new Pass(object, context, this.#ports.clock);
    this.#drift.hold(pass.key);
    try {
      return await this.#reconcile(pass, context);
    } finally {
      pass.cancel();
      this.#drift.end(pass.key);
      // It may have gone while the pass ran, with what was remembered of it.
      if (context.superseded.aborted && this.#isGone(object)) this.forget(pass.key);
    }
  }

  #isGone({ apiVersion, kind, metadata: { namespace = '', name } }: Kustomization): boolean {
    const informer = this.#ports.informers.watch({ apiVersion, kind });
    return informer.isSynced() && informer.get(namespace, name) === undefined;
  }

  async #reconcile(pass: Pass, context: ReconcileContext): Promise<Outcome> {
    const { object, key } = pass;
    const { spec } = object;
    if (object.metadata.deletionTimestamp !== undefined) {
      const target = await this.#targets.of(object);
      if (!target.ok && deletesObjects(object)) {
        pass.event('error', `failed to build kube client: ${target.error}`);
        return { kind: 'backoff', ...pass.end() };
      }
      const { client, live } = target.ok ? target.value : { client: this.#ports.client, live: unwatched };
      const account = spec.serviceAccountName || this.#settings.defaultServiceAccount || undefined;
      const serviceAccount = spec.kubeConfig === undefined ? account : undefined;
      const outcome = await finalize(pass, {
        ...this.#ports,
        live,
        signal: context.signal,
        serviceAccount,
        acting: client,
      });
      this.forget(key);
      return outcome;
    }
    if (spec.suspend === true) return { kind: 'none' };
    const rules = expressionRule(spec.healthCheckExprs ?? []);
    if (!rules.ok) return pass.stalled('InvalidCELExpression', `${TERMINAL}: ${rules.error}`, true);

    if ((spec.decryption?.serviceAccountName ?? '') !== '' && !this.#settings.objectLevelWorkloadIdentity) {
      const message =
        'to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller';
      return pass.stalled('FeatureGateDisabled', message, false);
    }

    const source = await readSource(object, this.#ports, this.#settings);
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
    remembered.attempted = pass.revision;
    const { applied } = remembered;
    if (spec.kubeConfig === undefined) this.#drift.of(key, () => applied);
    else this.#drift.forget(key);
    const drifted = this.#drift.drifted(key);
    const memory = { lastFull: remembered.lastFull, drifted: drifted.size > 0 };
    if (plan(object, memory, pass.revision, pass.startMs) === 'repair') {
      return this.#repair(pass, context, remembered, [...drifted]);
    }

    // From before they are looked at: what becomes ready meanwhile counts, too.
    if ((spec.dependsOn ?? []).length > 0) this.#waiting.set(key, true);
    const unmet = await unmetDependency(object, pass.revision, {
      client: this.#ports.client,
      tenant: this.#targets.home(object),
      noCrossNamespaceRefs: this.#settings.noCrossNamespaceRefs,
      evaluate: evaluateReady,
      additive: this.#settings.additiveReadyExpr,
      lookup: (ref) => this.#lookup(ref),
      isCurrent: (found) => judge(found, [jobRule], this.#ports.clock.now()).status === 'Current',
      awaits: (ref) => this.#dependencies.watch(ref, this.#ports.client),
    });
    if (unmet === undefined) this.#waiting.set(key, false);
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
    let outcome: Outcome | undefined;
    try {
      outcome = await this.#full(pass, context, source.value, remembered, [rules.value, jobRule]);
      return outcome;
    } finally {
      this.#drift.end(key);
      if (outcome?.kind !== 'done') this.#waiting.delete(key);
    }
  }

  async #full(
    pass: Pass,
    context: ReconcileContext,
    source: SourceArtifact,
    remembered: Remembered,
    rules: readonly HealthRule[],
  ): Promise<Outcome> {
    const { object, key } = pass;
    const { spec } = object;
    remembered.lastFull = undefined;
    pass.mark(unknownReady('Progressing', 'Reconciliation in progress'));
    const stage = await buildArtifact(pass, source, {
      ...this.#ports,
      settings: this.#settings,
      builds: this.#builds,
      signal: context.signal,
    });
    if (stage.outcome !== undefined) return stage.outcome;
    const { built } = stage;
    pass.status = { ...pass.status, lastAttemptedRevision: pass.revision };
    pass.step('Building manifests');
    const found = await this.#targets.of(object);
    if (!found.ok) {
      pass.mark(notReady('ReconciliationFailed', found.error));
      pass.event('error', `failed to build kube client: ${found.error}`);
      return { kind: 'retry', requeueAfterMs: pass.times.retryMs, ...pass.end() };
    }
    const target = found.value;
    if (!built.ok) {
      tellUnreplaced(pass, built.error.unreplaced ?? []);
      return pass.failed('BuildFailed', built.error.message);
    }
    pass.digest = built.value.digest;

    pass.step('Detecting drift');
    const encrypted = built.value.objects.find(isEncryptedSecret);
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
      return pass.failed('ReconciliationFailed', `${ignore.error}\n`);
    }
    const prepared = prepare(object, built.value, remembered, (message) => pass.event('info', message));
    const desired = await withScope(prepared, target.client);
    const watched = desired.map((item) => item.object);
    if (!target.isRemote) await this.#drift.watch(watched, this.#ports.client);
    const before = pass.status.inventory?.entries ?? [];
    if (
      desired.length === 0 &&
      before.length > 0 &&
      spec.prune === true &&
      !isEnabled(object, ANNOTATIONS.pruneEmpty)
    ) {
      pass.record('BuildFailed');
      return pass.failed('BuildFailed', emptyBuild(before.length));
    }
    // Another spec may ignore other fields, act as another account or on another cluster: what was known counts for the old one.
    const verify =
      isEnabled(object, ANNOTATIONS.fullReconcile) ||
      remembered.verifiedGeneration !== object.metadata.generation ||
      pass.startMs - remembered.verifiedAtMs >= VERIFY_EVERY_MS;
    const applied = await applyAll(desired, {
      ...this.#applyOptions(object, target, remembered, context.signal, verify, ignore.value),
      // Whatever happens after it, nothing that was created is ever missing from the inventory.
      beforeCreate: async (refs) => {
        const entries = pass.status.inventory?.entries ?? [];
        const more = staleEntries(refs.map(entryOf), entries);
        if (more.length === 0) return;
        pass.setInventory(mergeEntries(entries, more));
        if (!(await pass.flush())) throw new Error('the inventory could not be written: nothing is created before');
      },
    });
    tellDrift(pass, applied.ok ? applied.value : applied.error.changes);
    if (!applied.ok) {
      const { message, isTransient, changes, unsure } = applied.error;
      const done = changes.filter(({ action }) => action !== 'skipped').map(({ ref }) => ref);
      const made = [...done, ...unsure].map(entryOf);
      pass.setInventory(mergeEntries(before, made));
      if (object.status?.inventory === undefined && before.length + made.length === 0) pass.unsetInventory();
      pass.record('ReconciliationFailed');
      const text = `${message}\n${withLineEnd(printChanges(altered(changes)))}`;
      return pass.failed('ReconciliationFailed', text, isTransient);
    }
    // Once more: the objects may have brought their kinds.
    if (!target.isRemote) await this.#drift.watch(watched, this.#ports.client);
    if (verify) {
      remembered.verifiedAtMs = pass.startMs;
      remembered.verifiedGeneration = object.metadata.generation;
    }
    remembered.desired = new Map(desired.map((item) => [inventoryId(identityOf(item.object)), item]));
    remembered.applied.keep(new Set(remembered.desired.keys()));
    const changes = altered(applied.value);
    if (changes.length > 0) pass.event('info', printChanges(changes));

    const after = applied.value.map(({ ref }) => entryOf(ref));
    const known = pass.status.inventory?.entries ?? [];
    pass.setInventory(after);
    if (spec.prune === true) {
      const pruned = await pruneStale(pass, staleEntries(known, after), after, {
        client: target.client,
        live: target.live,
        signal: context.signal,
        wanted: new Set(applied.value.flatMap(({ uid }) => (uid === undefined ? [] : [uid]))),
      });
      if (!pruned.ok) return pruned.error;
    }

    const unhealthy = await this.#drift.whileWaiting(
      key,
      async (ids) => {
        const wanted = ids.map((id) => remembered.desired.get(id)).filter((item) => item !== undefined);
        const options = this.#applyOptions(object, target, remembered, context.signal, false, ignore.value);
        const repaired = await applyAll(wanted, options);
        tellRepair(pass, repaired.ok ? repaired.value : repaired.error.changes);
        await pass.flush();
        return repaired.ok;
      },
      () =>
        checkHealth(pass, context, {
          client: target.client,
          live: target.live,
          clock: this.#ports.clock,
          rules,
          failFast: this.#settings.failFast,
          applied: applied.value,
          desired,
          changed: changes.length > 0,
        }),
    );
    if (unhealthy !== undefined) return unhealthy;

    return succeed(pass, remembered, changes.length > 0);
  }

  /** Puts back objects that drifted, without building and without a line in the history. */
  async #repair(
    pass: Pass,
    context: ReconcileContext,
    remembered: Remembered,
    ids: readonly string[],
  ): Promise<Outcome> {
    const { object, key } = pass;
    const desired = ids.map((id) => remembered.desired.get(id)).filter((item) => item !== undefined);
    const ignore = ignoreRules(object.spec.ignore ?? []);
    this.#drift.begin(key);
    try {
      const target = await this.#targets.of(object);
      if (!target.ok) throw new Error(target.error);
      const rules = ignore.ok ? ignore.value : [];
      const options = this.#applyOptions(object, target.value, remembered, context.signal, false, rules);
      const applied = await applyAll(desired, options);
      const all = applied.ok ? applied.value : applied.error.changes;
      const done = altered(all);
      if (!applied.ok) {
        tellDrift(pass, done);
        remembered.lastFull = undefined;
        pass.mark(unknownReady('Progressing', 'Reconciliation in progress'));
        pass.step('Detecting drift');
        const text = `${applied.error.message}\n${withLineEnd(printChanges(done))}`;
        return pass.failed('ReconciliationFailed', text, applied.error.isTransient);
      }
      tellRepair(pass, all);
      const last = remembered.lastFull?.atMs ?? pass.startMs;
      return pass.done(Math.max(0, last + pass.times.intervalMs - this.#ports.clock.now()));
    } finally {
      this.#drift.end(key);
    }
  }

  #applyOptions(
    object: Kustomization,
    { client, live }: TargetCluster,
    remembered: Remembered,
    signal: AbortSignal,
    verify: boolean,
    ignore: ApplyOptions['ignore'],
  ): ApplyOptions {
    return {
      client,
      live,
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

  /** A Kustomization, or an object of a kind that one waits for, as watches have it. */
  #lookup(ref: ObjectRef): KubeObject | undefined {
    const { apiVersion, kind, namespace, name } = ref;
    if (kind !== kustomization.kind) return this.#dependencies.get(ref);
    return this.#ports.informers.watch({ apiVersion, kind }).get(namespace, name);
  }
}

function entryOf({ apiVersion, kind, name, namespace }: ObjectRef): InventoryEntry {
  return inventoryEntry({ apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } });
}

function emptyBuild(count: number): string {
  const subject = count === 1 ? 'the object' : `the ${count} objects`;
  return `the build is empty: ${subject} applied before would be pruned; annotate the Kustomization with ${ANNOTATIONS.pruneEmpty}=enabled to allow it`;
}

function withLineEnd(text: string): string {
  return text === '' ? '' : `${text}\n`;
}
