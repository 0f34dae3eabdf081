import type { KubeObject } from './api/object.ts';
import { at, isArray, stringAt } from './base/json.ts';
import type { Log } from './base/log.ts';
import { createControlPlane } from './cluster/control-plane.ts';
import type { Features } from './cluster/features.ts';
import type { LogOptions, PodProgram, PodPrograms } from './cluster/pod-program.ts';
import type { Registry } from './cluster/registry.ts';
import type { SteppedTime } from './cluster/stepped-time.ts';
import type { Store } from './cluster/store/store.ts';
import { LogLines } from './cluster/workloads/programs/log-lines.ts';
import { startWorkloads } from './cluster/workloads/start-workloads.ts';
import type { KubeClient } from './kube/client.ts';
import { postJson } from './kube/post-json.ts';
import { createKubeClient } from './kube/rest-client.ts';
import { systemClock } from './kube/system-clock.ts';
import type { RunningEngine } from './runtime/engine-config.ts';

/** Starts an engine for a pod of the Weir image. `args` are the container's, `line` takes its log lines. */
export type StartPodEngine = (
  args: readonly string[],
  client: KubeClient,
  signal: AbortSignal,
  line: (text: string) => void,
) => Promise<RunningEngine>;

export interface BoxOptions extends Features {
  /** Where the cluster is kept; nothing is kept without it. */
  readonly dataDirectory?: string;
  /** What a cluster that is kept nowhere begins with. */
  readonly store?: Store;
  /** Port of the API server on loopback; any free one when 0. */
  readonly port: number;
  readonly log: Log;
  /** Simulated nodes that run pods; without them workloads are made, but nothing runs. Default true. */
  readonly nodes?: boolean;
  /** A time that stands still until it is moved, for cluster and controllers; the machine's clock by default. */
  readonly time?: SteppedTime;
  /** Runs the engine behind pods of the Weir image; without it they are simulated like all others. */
  readonly startEngine?: StartPodEngine;
}

/** A cluster in the box: control plane, simulated workloads, and the engine where a pod asks for it. */
export interface Box {
  readonly url: string;
  /** PEM texts for a kubeconfig. */
  readonly authority: string;
  readonly admin: { readonly certificate: string; readonly key: string };
  /** The administrator, without a socket. */
  readonly client: KubeClient;
  stop(): Promise<void>;
}

/** @throws when the data directory or the port cannot be used. */
export async function startBox(options: BoxOptions): Promise<Box> {
  const { log, startEngine, nodes = true, time } = options;
  let pods: PodPrograms = { of: () => undefined };
  const controlPlane = await createControlPlane({
    ...(time === undefined ? { clock: systemClock } : { time }),
    log,
    nodePorts: true,
    sendOutgoing: postJson,
    programs: { of: (namespace, pod, container) => pods.of(namespace, pod, container) },
    ...(options.dataDirectory === undefined ? {} : { dataDirectory: options.dataDirectory }),
    ...(options.store === undefined ? {} : { store: options.store }),
    ...(options.featureGates === undefined ? {} : { featureGates: options.featureGates }),
    ...(options.runtimeConfig === undefined ? {} : { runtimeConfig: options.runtimeConfig }),
  });
  const { registry, handler } = controlPlane;
  const listening = await controlPlane.listen({ port: options.port });
  const client = createKubeClient({ handler, userAgent: 'weir' });
  const engines = new Engines(startEngine, client, log);
  const workloads = startWorkloads({
    registry,
    clock: time?.clock ?? systemClock,
    log,
    // Where time repeats, chance does as well.
    random: time === undefined ? Math.random : () => 0.5,
    caPem: listening.pki.authority,
    ...(listening.pki.authorityKey === undefined ? {} : { caKeyPem: listening.pki.authorityKey }),
    kubelet: nodes,
    scheduler: nodes,
    programFor: (pod) => engines.programFor(pod),
  });
  pods = workloads.podPrograms;
  time?.waitFor(() => workloads.idle());
  const unwatch = runEnginePods(registry, pods);
  return {
    url: listening.url,
    authority: listening.pki.authority,
    admin: listening.pki.admin,
    client,
    async stop() {
      unwatch();
      await engines.stop();
      workloads.stop();
      await controlPlane.stop();
    },
  };
}

const PODS = { group: '', plural: 'pods' } as const;

/** Programs are made when somebody reaches for them; an engine has to work by itself as soon as its pod runs. */
function runEnginePods(registry: Registry, pods: PodPrograms): () => void {
  const look = (pod: KubeObject): void => {
    const { namespace = '', name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined || engineArgs(pod) === undefined) return;
    if (stringAt(pod.status, 'phase') === 'Running') pods.of(namespace, name);
  };
  for (const pod of registry.list(PODS)) look(pod);
  return registry.watch(PODS, ({ type, object }) => {
    if (type !== 'DELETED') look(object);
  });
}

/** Arguments of the container that runs the Weir image (`…/weir:TAG`); undefined for other pods. */
function engineArgs(pod: KubeObject): readonly string[] | undefined {
  const containers = at(pod.spec, 'containers');
  const container = isArray(containers) ? containers[0] : undefined;
  if (!/(^|\/)weir(:[^/]*|@.*)?$/.test(stringAt(container, 'image') ?? '')) return undefined;
  const args = at(container, 'args');
  return isArray(args) ? args.filter((arg) => typeof arg === 'string') : [];
}

/** The engines behind pods. One at a time: during a rolling update the next waits until the one before has stopped. */
class Engines {
  readonly #start: StartPodEngine | undefined;
  readonly #client: KubeClient;
  readonly #log: Log;
  readonly #running = new Set<EngineProgram>();
  #before: Promise<void> = Promise.resolve();

  constructor(start: StartPodEngine | undefined, client: KubeClient, log: Log) {
    this.#start = start;
    this.#client = client;
    this.#log = log;
  }

  programFor(pod: KubeObject): PodProgram | undefined {
    const args = engineArgs(pod);
    const start = this.#start;
    if (args === undefined || start === undefined) return undefined;
    const program = new EngineProgram();
    this.#running.add(program);
    this.#before = this.#before
      .then(() => program.run(start, args, this.#client))
      .catch((error: unknown) => {
        this.#log.error('the engine failed', { error: error instanceof Error ? error.message : String(error) });
      });
    return program;
  }

  async stop(): Promise<void> {
    for (const program of this.#running) await program.stop();
    await this.#before;
  }
}

/** The engine as the program of a pod: its log is the pod's, deleting the pod stops it. */
class EngineProgram implements PodProgram {
  readonly #lines = new LogLines();
  readonly #stop = new AbortController();

  /** Runs until {@link stop}. */
  async run(start: StartPodEngine, args: readonly string[], client: KubeClient): Promise<void> {
    if (this.#stop.signal.aborted) return;
    try {
      const engine = await start(args, client, this.#stop.signal, (text) => this.#line(text));
      await engine.stopped;
    } catch (error) {
      this.#line(JSON.stringify({ level: 'error', msg: error instanceof Error ? error.message : String(error) }));
      throw error;
    } finally {
      this.#lines.end();
    }
  }

  #line(text: string): void {
    this.#lines.add({ atMs: Date.now(), text });
  }

  logs(options: LogOptions): AsyncIterable<string> {
    return this.#lines.read(options, Date.now());
  }

  connect(): undefined {
    return undefined;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
  }
}
