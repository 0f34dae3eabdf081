import { formatDuration } from '../base/duration.ts';
import { err, ok, type Result } from '../base/result.ts';
import { DEFAULT_ENGINE_CONFIG, type EngineConfig, FEATURE_GATES, type FeatureGate } from '../runtime/engine-config.ts';
import { parseListenAddress } from '../runtime/listen-address.ts';
import type { LogEncoding, LogLevel } from '../runtime/log.ts';
import type { FlagDefinition } from './command.ts';
import type { FlagValues } from './flags.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Keys<T> = { [K in keyof EngineConfig]: EngineConfig[K] extends T ? K : never }[keyof EngineConfig];

/** A flag that is one field of the configuration as it is. */
type Row = readonly [name: string, field: Keys<string | number | boolean | readonly string[]>, usage: string];

const STRINGS: readonly (Row & readonly [string, Keys<string>, string])[] = [
  ['storage-path', 'storagePath', 'The local storage path.'],
  ['storage-addr', 'storageAddr', 'The address the static file server binds to.'],
  ['storage-adv-addr', 'storageAdvAddr', 'The advertised address of the static file server.'],
  ['metrics-addr', 'metricsAddr', 'The address the metric endpoint binds to.'],
  ['health-addr', 'healthAddr', 'The address the health endpoint binds to.'],
  ['events-addr', 'eventsAddr', 'The address of the events receiver.'],
  ['receiverAddr', 'receiverAddr', 'The address the webhook receiver endpoint binds to.'],
  ['watch-label-selector', 'watchLabelSelector', 'Watch for resources with matching labels, such as a shard key.'],
  [
    'watch-configs-label-selector',
    'watchConfigsLabelSelector',
    'Watch for ConfigMaps and Secrets with matching labels.',
  ],
  ['default-service-account', 'defaultServiceAccount', 'Default service account used for impersonation.'],
  [
    'default-decryption-service-account',
    'defaultDecryptionServiceAccount',
    'Default service account used for decryption.',
  ],
  [
    'default-kubeconfig-service-account',
    'defaultKubeConfigServiceAccount',
    'Default service account used for kubeconfig.',
  ],
  [
    'sops-age-secret',
    'sopsAgeSecret',
    'The name of a Secret in the runtime namespace with a SOPS age key for fallback usage.',
  ],
  [
    'sops-vault-configmap',
    'sopsVaultConfigMap',
    'The name of a ConfigMap in the runtime namespace with the Vault servers (address and loginPath) that service accounts may log in to.',
  ],
  [
    'service-node-address',
    'serviceNodeAddress',
    'Reach Services of the cluster at their node ports on this address: for an engine outside of the cluster network.',
  ],
];

const INTEGERS: readonly (readonly [string, Keys<number>, string])[] = [
  [
    'artifact-retention-records',
    'artifactRetentionRecords',
    'The number of artifacts to keep after a garbage collection.',
  ],
  ['concurrent-ssa', 'concurrentSsa', 'The number of concurrent server-side apply operations.'],
  ['http-retry', 'httpRetry', 'The maximum number of retries when failing to fetch artifacts over HTTP.'],
  ['helm-index-max-size', 'helmIndexMaxBytes', 'The max allowed size in bytes of a Helm repository index file.'],
  ['helm-chart-max-size', 'helmChartMaxBytes', 'The max allowed size in bytes of a Helm chart file.'],
  ['helm-chart-file-max-size', 'helmChartFileMaxBytes', 'The max allowed size in bytes of a file in a Helm chart.'],
  ['helm-cache-max-size', 'helmCacheMaxSize', 'The maximum number of Helm repository indexes kept in memory.'],
  ['token-cache-max-size', 'tokenCacheMaxSize', 'The maximum number of access tokens kept in memory.'],
  ['interval-jitter-percentage', 'intervalJitterPercentage', 'Percentage of jitter to apply to interval durations.'],
];

const DURATIONS: readonly (readonly [string, Keys<number>, string])[] = [
  ['artifact-retention-ttl', 'artifactRetentionTtlMs', 'The time after which artifacts are garbage collected.'],
  ['requeue-dependency', 'requeueDependencyMs', 'The interval at which failing dependencies are reevaluated.'],
  ['min-retry-delay', 'minRetryDelayMs', 'The minimum time an object is put on hold after a failure.'],
  ['max-retry-delay', 'maxRetryDelayMs', 'The maximum time an object is put on hold after failures.'],
  [
    'graceful-shutdown-timeout',
    'gracefulShutdownTimeoutMs',
    'The time given to running reconciles to finish before they are stopped.',
  ],
  ['http-timeout', 'httpTimeoutMs', 'The timeout of HTTP requests for Helm charts and repositories.'],
  ['rate-limit-interval', 'rateLimitIntervalMs', 'The interval in which a notification is not sent twice.'],
  ['helm-cache-ttl', 'helmCacheTtlMs', 'The time an index is kept in the Helm cache.'],
  ['helm-cache-purge-interval', 'helmCachePurgeIntervalMs', 'The interval at which the Helm cache is purged.'],
  ['token-cache-max-duration', 'tokenCacheMaxDurationMs', 'The maximum time an access token is kept in memory.'],
];

const BOOLEANS: readonly (readonly [string, Keys<boolean>, string])[] = [
  [
    'watch-all-namespaces',
    'watchAllNamespaces',
    'Watch for resources in all namespaces, if set to false only in the runtime namespace.',
  ],
  ['no-cross-namespace-refs', 'noCrossNamespaceRefs', 'Disallow references between resources in different namespaces.'],
  ['no-remote-bases', 'noRemoteBases', 'Disallow remote bases usage in Kustomize overlays.'],
  ['insecure-kubeconfig-exec', 'insecureKubeconfigExec', 'Allow kubeconfigs of remote clusters to run programs.'],
  [
    'insecure-kubeconfig-tls',
    'insecureKubeconfigTls',
    'Allow kubeconfigs of remote clusters to skip TLS verification.',
  ],
  ['enable-leader-election', 'enableLeaderElection', 'Enable leader election, so that only one engine is active.'],
  [
    'leader-election-release-on-cancel',
    'leaderElectionReleaseOnCancel',
    'Whether the leader steps down voluntarily when it is stopped.',
  ],
];

const LISTS: readonly (readonly [string, Keys<readonly string[]>, string])[] = [
  ['override-manager', 'overrideManagers', 'Field manager disallowed to perform changes on managed resources.'],
  [
    'custom-apply-stage-kinds',
    'customApplyStageKinds',
    'Kinds (group/Kind) applied in a stage of their own, after the definitions and before all others.',
  ],
  ['ssh-kex-algos', 'sshKexAlgos', 'The key exchange algorithms for SSH connections, in order of preference.'],
  ['ssh-hostkey-algos', 'sshHostkeyAlgos', 'The host key algorithms for SSH connections, in order of preference.'],
];

const LEASE: readonly (readonly [string, keyof EngineConfig['leaderElection'], string])[] = [
  ['leader-election-lease-duration', 'leaseDurationMs', 'The time after which others may take the lease over.'],
  ['leader-election-renew-deadline', 'renewDeadlineMs', 'The time within which the leader must renew its lease.'],
  ['leader-election-retry-period', 'retryPeriodMs', 'The time between attempts to take or renew the lease.'],
];

const DIGESTS = ['sha1', 'sha256', 'sha384', 'sha512', 'blake3'];
const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'error'];
const ENCODINGS: readonly LogEncoding[] = ['json', 'console'];

/** Variables that give a flag's default, as source-controller's main.go reads them. */
const VARIABLES: Readonly<Record<string, string>> = {
  'storage-path': 'STORAGE_PATH',
  'storage-addr': 'STORAGE_ADDR',
  'storage-adv-addr': 'STORAGE_ADV_ADDR',
  'metrics-addr': 'METRICS_ADDR',
  'events-addr': 'EVENTS_ADDR',
};

/** Flags of `weir run`: those of Flux's controllers, by their names and with their defaults. */
export function engineFlags(env: Env): readonly FlagDefinition[] {
  const defaults = DEFAULT_ENGINE_CONFIG;
  return [
    ...STRINGS.map(([name, field, usage]): FlagDefinition => {
      const variable = VARIABLES[name];
      const given = variable === undefined ? undefined : env[variable];
      return { name, type: 'string', usage, default: given || defaults[field] };
    }),
    ...INTEGERS.map(
      ([name, field, usage]): FlagDefinition => ({ name, type: 'int', usage, default: `${defaults[field]}` }),
    ),
    ...DURATIONS.map(
      ([name, field, usage]): FlagDefinition => ({
        name,
        type: 'duration',
        usage,
        default: formatDuration(defaults[field] as number),
      }),
    ),
    ...BOOLEANS.map(
      ([name, field, usage]): FlagDefinition => ({ name, type: 'bool', usage, default: `${defaults[field]}` }),
    ),
    ...LISTS.map(([name, , usage]): FlagDefinition => ({ name, type: 'strings', usage })),
    ...LEASE.map(
      ([name, field, usage]): FlagDefinition => ({
        name,
        type: 'duration',
        usage,
        default: formatDuration(defaults.leaderElection[field]),
      }),
    ),
    { name: 'concurrent', type: 'int', usage: 'The number of concurrent reconciles per controller.' },
    {
      name: 'artifact-digest-algo',
      type: 'string',
      usage: `The algorithm of artifacts' digests, one of: ${DIGESTS.join(', ')}.`,
      default: defaults.artifactDigestAlgo,
      values: DIGESTS,
    },
    {
      name: 'log-level',
      type: 'string',
      usage: `Log verbosity level, one of: ${LEVELS.join(', ')}.`,
      default: defaults.logLevel,
      values: LEVELS,
    },
    {
      name: 'log-encoding',
      type: 'string',
      usage: `Log encoding format, one of: ${ENCODINGS.join(', ')}.`,
      default: defaults.logEncoding,
      values: ENCODINGS,
    },
    {
      name: 'feature-gates',
      type: 'strings',
      usage: `Features to switch, as Name=true|false. Known: ${Object.keys(FEATURE_GATES).join(', ')}.`,
    },
  ];
}

/** The configuration that flags and environment give. The error is one sentence that names the flag. */
export function engineConfig(flags: FlagValues, env: Env): Result<EngineConfig, string> {
  const gates = featureGates(flags.list('feature-gates'));
  if (!gates.ok) return gates;
  const values: Record<string, unknown> = {};
  for (const [name, field] of STRINGS) values[field] = flags.string(name);
  for (const [name, field] of BOOLEANS) values[field] = flags.bool(name);
  for (const [name, field] of LISTS) values[field] = flags.list(name);
  for (const [name, field] of DURATIONS) values[field] = flags.durationMs(name);
  for (const [name, field] of INTEGERS) values[field] = flags.int(name);
  const config: EngineConfig = {
    ...DEFAULT_ENGINE_CONFIG,
    ...(values as Partial<EngineConfig>),
    runtimeNamespace: env['RUNTIME_NAMESPACE'] || DEFAULT_ENGINE_CONFIG.runtimeNamespace,
    instance: env['HOSTNAME'] || DEFAULT_ENGINE_CONFIG.instance,
    concurrent: flags.changed('concurrent') ? flags.int('concurrent') : undefined,
    artifactDigestAlgo: flags.string('artifact-digest-algo'),
    logLevel: flags.string('log-level') as LogLevel,
    logEncoding: flags.string('log-encoding') as LogEncoding,
    kubeApiQps: Number(flags.string('kube-api-qps')),
    kubeApiBurst: flags.int('kube-api-burst'),
    leaderElection: {
      leaseDurationMs: flags.durationMs('leader-election-lease-duration'),
      renewDeadlineMs: flags.durationMs('leader-election-renew-deadline'),
      retryPeriodMs: flags.durationMs('leader-election-retry-period'),
    },
    featureGates: gates.value,
  };
  const problem = firstProblem(config);
  return problem === undefined ? ok(config) : err(problem);
}

function featureGates(given: readonly string[]): Result<Readonly<Record<FeatureGate, boolean>>, string> {
  const gates: Record<FeatureGate, boolean> = { ...FEATURE_GATES };
  for (const text of given) {
    const [name = '', value] = text.split('=', 2).map((part) => part.trim());
    const problem = `invalid argument ${JSON.stringify(text)} for "--feature-gates" flag: `;
    if (value === undefined) return err(`${problem}missing bool value for ${name}`);
    if (!/^(true|false)$/i.test(value)) return err(`${problem}${JSON.stringify(value)} is not true or false`);
    if (!Object.hasOwn(FEATURE_GATES, name)) {
      return err(`${problem}feature-gate '${name}' not supported; known: ${Object.keys(FEATURE_GATES).join(', ')}`);
    }
    gates[name as FeatureGate] = value.toLowerCase() === 'true';
  }
  return ok(gates);
}

function firstProblem(config: EngineConfig): string | undefined {
  for (const [name, field] of STRINGS.filter(([name]) => /^(storage|metrics|health)-addr$|^receiverAddr$/.test(name))) {
    const address = parseListenAddress(config[field]);
    if (!address.ok) return `invalid argument for "--${name}" flag: ${address.error}`;
  }
  for (const [name, field] of INTEGERS) if (config[field] < 0) return atLeast(name, 0);
  for (const [name, field] of DURATIONS) if ((config[field] as number) < 0) return atLeast(name, 0);
  // Source: fluxcd/pkg@auth/v0.54.0 auth/controller_options.go.
  if (!config.featureGates.ObjectLevelWorkloadIdentity) {
    for (const [name, field] of STRINGS.filter(([name]) => /^default-(decryption|kubeconfig)-/.test(name))) {
      if (config[field] === '') continue;
      return `--${name}: cannot set default service accounts when the feature gate ObjectLevelWorkloadIdentity is not enabled`;
    }
  }
  if (config.concurrent !== undefined && config.concurrent < 1) return atLeast('concurrent', 1);
  if (config.concurrentSsa < 1) return atLeast('concurrent-ssa', 1);
  if (config.intervalJitterPercentage >= 100) {
    return 'invalid argument for "--interval-jitter-percentage" flag: must be less than 100';
  }
  if (config.minRetryDelayMs > config.maxRetryDelayMs) return '--min-retry-delay is longer than --max-retry-delay';
  if (!(config.kubeApiQps > 0)) return 'invalid argument for "--kube-api-qps" flag: must be a number above 0';
  if (config.eventsAddr !== '' && !/^https?:\/\//.test(config.eventsAddr)) {
    return 'invalid argument for "--events-addr" flag: must be an http or https URL';
  }
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = config.leaderElection;
  if (leaseDurationMs <= renewDeadlineMs || renewDeadlineMs <= retryPeriodMs || retryPeriodMs <= 0) {
    return '--leader-election-lease-duration must be longer than -renew-deadline, and that longer than -retry-period';
  }
  return undefined;
}

function atLeast(name: string, least: number): string {
  return `invalid argument for "--${name}" flag: must be at least ${least}`;
}
