import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../../base/result.ts';
import type { CloudIdentity } from '../../identity/cloud-identity.ts';
import { type Principal, principalKey } from '../../identity/principal.ts';
import type { ServiceKey } from '../sops/metadata.ts';
import { openAwsKmsKey } from './aws-kms.ts';
import { openAzureVaultKey } from './azure-key-vault.ts';
import { openGcpKmsKey } from './gcp-kms.ts';
import type { OwnCredentials } from './own-credentials.ts';
import { type VaultLogins, VaultTokens } from './vault-tokens.ts';
import { openVaultTransitKey } from './vault-transit.ts';

/** Opens data keys by services of clouds and by Vault. */
export interface KeyServices {
  /** Tells one set of credentials from another; nothing can be read from it. */
  readonly identity: string;
  /** The error is for a reader: it names the service's answer and holds no credential. */
  open(key: ServiceKey, signal: AbortSignal): Promise<Result<Uint8Array, string>>;
}

/** With whose credentials keys are opened. */
export interface KeyServiceOptions {
  readonly cloud: CloudIdentity;
  /** Who asks where the object has no credentials of its own. */
  readonly principal: Principal;
  readonly own: OwnCredentials;
  /** Vaults to log in to as {@link principal}; undefined where there is no list. */
  readonly logins: VaultLogins | undefined;
}

/** Data keys have 32 bytes; the longest that a service makes of them is far below. */
const MAX_LENGTH = 16_384;

/** The services for one build. The order of credentials is Flux's. Source: kustomize-controller@1.9 decryptor.go SetAuthOptions. */
export function openKeyServices(options: KeyServiceOptions): KeyServices {
  const { cloud, principal, own, logins } = options;
  const { ports } = cloud;
  const vaultTokens = new VaultTokens(cloud, principal, own.vaultToken, logins);
  const parts = [principalKey(principal), own, logins?.source ?? ''];
  return {
    identity: createHash('sha256').update(JSON.stringify(parts)).digest('hex'),
    open(key, signal) {
      if (key.encrypted.length > MAX_LENGTH) {
        return Promise.resolve(err(`the encrypted data key is longer than ${MAX_LENGTH} characters`));
      }
      switch (key.type) {
        case 'kms': {
          const { aws } = own;
          const credentials = (region: string) =>
            aws === undefined ? cloud.aws.credentials(principal, region) : Promise.resolve(ok(aws));
          return openAwsKmsKey(ports, cloud.aws, credentials, key, signal);
        }
        case 'gcp_kms': {
          const { gcp } = own;
          const token = () => (gcp === undefined ? cloud.gcp.token(principal) : cloud.gcp.tokenOf(gcp));
          return openGcpKmsKey(ports, token, key, signal);
        }
        case 'azure_kv': {
          const { azure } = own;
          const token = (scope: string) =>
            azure === undefined ? cloud.azure.token(principal, scope) : cloud.azure.tokenOf(azure, scope);
          return openAzureVaultKey(ports, token, key, signal);
        }
        case 'hc_vault':
          return openVaultTransitKey(ports, vaultTokens, key, signal);
      }
    },
  };
}
