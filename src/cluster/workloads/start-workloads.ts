import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { startDefinitions } from '../gc/definitions.ts';
import { startGarbageCollector } from '../gc/garbage-collector.ts';
import { startNamespaces } from '../gc/namespaces.ts';
import type { PodPrograms } from '../pod-program.ts';
import type { Registry } from '../registry.ts';
import { aggregationController } from './aggregation.ts';
import { autoscalerController } from './autoscalers.ts';
import { certificateSigningController } from './certificate-signing.ts';
import type { Context, WorkloadController } from './context.ts';
import { cronJobController } from './cronjob.ts';
import { daemonSetController } from './daemonset.ts';
import { deploymentController } from './deployment/deployment.ts';
import { disruptionController } from './disruption-budgets.ts';
import { endpointsController } from './endpoints.ts';
import { eventExpiryController } from './event-expiry.ts';
import { EventRecorder } from './events.ts';
import { jobController } from './job/job.ts';
import { Addresses } from './kubelet/addresses.ts';
import { kubeletController } from './kubelet/kubelet.ts';
import { loadBalancerController } from './load-balancers.ts';
import { rootCaController, serviceAccountController } from './namespace-defaults.ts';
import { DEFAULT_NODES, nodeAddress, nodeController, nodeLifecycleController, type SimulatedNode } from './nodes.ts';
import { type ProgramFor, Programs } from './programs/pod-programs.ts';
import { Activity, WorkQueue } from './queue.ts';
import { replicaSetController, replicationController } from './replicaset.ts';
import { startResourceQuotas } from './resource-quotas.ts';
import { schedulerController } from './scheduler.ts';
import { statefulSetController } from './statefulset.ts';
import { storageClassController, volumeController } from './volumes.ts';

/** Workers per controller, as kube-controller-manager's --concurrent-*-syncs have it. */
const WORKERS = 5;

export interface WorkloadsOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** PEM of the CA that signed the API server's certificate, for `kube-root-ca.crt`. */
  readonly caPem: string;
  /** PEM of that CA's key, with which approved CertificateSigningRequests are signed; without it none are. */
  readonly caKeyPem?: string;
  /** The simulated nodes; a control plane and a worker by default. Only with `kubelet`. */
  readonly nodes?: readonly SimulatedNode[];
  /** Runs real code behind a pod's container; undefined leaves it simulated. */
  readonly programFor?: ProgramFor;
  /** Simulated nodes, their kubelets, volumes and load balancers. Without: as a cluster that has only kube-controller-manager. */
  readonly kubelet: boolean;
  readonly scheduler: boolean;
}

export interface Workloads {
  stop(): void;
  /** Logs, connections and commands of the pods. */
  readonly podPrograms: PodPrograms;
  /** Resolves when no controller has anything to do until the clock moves or somebody writes. */
  idle(): Promise<void>;
}

/** Starts the controllers of the embedded control plane over `registry`; everything they do follows from its changes and the clock. */
export function startWorkloads(options: WorkloadsOptions): Workloads {
  const { registry, clock, log, random } = options;
  const activity = new Activity();
  const events = new EventRecorder(registry, clock, log, activity);
  const context: Context = { registry, clock, log, random, events };
  const stops = [
    startGarbageCollector(context, activity),
    startNamespaces(context, activity),
    startDefinitions(context, activity),
    startResourceQuotas(context, activity),
  ];
  for (const controller of controllersFor(context, options)) stops.push(run(controller, context, activity));
  const programs = new Programs(registry, clock, options.programFor ?? (() => undefined));
  return {
    stop() {
      for (const stop of stops) stop();
      programs.stop();
    },
    podPrograms: programs,
    idle: () => activity.idle(),
  };
}

function controllersFor(context: Context, options: WorkloadsOptions): readonly WorkloadController[] {
  const nodes = options.nodes ?? DEFAULT_NODES;
  const controllers = [
    serviceAccountController(context),
    rootCaController(context, options.caPem),
    aggregationController(context),
    deploymentController(context),
    replicaSetController(context),
    statefulSetController(context),
    daemonSetController(context),
    jobController(context),
    cronJobController(context),
    endpointsController(context),
    volumeController(context),
    disruptionController(context),
    autoscalerController(context),
    eventExpiryController(context),
  ];
  if (options.caKeyPem !== undefined) controllers.push(certificateSigningController(context, options.caKeyPem));
  if (options.kubelet) {
    // Where scenarios without nodes were recorded it did not run.
    controllers.push(replicationController(context));
    const addresses = new Addresses(
      context.registry,
      nodes.map(({ name }, index) => ({ name, ip: nodeAddress(index) })),
    );
    controllers.push(
      nodeController(context, nodes),
      nodeLifecycleController(context),
      kubeletController(context, addresses),
      storageClassController(context),
      loadBalancerController(context),
    );
  }
  if (options.scheduler) controllers.push(schedulerController(context));
  return controllers;
}

/** Runs one controller until the returned function is called. */
function run(controller: WorkloadController, { registry, clock, log }: Context, activity: Activity): () => void {
  const queue = new WorkQueue({
    clock,
    activity,
    workers: WORKERS,
    work: (key) => controller.sync(key),
    failed: (key, error) => log.debug('sync comes again', { controller: controller.name, key, error: String(error) }),
  });
  const unwatch = controller.watches.map(({ resource, keys }) =>
    registry.watch(resource, (change) => {
      for (const key of keys(change)) queue.add(key);
    }),
  );
  for (const { resource, keys } of controller.watches) {
    for (const object of registry.list(resource)) for (const key of keys({ type: 'ADDED', object })) queue.add(key);
  }
  for (const key of controller.firstKeys?.() ?? []) queue.add(key);
  return () => {
    for (const stop of unwatch) stop();
    queue.stop();
  };
}
