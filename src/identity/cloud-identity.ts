import type { Result } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { AwsIdentity } from './aws/aws-identity.ts';
import { AzureIdentity } from './azure/azure-identity.ts';
import type { CloudPorts } from './cloud-ports.ts';
import { AksClusters } from './clusters/aks.ts';
import { EksClusters } from './clusters/eks.ts';
import { GkeClusters } from './clusters/gke.ts';
import type { ClusterLogin, ClusterRequest } from './clusters/login.ts';
import { GcpIdentity } from './gcp/gcp-identity.ts';
import { ServiceAccounts } from './principal.ts';

/** Who the engine, and the service accounts it acts for, are towards clouds. One for the whole engine: it keeps tokens. */
export interface CloudIdentity {
  readonly ports: CloudPorts;
  readonly accounts: ServiceAccounts;
  readonly aws: AwsIdentity;
  readonly azure: AzureIdentity;
  readonly gcp: GcpIdentity;
  readonly clusters: Readonly<Record<'aws' | 'azure' | 'gcp', ClusterLogins>>;
}

export interface ClusterLogins {
  /** Finds a cluster and a token for it. */
  login(request: ClusterRequest): Promise<Result<ClusterLogin, string>>;
}

/** `objectLevel`: whether service accounts may be used (the feature gate ObjectLevelWorkloadIdentity). */
export function createCloudIdentity(ports: CloudPorts, client: KubeClient, objectLevel: boolean): CloudIdentity {
  const accounts = new ServiceAccounts(client, objectLevel, () => ports.clock.now());
  const aws = new AwsIdentity(ports, accounts);
  const azure = new AzureIdentity(ports, accounts);
  const gcp = new GcpIdentity(ports, accounts);
  const clusters = {
    aws: new EksClusters(ports, aws),
    azure: new AksClusters(ports, azure),
    gcp: new GkeClusters(ports, gcp),
  };
  return { ports, accounts, aws, azure, gcp, clusters };
}
