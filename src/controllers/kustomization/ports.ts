import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Builder } from '../../build/builder.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { InformerPool } from '../../kube/informer-pool.ts';
import type { ClusterAccess } from '../../kube/kubeconfig.ts';
import type { ArtifactReader } from '../../source/artifact/artifact.ts';
import type { RemoteConnection } from './target-cluster.ts';

/** What the controller of Kustomizations needs from outside. */
export interface KustomizationPorts {
  readonly client: KubeClient;
  readonly informers: InformerPool;
  readonly artifacts: ArtifactReader;
  readonly builder: Builder;
  readonly clock: Clock;
  readonly log: Log;
  /** Opens a connection to another cluster; without it `spec.kubeConfig` is refused. */
  readonly connect?: (access: ClusterAccess) => RemoteConnection;
}

/** What it is told at start. Durations in milliseconds; defaults are Flux's. */
export interface KustomizationOptions {
  readonly noCrossNamespaceRefs?: boolean;
  readonly defaultServiceAccount?: string;
  readonly requeueDependencyMs?: number;
  readonly concurrentApplies?: number;
  readonly overrideManagers?: readonly string[];
  /** `group/Kind` of kinds that are applied, and waited for, before the rest. */
  readonly stageKinds?: readonly string[];
  readonly strictSubstitutions?: boolean;
  readonly failFast?: boolean;
  readonly additiveReadyExpr?: boolean;
  readonly externalArtifact?: boolean;
  /** Selects the ConfigMaps and Secrets whose changes are acted on at once. */
  readonly watchConfigsLabelSelector?: string;
  /** Where the engine runs: Secrets that options name lie there. */
  readonly runtimeNamespace?: string;
  /** Secret with age keys for Kustomizations that name none. */
  readonly sopsAgeSecret?: string;
  readonly defaultKubeConfigServiceAccount?: string;
  /** Whether kubeconfigs of other clusters may run programs, or skip the check of certificates. */
  readonly insecureKubeconfigExec?: boolean;
  readonly insecureKubeconfigTls?: boolean;
}

export type Settings = Required<KustomizationOptions>;

export const DEFAULTS: Settings = {
  noCrossNamespaceRefs: false,
  defaultServiceAccount: '',
  requeueDependencyMs: 30_000,
  concurrentApplies: 4,
  overrideManagers: [],
  stageKinds: [],
  strictSubstitutions: true,
  failFast: true,
  additiveReadyExpr: false,
  externalArtifact: false,
  watchConfigsLabelSelector: 'reconcile.fluxcd.io/watch=Enabled',
  runtimeNamespace: 'flux-system',
  sopsAgeSecret: '',
  defaultKubeConfigServiceAccount: '',
  insecureKubeconfigExec: false,
  insecureKubeconfigTls: false,
};
