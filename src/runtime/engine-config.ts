import type { KubeClient } from '../kube/client.ts';
import { DEFAULT_LEASE_TIMES, type LeaseTimes } from './lease.ts';
import type { LogEncoding, LogLevel } from './log.ts';

/** Feature gates of all Flux 2.9 controllers and their defaults; one name means the same to every controller that knows it. */
export const FEATURE_GATES = {
  AdditiveCELDependencyCheck: false,
  AdoptLegacyReleases: true,
  AllowDNSLookups: false,
  CacheSecretsAndConfigMaps: false,
  CancelHealthCheckOnNewRevision: false,
  CorrectDrift: false,
  DefaultToRetryOnFailure: false,
  DetectDrift: false,
  DirectSourceFetch: false,
  DisableChartDigestTracking: false,
  DisableConfigWatchers: false,
  DisableFailFastBehavior: false,
  DisableStatusPollerCache: true,
  ExternalArtifact: false,
  GitAllBranchReferences: true,
  GitForcePushBranch: true,
  GitShallowClone: true,
  GitSparseCheckout: false,
  GroupChangeLog: false,
  MigrateAPIVersion: false,
  OOMWatch: false,
  ObjectLevelWorkloadIdentity: false,
  StrictPostBuildSubstitutions: true,
  UseHelm3Defaults: false,
} as const;
export type FeatureGate = keyof typeof FEATURE_GATES;

/** What the engine is told at start: Flux's flags as plain data. Defaults are Flux's. */
export interface EngineConfig {
  /** Where the engine runs itself: its leases, and the Secrets that flags name. */
  readonly runtimeNamespace: string;
  /** Name of the process in events and leases (pod name, host name). */
  readonly instance: string;
  readonly storagePath: string;
  readonly storageAddr: string;
  /** Empty: derived by {@link advertisedStorageAddress}. */
  readonly storageAdvAddr: string;
  readonly artifactRetentionTtlMs: number;
  readonly artifactRetentionRecords: number;
  readonly artifactDigestAlgo: string;
  readonly metricsAddr: string;
  readonly healthAddr: string;
  /** Empty: events go only into the cluster. */
  readonly eventsAddr: string;
  readonly receiverAddr: string;
  readonly rateLimitIntervalMs: number;
  /** Undefined: each controller's own default ({@link concurrencyOf}). */
  readonly concurrent: number | undefined;
  readonly concurrentSsa: number;
  readonly requeueDependencyMs: number;
  readonly minRetryDelayMs: number;
  readonly maxRetryDelayMs: number;
  /** 0 to 100. */
  readonly intervalJitterPercentage: number;
  readonly gracefulShutdownTimeoutMs: number;
  readonly watchAllNamespaces: boolean;
  readonly watchLabelSelector: string;
  readonly watchConfigsLabelSelector: string;
  readonly noCrossNamespaceRefs: boolean;
  readonly noRemoteBases: boolean;
  readonly defaultServiceAccount: string;
  readonly defaultDecryptionServiceAccount: string;
  readonly defaultKubeConfigServiceAccount: string;
  readonly insecureKubeconfigExec: boolean;
  readonly insecureKubeconfigTls: boolean;
  readonly sopsAgeSecret: string;
  readonly sopsVaultConfigMap: string;
  /** Empty: names of Services are left to DNS. Otherwise they are reached at their node ports on this address. */
  readonly serviceNodeAddress: string;
  readonly overrideManagers: readonly string[];
  /** `group/Kind`. */
  readonly customApplyStageKinds: readonly string[];
  readonly httpRetry: number;
  readonly httpTimeoutMs: number;
  readonly kubeApiQps: number;
  readonly kubeApiBurst: number;
  readonly helmIndexMaxBytes: number;
  readonly helmChartMaxBytes: number;
  readonly helmChartFileMaxBytes: number;
  readonly helmCacheMaxSize: number;
  readonly helmCacheTtlMs: number;
  readonly helmCachePurgeIntervalMs: number;
  readonly tokenCacheMaxSize: number;
  readonly tokenCacheMaxDurationMs: number;
  readonly sshKexAlgos: readonly string[];
  readonly sshHostkeyAlgos: readonly string[];
  readonly enableLeaderElection: boolean;
  readonly leaderElectionReleaseOnCancel: boolean;
  readonly leaderElection: LeaseTimes;
  readonly logLevel: LogLevel;
  readonly logEncoding: LogEncoding;
  readonly featureGates: Readonly<Record<FeatureGate, boolean>>;
}

const MINUTE = 60_000;
const MIB = 1024 * 1024;

/** Source: main.go of source-controller@1.9, kustomize-controller@1.9, helm-controller@1.6, notification-controller@1.9. */
export const DEFAULT_ENGINE_CONFIG: EngineConfig = {
  runtimeNamespace: 'flux-system',
  instance: 'weir',
  storagePath: '/data',
  storageAddr: ':9090',
  storageAdvAddr: '',
  artifactRetentionTtlMs: MINUTE,
  artifactRetentionRecords: 2,
  artifactDigestAlgo: 'sha256',
  metricsAddr: ':8080',
  healthAddr: ':9440',
  eventsAddr: '',
  receiverAddr: ':9292',
  rateLimitIntervalMs: 5 * MINUTE,
  concurrent: undefined,
  concurrentSsa: 4,
  requeueDependencyMs: 30_000,
  minRetryDelayMs: 750,
  maxRetryDelayMs: 15 * MINUTE,
  intervalJitterPercentage: 5,
  gracefulShutdownTimeoutMs: 10 * MINUTE,
  watchAllNamespaces: true,
  watchLabelSelector: '',
  watchConfigsLabelSelector: 'reconcile.fluxcd.io/watch=Enabled',
  noCrossNamespaceRefs: false,
  noRemoteBases: false,
  defaultServiceAccount: '',
  defaultDecryptionServiceAccount: '',
  defaultKubeConfigServiceAccount: '',
  insecureKubeconfigExec: false,
  insecureKubeconfigTls: false,
  sopsAgeSecret: '',
  sopsVaultConfigMap: '',
  serviceNodeAddress: '',
  overrideManagers: [],
  customApplyStageKinds: [],
  httpRetry: 9,
  httpTimeoutMs: 30_000,
  kubeApiQps: 50,
  kubeApiBurst: 300,
  helmIndexMaxBytes: 50 * MIB,
  helmChartMaxBytes: 10 * MIB,
  helmChartFileMaxBytes: 5 * MIB,
  helmCacheMaxSize: 0,
  helmCacheTtlMs: 15 * MINUTE,
  helmCachePurgeIntervalMs: MINUTE,
  tokenCacheMaxSize: 100,
  tokenCacheMaxDurationMs: 60 * MINUTE,
  sshKexAlgos: [],
  sshHostkeyAlgos: [],
  enableLeaderElection: false,
  leaderElectionReleaseOnCancel: true,
  leaderElection: DEFAULT_LEASE_TIMES,
  logLevel: 'info',
  logEncoding: 'json',
  featureGates: FEATURE_GATES,
};

/** A running engine, as `weir run` needs to know it. */
export interface RunningEngine {
  /** Resolves when everything has come to rest after the signal; rejects when the engine cannot go on. */
  readonly stopped: Promise<void>;
}
/** What the engine needs of the process it runs in. */
export interface EngineProcess {
  /** Takes log lines. */
  readonly line: (text: string) => void;
  /** Where git, ssh and gpg are found: a PATH. */
  readonly searchPath: string;
  /** By what names it says who the engine is towards clouds: those that their SDKs have (`AWS_…`, `AZURE_…`, `GOOGLE_…`, `VAULT_…`). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where work in progress lies: checkouts, unpacked artifacts. What a stopped engine leaves there is of no use. */
  readonly temporaryDirectory: string;
}
/** Starts the engine; resolves once its servers listen. Rejects with a message for the user when it cannot. */
export type StartEngine = (
  config: EngineConfig,
  client: KubeClient,
  signal: AbortSignal,
  surroundings: EngineProcess,
) => Promise<RunningEngine>;

/** Objects of one controller reconciled at the same time: `--concurrent`, or the controller's default. */
export function concurrencyOf(config: EngineConfig, controllerName: string): number {
  if (config.concurrent !== undefined) return config.concurrent;
  if (controllerName === 'source-controller') return 2;
  return controllerName === 'source-watcher' ? 10 : 4;
}

/** Namespaces to watch; undefined: all. */
export function watchedNamespaces(config: EngineConfig): readonly string[] | undefined {
  return config.watchAllNamespaces ? undefined : [config.runtimeNamespace];
}

/** `host:port` under which artifacts are offered. Source: source-controller main.go determineAdvStorageAddr. */
export function advertisedStorageAddress(config: EngineConfig, hostname: string): string {
  if (config.storageAdvAddr !== '') return config.storageAdvAddr;
  const colon = config.storageAddr.lastIndexOf(':');
  const host = config.storageAddr.slice(0, colon);
  const port = config.storageAddr.slice(colon + 1);
  if (host === '') return `localhost:${port}`;
  return `${host === '0.0.0.0' ? hostname : host}:${port}`;
}
