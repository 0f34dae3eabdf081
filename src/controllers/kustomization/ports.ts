import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Builder } from '../../build/builder.ts';
import type { CloudIdentity } from '../../identity/cloud-identity.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { InformerPool } from '../../kube/informer-pool.ts';
import type { ArtifactReader } from '../../source/artifact/artifact.ts';
import type { ConnectCluster } from './target-cluster.ts';

/** What the controller of Kustomizations needs from outside. */
export interface KustomizationPorts {
  readonly client: KubeClient;
  readonly informers: InformerPool;
  readonly artifacts: Pick<ArtifactReader, 'unpack'>;
  readonly builder: Builder;
  readonly clock: Clock;
  readonly log: Log;
  /** Opens a connection to another cluster; without it `spec.kubeConfig` is refused. */
  readonly connect?: ConnectCluster;
  /** Who the engine is towards clouds; without it neither their keys nor their clusters can be used. */
  readonly cloud?: CloudIdentity;
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
  /** ConfigMap with the Vaults whose tokens service accounts are given. */
  readonly sopsVaultConfigMap?: string;
  readonly defaultDecryptionServiceAccount?: string;
  readonly defaultKubeConfigServiceAccount?: string;
  /** Whether kubeconfigs of other clusters may run programs, or skip the check of certificates. */
  readonly insecureKubeconfigExec?: boolean;
  readonly insecureKubeconfigTls?: boolean;
  /** Whether objects may name service accounts for clouds: the feature gate of that name. */
  readonly objectLevelWorkloadIdentity?: boolean;
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
  sopsVaultConfigMap: '',
  defaultDecryptionServiceAccount: '',
  defaultKubeConfigServiceAccount: '',
  insecureKubeconfigExec: false,
  insecureKubeconfigTls: false,
  objectLevelWorkloadIdentity: false,
};
