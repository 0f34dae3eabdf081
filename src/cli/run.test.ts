import { describe, expect, test } from 'vitest';
import { ok } from '../base/result.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { DEFAULT_ENGINE_CONFIG, type EngineConfig, type StartEngine } from '../runtime/engine-config.ts';
import type { CliHost } from './command.ts';
import { runCommand } from './run.ts';

async function weirRun(
  args: readonly string[],
  env: Record<string, string> = {},
  start: StartEngine = async () => ({ stopped: Promise.resolve() }),
): Promise<{ code: number; config: EngineConfig | undefined; stdout: string; stderr: string; connected: string[] }> {
  const seen: { config?: EngineConfig } = {};
  let [stdout, stderr] = ['', ''];
  const connected: string[] = [];
  const client = createKubeClient({ handler: () => Promise.reject(new Error('not asked')), userAgent: 'test' });
  const host: CliHost = {
    io: {
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      async *stdin() {},
      interactive: false,
    },
    env,
    cwd: '/',
    signal: new AbortController().signal,
    now: () => 0,
    connect: async ({ flags }) => {
      connected.push(flags.string('kubeconfig'));
      return ok(client);
    },
    contextNamespace: async () => undefined,
  };
  const command = runCommand(async (config, kube, signal, surroundings) => {
    seen.config = config;
    return start(config, kube, signal, surroundings);
  });
  const code = (await command.delegate?.(args, host, async () => -1)) ?? -1;
  return { code, config: seen.config, stdout, stderr, connected };
}

describe('weir run', () => {
  test('without flags runs with the defaults of Flux', async () => {
    const { code, config } = await weirRun([]);
    expect(code).toBe(0);
    expect(config).toEqual(DEFAULT_ENGINE_CONFIG);
  });

  test('takes the flags of the Flux controllers by their names', async () => {
    const { code, config, connected } = await weirRun(
      (
        '--kubeconfig=/k --storage-path /s --storage-addr=127.0.0.1:0 --storage-adv-addr=x:1 ' +
        '--metrics-addr=0 --health-addr=:1 --events-addr=http://e/ --receiverAddr=:2 --concurrent=8 ' +
        '--concurrent-ssa=2 --requeue-dependency=3s --watch-all-namespaces=false --no-remote-bases ' +
        '--no-cross-namespace-refs=true --default-service-account=default --log-level=debug ' +
        '--feature-gates=StrictPostBuildSubstitutions=false,ExternalArtifact=true --override-manager=a ' +
        '--override-manager=b --custom-apply-stage-kinds=g/A,g/B --min-retry-delay=1s --kube-api-qps=7.5 ' +
        '--interval-jitter-percentage=0 --artifact-digest-algo=sha512 --leader-election-retry-period=1s'
      ).split(' '),
      { RUNTIME_NAMESPACE: 'ns', HOSTNAME: 'pod-1' },
    );
    expect(code).toBe(0);
    expect(connected).toEqual(['/k']);
    expect(config).toEqual({
      ...DEFAULT_ENGINE_CONFIG,
      runtimeNamespace: 'ns',
      instance: 'pod-1',
      storagePath: '/s',
      storageAddr: '127.0.0.1:0',
      storageAdvAddr: 'x:1',
      metricsAddr: '0',
      healthAddr: ':1',
      eventsAddr: 'http://e/',
      receiverAddr: ':2',
      concurrent: 8,
      concurrentSsa: 2,
      requeueDependencyMs: 3000,
      watchAllNamespaces: false,
      noRemoteBases: true,
      noCrossNamespaceRefs: true,
      defaultServiceAccount: 'default',
      logLevel: 'debug',
      featureGates: {
        ...DEFAULT_ENGINE_CONFIG.featureGates,
        StrictPostBuildSubstitutions: false,
        ExternalArtifact: true,
      },
      overrideManagers: ['a', 'b'],
      customApplyStageKinds: ['g/A', 'g/B'],
      minRetryDelayMs: 1000,
      kubeApiQps: 7.5,
      intervalJitterPercentage: 0,
      artifactDigestAlgo: 'sha512',
      leaderElection: { ...DEFAULT_ENGINE_CONFIG.leaderElection, retryPeriodMs: 1000 },
    });
  });

  test('takes addresses from the environment where no flag gives them', async () => {
    const env = { STORAGE_PATH: '/e', METRICS_ADDR: ':1', EVENTS_ADDR: 'http://e/' };
    const { config } = await weirRun(['--metrics-addr=:2'], env);
    expect(config).toMatchObject({ storagePath: '/e', metricsAddr: ':2', eventsAddr: 'http://e/' });
  });

  test.each([
    [['--no-such-flag'], 'unknown flag: --no-such-flag'],
    [['--namespace=x'], 'unknown flag: --namespace'],
    [['extra'], 'unexpected argument "extra"'],
    [['--log-level=loud'], 'must be one of: trace, debug, info, error'],
    [['--feature-gates=NoSuchGate=true'], "feature-gate 'NoSuchGate' not supported"],
    [['--feature-gates=ExternalArtifact'], 'missing bool value'],
    [['--feature-gates=ExternalArtifact=maybe'], 'is not true or false'],
    [['--no-remote-bases=maybe'], 'invalid argument "maybe"'],
    [['--default-decryption-service-account=x'], 'the feature gate ObjectLevelWorkloadIdentity is not enabled'],
    [['--default-kubeconfig-service-account=x'], 'the feature gate ObjectLevelWorkloadIdentity is not enabled'],
    [['--concurrent=0'], 'must be at least 1'],
    [['--metrics-addr=8080'], 'is not an address'],
    [['--interval-jitter-percentage=100'], 'must be less than 100'],
    [['--kube-api-qps=fast'], 'must be a number above 0'],
    [['--min-retry-delay=1h'], 'is longer than --max-retry-delay'],
    [['--requeue-dependency'], 'flag needs an argument'],
  ])('%j is refused in one line with exit code 1', async (args, message) => {
    const { code, stderr, config } = await weirRun(args);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(config).toBeUndefined();
  });

  test('tells why the engine cannot start or go on', async () => {
    const refused = await weirRun([], {}, () => Promise.reject(new Error('the port is in use')));
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('✗ the port is in use\n')]);
    const ended = await weirRun([], {}, async () => ({ stopped: Promise.reject(new Error('the lease is lost')) }));
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('✗ the lease is lost\n')]);
  });

  test('lists its flags with --help', async () => {
    const { code, stdout } = await weirRun(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--requeue-dependency duration');
    expect(stdout).not.toContain('--timeout');
  });
});
