import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../../base/result.ts';
import { type CloudPorts, fileText } from '../cloud-ports.ts';
import type { Account, Principal, ServiceAccounts } from '../principal.ts';
import { type Exchange, PrincipalTokens } from '../principal-tokens.ts';
import { azureCloud } from './cloud.ts';
import {
  type AzureApplication,
  type AzureProof,
  type AzureToken,
  azureTokenOf,
  certificateProof,
  requestAzureToken,
} from './token-request.ts';

const TENANT_ANNOTATION = 'azure.workload.identity/tenant-id';
const CLIENT_ANNOTATION = 'azure.workload.identity/client-id';
const AUDIENCE = 'api://AzureADTokenExchange';
const IMDS = 'http://169.254.169.254';

/** Credentials that an object brings along itself. */
export type AzureCredential =
  | { readonly kind: 'application'; readonly application: AzureApplication }
  | { readonly kind: 'managed'; readonly clientId: string };

/** Tokens of Microsoft Entra ID, as the engine, as service accounts, or with an object's own credentials. Source: fluxcd/pkg@auth/v0.54.0 auth/azure/provider.go. */
export class AzureIdentity {
  readonly #ports: CloudPorts;
  readonly #tokens: PrincipalTokens<string>;

  constructor(ports: CloudPorts, accounts: ServiceAccounts) {
    this.#ports = ports;
    this.#tokens = new PrincipalTokens(ports, accounts);
  }

  /** `scope` is the service's audience with `/.default`. */
  token(principal: Principal, scope: string): Promise<Result<string, string>> {
    return this.#tokens.of(principal, scope, {
      engine: () => this.#fromEnvironment(scope),
      account: (account) => this.#exchangeOf(account, scope),
    });
  }

  tokenOf(credential: AzureCredential, scope: string): Promise<Result<string, string>> {
    if (credential.kind === 'managed') {
      const { clientId } = credential;
      const key = `managed\n${clientId}\n${scope}`;
      return this.#tokens.ofCredentials(key, () => managedIdentityToken(this.#ports, clientId, scope));
    }
    const { application } = credential;
    const key = `application\n${hashOf(application)}\n${scope}`;
    return this.#tokens.ofCredentials(key, () => requestAzureToken(this.#ports, application, scope));
  }

  #exchangeOf({ annotations }: Account, scope: string): Result<Exchange<string>, string> {
    const [tenantId, clientId] = [annotations.get(TENANT_ANNOTATION), annotations.get(CLIENT_ANNOTATION)];
    if (!tenantId) return err(`azure tenant ID is not set in the service account annotation ${TENANT_ANNOTATION}`);
    if (!clientId) return err(`azure client ID is not set in the service account annotation ${CLIENT_ANNOTATION}`);
    return ok({
      identity: `${tenantId}/${clientId}`,
      prepare: () => {
        const cloud = azureCloud(this.#ports);
        if (!cloud.ok) return Promise.resolve(cloud);
        const { authority } = cloud.value;
        const take = (token: string) => {
          const proof: AzureProof = { kind: 'assertion', token };
          return requestAzureToken(this.#ports, { authority, tenantId, clientId, proof }, scope);
        };
        return Promise.resolve(ok({ audience: AUDIENCE, take }));
      },
    });
  }

  /** Source: fluxcd/pkg@auth/v0.54.0 auth/azure/new_default_azure_credential.go. */
  async #fromEnvironment(scope: string): Promise<AzureToken> {
    const { env } = this.#ports;
    const [tenantId, clientId] = [env['AZURE_TENANT_ID'], env['AZURE_CLIENT_ID']];
    const proof = this.#proofOfEnvironment();
    if (!proof.ok) return proof;
    if (!tenantId || !clientId || proof.value === undefined) {
      return managedIdentityToken(this.#ports, clientId ?? '', scope);
    }
    const cloud = azureCloud(this.#ports);
    if (!cloud.ok) return cloud;
    const application = { authority: cloud.value.authority, tenantId, clientId, proof: proof.value };
    return requestAzureToken(this.#ports, application, scope);
  }

  #proofOfEnvironment(): Result<AzureProof | undefined, string> {
    const { env } = this.#ports;
    const secret = env['AZURE_CLIENT_SECRET'];
    if (secret) return ok({ kind: 'secret', secret });
    const path = env['AZURE_CLIENT_CERTIFICATE_PATH'];
    if (path) {
      const variable = 'AZURE_CLIENT_CERTIFICATE_PATH';
      const pem = fileText(this.#ports, variable, path);
      if (typeof pem !== 'string') return err(pem.error);
      const send = /^(1|true)$/i.test(env['AZURE_CLIENT_SEND_CERTIFICATE_CHAIN'] ?? '');
      const proof = certificateProof(pem, env['AZURE_CLIENT_CERTIFICATE_PASSWORD'] ?? '', send);
      return proof.ok ? proof : err(`${variable}: ${proof.error}`);
    }
    const file = env['AZURE_FEDERATED_TOKEN_FILE'];
    if (!file) return ok(undefined);
    const token = fileText(this.#ports, 'AZURE_FEDERATED_TOKEN_FILE', file);
    return typeof token === 'string' ? ok({ kind: 'assertion', token: token.trim() }) : err(token.error);
  }
}

/** The identity of the machine that the engine runs on; `clientId` says which, where it has several. */
async function managedIdentityToken(ports: CloudPorts, clientId: string, scope: string): Promise<AzureToken> {
  const base = (ports.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] || IMDS).replace(/\/+$/, '');
  const query = new URLSearchParams({
    'api-version': '2018-02-01',
    resource: scope.replace(/\/\.default$/, ''),
    ...(clientId === '' ? {} : { client_id: clientId }),
  });
  const answer = await ports.web({
    method: 'GET',
    url: `${base}/metadata/identity/oauth2/token?${query.toString()}`,
    headers: { metadata: 'true' },
    direct: true,
  });
  if (!answer.ok) return err(`the managed identity of the machine: ${answer.error}`);
  return azureTokenOf(answer.value, ports, `the managed identity ${clientId || 'of the machine'}`);
}

/** Another secret or certificate is another credential, even of the same client. */
function hashOf({ authority, tenantId, clientId, proof }: AzureApplication): string {
  const hash = createHash('sha256').update(JSON.stringify([authority, tenantId, clientId, proof.kind]));
  if (proof.kind === 'secret') hash.update(proof.secret);
  else if (proof.kind === 'assertion') hash.update(proof.token);
  else for (const one of proof.chain) hash.update(one);
  return hash.digest('hex');
}
