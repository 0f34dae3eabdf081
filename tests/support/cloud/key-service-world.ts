import { randomBytes } from 'node:crypto';
import { type ControlPlane, createControlPlane } from '../../../src/cluster/control-plane.ts';
import { ENGINE, type Principal } from '../../../src/identity/principal.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createKubeClient } from '../../../src/kube/rest-client.ts';
import { openKeyServices } from '../../../src/secrets/services/key-services.ts';
import { type OwnCredentials, readOwnCredentials } from '../../../src/secrets/services/own-credentials.ts';
import { readVaultLogins } from '../../../src/secrets/services/vault-tokens.ts';
import type {
  AwsKmsKey,
  AzureVaultKey,
  GcpKmsKey,
  ServiceKey,
  VaultTransitKey,
} from '../../../src/secrets/sops/metadata.ts';
import { FakeAws } from './aws.ts';
import { clientCertificate, FakeAzure } from './azure.ts';
import { clusterKey } from './check-jwt.ts';
import { FakeGcp } from './gcp.ts';
import { type LoopbackInternet, startInternet } from './loopback-internet.ts';
import { CLIENT, createShopAccount, PROVIDER, ROLE, SUBJECT, TENANT } from './shop-account.ts';
import { type TestCloudOptions, testCloud } from './test-cloud.ts';
import { FakeVault } from './vault.ts';

export const ARN = 'arn:aws:kms:eu-west-1:1:key/k';
/** A role that the user `tenant` may take on. */
export const SOPS_ROLE = 'arn:aws:iam::1:role/sops';
export const RESOURCE = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';
export const VAULT = 'https://vault.example:8200';
export const certificate = clientCertificate();

export interface Setting extends TestCloudOptions {
  readonly principal?: Principal;
  /** Entries of the Secret. */
  readonly secret?: Readonly<Record<string, string | Uint8Array>>;
  /** `config.yaml` of the Vaults to log in to. */
  readonly logins?: string;
}

/** One cluster with the service accounts `default/shop` and `flux-system/engine`, and all key services around it. */
export class KeyServiceWorld {
  readonly home: ControlPlane;
  readonly client: KubeClient;
  readonly dataKey: Buffer = randomBytes(32);
  internet!: LoopbackInternet;
  aws!: FakeAws;
  azure!: FakeAzure;
  gcp!: FakeGcp;
  vault!: FakeVault;

  private constructor(home: ControlPlane) {
    this.home = home;
    this.client = createKubeClient({ handler: home.handler, userAgent: 'test' });
  }

  static async start(): Promise<KeyServiceWorld> {
    const world = new KeyServiceWorld(await createControlPlane());
    await world.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
    await createShopAccount(world.client);
    const engine = { name: 'engine', namespace: 'flux-system' };
    await world.client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: engine });
    return world;
  }

  /** Services that know nothing of an earlier test. */
  async renew(): Promise<void> {
    await this.internet?.close();
    const internet = await startInternet();
    const key = await clusterKey(this.home);
    this.internet = internet;
    this.aws = new FakeAws(internet, {
      region: 'eu-west-1',
      trusted: { [ROLE]: SUBJECT },
      assumable: { [SOPS_ROLE]: 'arn:aws:iam::1:user/tenant' },
      clusterKey: key,
      mayDecrypt: (arn) => arn !== 'arn:aws:iam::1:user/nobody',
    });
    this.azure = new FakeAzure(internet, {
      tenant: TENANT,
      secrets: { 'app-s': 's3cret', engine: 's3cret' },
      certificates: { 'app-c': certificate.certificate },
      federated: { [CLIENT]: SUBJECT },
      clusterKey: key,
      managed: 'app-m',
    });
    this.gcp = new FakeGcp(internet, {
      pools: { [`//iam.googleapis.com/${PROVIDER}`]: SUBJECT },
      clusterKey: key,
      mayDecrypt: (who) => who !== 'nobody@shop-1.iam.gserviceaccount.com',
    });
    this.vault = new FakeVault(internet, {
      host: 'vault.example:8200',
      roles: { default_shop: SUBJECT, 'flux-system_engine': 'system:serviceaccount:flux-system:engine' },
      clusterKey: key,
      audience: VAULT,
    });
  }

  async close(): Promise<void> {
    await this.internet.close();
    await this.home.stop();
  }

  kms(more: Partial<AwsKmsKey> = {}): AwsKmsKey {
    const { arn = ARN, context = [] } = more;
    const encrypted = this.aws.wrap(arn, this.dataKey, Object.fromEntries(context));
    return { type: 'kms', name: arn, arn, role: '', context, encrypted, ...more };
  }

  gcpKms(more: Partial<GcpKmsKey> = {}): GcpKmsKey {
    const encrypted = this.gcp.wrap(RESOURCE, this.dataKey);
    return { type: 'gcp_kms', name: RESOURCE, resourceId: RESOURCE, encrypted, ...more };
  }

  azureKv(more: Partial<AzureVaultKey> = {}): AzureVaultKey {
    const encrypted = this.azure.wrap(this.dataKey);
    const key = { vaultUrl: 'https://shop.vault.azure.net', keyName: 'sops', version: 'v1', encrypted, ...more };
    return { type: 'azure_kv', name: `${key.vaultUrl}/keys/${key.keyName}/${key.version}`, ...key };
  }

  transit(more: Partial<VaultTransitKey> = {}): VaultTransitKey {
    const encrypted = this.vault.wrap(this.dataKey);
    const key = { address: VAULT, enginePath: 'transit', keyName: 'sops', encrypted, ...more };
    return { type: 'hc_vault', name: `${key.address}/v1/${key.enginePath}/keys/${key.keyName}`, ...key };
  }

  /** `opened`, or why not. */
  async open(key: ServiceKey, setting: Setting): Promise<string> {
    const { principal = ENGINE, secret = {}, logins, ...options } = setting;
    const cloud = testCloud(this.internet, this.client, options);
    let own: OwnCredentials = {};
    for (const [entry, content] of Object.entries(secret)) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      const read = readOwnCredentials(entry, bytes, cloud.ports);
      if (!read.ok) return read.error;
      own = { ...own, ...read.value };
    }
    const list = logins === undefined ? undefined : readVaultLogins('flux-system/vaults', logins);
    if (list?.ok === false) return list.error;
    const services = openKeyServices({ cloud, principal, own, logins: list?.value });
    const answer = await services.open(key, new AbortController().signal);
    if (!answer.ok) return answer.error;
    return Buffer.from(answer.value).equals(this.dataKey) ? 'opened' : 'opened to something else';
  }
}
