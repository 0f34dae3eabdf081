import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Log } from './base/log.ts';
import type { Builder } from './build/builder.ts';
import { withoutRemoteBases, withRemoteBases } from './build/remote-bases.ts';
import { openBuilder } from './build/worker-builder.ts';
import { gitRepositoryController } from './controllers/git-repository/reconciler.ts';
import { kustomizationController } from './controllers/kustomization/controller.ts';
import type { RemoteConnection } from './controllers/kustomization/target-cluster.ts';
import { type CloudIdentity, createCloudIdentity } from './identity/cloud-identity.ts';
import { createWeb } from './identity/web.ts';
import type { KubeClient } from './kube/client.ts';
import { fencedClient } from './kube/fenced-client.ts';
import { InformerPool } from './kube/informer-pool.ts';
import { type ClusterAccess, readTextFile } from './kube/kubeconfig.ts';
import { observedClient } from './kube/observed-client.ts';
import { createKubeClient } from './kube/rest-client.ts';
import { serviceAddress } from './kube/service-address.ts';
import { systemClock } from './kube/system-clock.ts';
import { createSocketTransport, type TokenSource } from './kube/transport-socket.ts';
import {
  advertisedStorageAddress,
  concurrencyOf,
  type EngineConfig,
  type EngineProcess,
  type RunningEngine,
  watchedNamespaces,
} from './runtime/engine-config.ts';
import { clusterEvents } from './runtime/event-cluster.ts';
import { httpEvents } from './runtime/event-http.ts';
import type { EventSink } from './runtime/event-sink.ts';
import { createEventRecorder, type EventRecorder } from './runtime/events.ts';
import { startHealth } from './runtime/health.ts';
import { runAsLeader } from './runtime/lease.ts';
import { parseListenAddress } from './runtime/listen-address.ts';
import { createLog } from './runtime/log.ts';
import { type Runtime, startControllers } from './runtime/manager.ts';
import { createMetrics, type Metrics } from './runtime/metrics.ts';
import { DIGEST_ALGORITHMS } from './source/artifact/digest.ts';
import { startArtifactServer } from './source/artifact/server.ts';
import { openArtifactStore } from './source/artifact/store.ts';
import { openArtifactReader } from './source/artifact/unpacked-cache.ts';
import { type Git, openGit } from './source/git/git.ts';
import { fetchRemoteBase, isolatedEnvironment } from './source/remote-base.ts';

/** Time for events that wait to go out at the end. */
const LAST_EVENTS_MS = 5_000;

/**
 * Composes the engine and starts it; resolves once its servers listen.
 * @throws with a message for the user when an address or a directory cannot be used.
 */
export async function startEngine(
  config: EngineConfig,
  cluster: KubeClient,
  signal: AbortSignal,
  surroundings: EngineProcess,
): Promise<RunningEngine> {
  const log = createLog({
    level: config.logLevel,
    encoding: config.logEncoding,
    clock: systemClock,
    write: surroundings.line,
  });
  const metrics = createMetrics();
  const observed = observedClient(cluster, (request) => metrics.request(request));
  let isHeld = (): boolean => true;
  const client = config.enableLeaderElection ? fencedClient(observed, () => isHeld()) : observed;
  const informers = new InformerPool({ client, clock: systemClock, log, signal });
  const events = createEventRecorder({ sinks: eventSinks(config, client, metrics, log), clock: systemClock, log });
  const storage = await startStorage(config);
  let runtime: Runtime | undefined;
  const health = await startHealth({ ...config, metrics, isReady: () => runtime?.isSynced() === true });
  if (!health.ok) {
    await storage.stop();
    throw new Error(health.error);
  }
  const work = await mkdtemp(join(surroundings.temporaryDirectory, 'weir-'));
  const builder = remoteBuilder(config, openBuilder(systemClock), work, surroundings.searchPath);
  const git = openGitFor(config, client, surroundings, work);
  const adapters = {
    client,
    informers,
    builder,
    git,
    log,
    work,
    advertisedAddress: storage.advertisedAddress,
    searchPath: surroundings.searchPath,
    cloud: cloudIdentity(config, client, surroundings),
  };
  const controllers = await composeControllers(config, adapters);
  const run = async (until: AbortSignal, held = isHeld): Promise<void> => {
    isHeld = held;
    runtime = runControllers(config, controllers, { client, informers, events, metrics, log, signal: until });
    await runtime.stopped;
  };
  const untilStopped = async (): Promise<void> => {
    try {
      await (config.enableLeaderElection ? lead(config, observed, log, signal, run) : run(signal));
    } finally {
      await events.close(LAST_EVENTS_MS);
      await health.value.close();
      await storage.stop();
      await builder.close();
      await git.close();
      // Again where an artifact is just being unpacked below it.
      await rm(work, { recursive: true, force: true, maxRetries: 3 });
    }
  };
  return { stopped: untilStopped() };
}

/** Events go into the cluster, and to the notification controller where there is one. */
function eventSinks(config: EngineConfig, client: KubeClient, metrics: Metrics, log: Log): readonly EventSink[] {
  const { instance, eventsAddr } = config;
  const cluster = clusterEvents({ client, clock: systemClock, log, instance });
  if (eventsAddr === '') return [cluster];
  const post = async (url: string, body: string, signal: AbortSignal): Promise<number> => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(url, { method: 'POST', body, headers, signal, redirect: 'error' })).status;
  };
  const observe = (code: number, durationMs: number): void => metrics.eventSent(code, durationMs);
  return [cluster, httpEvents({ address: eventsAddr, post, clock: systemClock, log, instance, observe })];
}

async function lead(
  config: EngineConfig,
  client: KubeClient,
  log: Log,
  signal: AbortSignal,
  run: (signal: AbortSignal, isHeld: () => boolean) => Promise<void>,
): Promise<void> {
  const outcome = await runAsLeader(
    {
      client,
      clock: systemClock,
      log,
      namespace: config.runtimeNamespace,
      name: 'weir-leader-election',
      // Two engines of one host are two, too. Source: client-go@0.34 tools/leaderelection, which adds a UUID likewise.
      identity: `${config.instance}_${randomUUID()}`,
      times: config.leaderElection,
      releaseOnStop: config.leaderElectionReleaseOnCancel,
      signal,
    },
    run,
  );
  if (outcome === 'lost') throw new Error('the leader lease is lost: another engine goes on');
}

/** The artifact server; `advertisedAddress` is what consumers are told. */
async function startStorage(
  config: EngineConfig,
): Promise<{ readonly advertisedAddress: string; stop(): Promise<void> }> {
  const address = parseListenAddress(config.storageAddr);
  if (!address.ok) throw new Error(`--storage-addr: ${address.error}`);
  if (address.value === undefined)
    throw new Error('--storage-addr: an address is needed, consumers fetch artifacts there');
  const { host = '0.0.0.0', port } = address.value;
  try {
    await mkdir(config.storagePath, { recursive: true, mode: 0o700 });
    const server = await startArtifactServer({ directory: config.storagePath, host, port });
    const listening = { ...config, storageAddr: `${address.value.host ?? ''}:${server.port}` };
    return { advertisedAddress: advertisedStorageAddress(listening, hostname()), stop: () => server.stop() };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new Error(`--storage-addr: ${config.storageAddr} is in use`, { cause: error });
    throw new Error(`--storage-path: ${message}`, { cause: error });
  }
}

function openGitFor(
  { serviceNodeAddress }: EngineConfig,
  client: KubeClient,
  { searchPath, temporaryDirectory }: EngineProcess,
  work: string,
): Git {
  return openGit({
    path: searchPath,
    workDirectory: temporaryDirectory,
    cacheDirectory: join(work, 'git'),
    connectionDirectory: join(work, 'ssh'),
    ...(serviceNodeAddress === ''
      ? {}
      : { resolveHost: (host, port) => serviceAddress(client, serviceNodeAddress, host, port) }),
  });
}

function remoteBuilder({ noRemoteBases }: EngineConfig, builder: Builder, work: string, searchPath: string): Builder {
  if (noRemoteBases) return withoutRemoteBases(builder);
  return withRemoteBases(builder, {
    workDirectory: work,
    fetch: (url, folder, signal) =>
      fetchRemoteBase(url, { signal, folder, env: isolatedEnvironment(folder, searchPath) }),
  });
}

type Controllers = Parameters<typeof startControllers>[0]['controllers'];

interface Adapters {
  readonly client: KubeClient;
  readonly informers: InformerPool;
  readonly builder: Builder;
  readonly git: Git;
  readonly log: Log;
  /** This engine's own temporary folder. */
  readonly work: string;
  readonly advertisedAddress: string;
  /** Where programs are found. */
  readonly searchPath: string;
  readonly cloud: CloudIdentity;
}

/** Who the engine is towards clouds: by the environment that it runs in, and by service accounts. */
function cloudIdentity(config: EngineConfig, client: KubeClient, { env }: EngineProcess): CloudIdentity {
  const ports = {
    web: createWeb({ env, clock: systemClock }),
    clock: systemClock,
    env,
    readFile: readTextFile,
    hostname: hostname(),
    tokens: { maxEntries: config.tokenCacheMaxSize, maxAgeMs: config.tokenCacheMaxDurationMs },
  };
  return createCloudIdentity(ports, client, config.featureGates.ObjectLevelWorkloadIdentity);
}

async function composeControllers(
  config: EngineConfig,
  { client, informers, builder, git, log, work, advertisedAddress, searchPath, cloud }: Adapters,
): Promise<Controllers> {
  const digestAlgorithm = DIGEST_ALGORITHMS.find((known) => known === config.artifactDigestAlgo);
  if (digestAlgorithm === undefined)
    throw new Error(`--artifact-digest-algo: ${config.artifactDigestAlgo} is none of ${DIGEST_ALGORITHMS.join(', ')}`);
  const store = await openArtifactStore({
    directory: config.storagePath,
    advertisedAddress,
    clock: systemClock,
    digestAlgorithm,
    retentionTtlMs: config.artifactRetentionTtlMs,
    retentionRecords: config.artifactRetentionRecords,
  });
  const artifacts = await openArtifactReader({
    cacheDirectory: join(work, 'unpacked'),
    clock: systemClock,
    localFile: (url) => store.localFile(url),
  });
  return [
    gitRepositoryController({
      client,
      git,
      store,
      reader: artifacts,
      requeueDependencyMs: config.requeueDependencyMs,
    }),
    kustomizationController(
      {
        client,
        informers,
        artifacts,
        builder,
        clock: systemClock,
        log,
        connect: (access, token) => connectRemote(access, searchPath, token),
        cloud,
      },
      {
        noCrossNamespaceRefs: config.noCrossNamespaceRefs,
        defaultServiceAccount: config.defaultServiceAccount,
        requeueDependencyMs: config.requeueDependencyMs,
        concurrentApplies: config.concurrentSsa,
        overrideManagers: config.overrideManagers,
        stageKinds: config.customApplyStageKinds,
        strictSubstitutions: config.featureGates.StrictPostBuildSubstitutions,
        failFast: !config.featureGates.DisableFailFastBehavior,
        additiveReadyExpr: config.featureGates.AdditiveCELDependencyCheck,
        externalArtifact: config.featureGates.ExternalArtifact,
        watchConfigsLabelSelector: config.watchConfigsLabelSelector,
        runtimeNamespace: config.runtimeNamespace,
        sopsAgeSecret: config.sopsAgeSecret,
        sopsVaultConfigMap: config.sopsVaultConfigMap,
        defaultDecryptionServiceAccount: config.defaultDecryptionServiceAccount,
        defaultKubeConfigServiceAccount: config.defaultKubeConfigServiceAccount,
        insecureKubeconfigExec: config.insecureKubeconfigExec,
        insecureKubeconfigTls: config.insecureKubeconfigTls,
        objectLevelWorkloadIdentity: config.featureGates.ObjectLevelWorkloadIdentity,
      },
    ),
  ] as unknown as Controllers;
}

/** Another cluster, over a socket; `searchPath` is where the programs are found that a kubeconfig may run, if any may. */
function connectRemote(access: ClusterAccess, searchPath: string, token: TokenSource | undefined): RemoteConnection {
  const transport = createSocketTransport(access, {
    env: { PATH: searchPath },
    ...(token === undefined ? {} : { token }),
  });
  const options = { handler: transport.handler, userAgent: 'weir', clock: systemClock };
  const client = createKubeClient({ ...options, ...(access.as === undefined ? {} : { as: access.as }) });
  return { client, close: () => void transport.close() };
}

interface Parts {
  readonly client: KubeClient;
  readonly informers: InformerPool;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly signal: AbortSignal;
}

function runControllers(config: EngineConfig, controllers: Controllers, parts: Parts): Runtime {
  const namespaces = watchedNamespaces(config);
  return startControllers({
    ...parts,
    controllers,
    clock: systemClock,
    concurrency: ({ name }) => concurrencyOf(config, name),
    watchLabelSelector: config.watchLabelSelector,
    ...(namespaces === undefined ? {} : { namespaces }),
    intervalJitter: config.intervalJitterPercentage / 100,
    minRetryMs: config.minRetryDelayMs,
    maxRetryMs: config.maxRetryDelayMs,
    gracefulStopMs: config.gracefulShutdownTimeoutMs,
  });
}
