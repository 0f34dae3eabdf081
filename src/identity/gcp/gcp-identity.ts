import { createHash } from 'node:crypto';
import { type JsonObject, stringifyJson } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type CloudPorts, fileText } from '../cloud-ports.ts';
import type { Account, Principal, ServiceAccounts } from '../principal.ts';
import { type Exchange, PrincipalTokens } from '../principal-tokens.ts';
import { readCredentialFile, SCOPES, tokenOfFile } from './credential-file.ts';
import { gkeIdentity, machineToken } from './metadata.ts';
import { exchangeToken, type GcpToken } from './token-request.ts';

const EMAIL_ANNOTATION = 'iam.gke.io/gcp-service-account';
const EMAIL = /^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9-]{1,100}\.iam\.gserviceaccount\.com$/;
const PROVIDER_ANNOTATION = 'gcp.auth.fluxcd.io/workload-identity-provider';
const PROVIDER = /^projects\/\d{1,30}\/locations\/global\/workloadIdentityPools\/[^/]{1,100}\/providers\/[^/]{1,100}$/;

/** Access tokens of Google Cloud, as the engine, as service accounts, or with an object's own credentials. Source: fluxcd/pkg@auth/v0.54.0 auth/gcp/provider.go. */
export class GcpIdentity {
  readonly #ports: CloudPorts;
  readonly #tokens: PrincipalTokens<string>;

  constructor(ports: CloudPorts, accounts: ServiceAccounts) {
    this.#ports = ports;
    this.#tokens = new PrincipalTokens(ports, accounts);
  }

  token(principal: Principal): Promise<Result<string, string>> {
    return this.#tokens.of(principal, '', {
      engine: () => this.#fromEnvironment(),
      account: (account) => this.#exchangeOf(account),
    });
  }

  /** `file` is a credential file that an object's Secret holds, as {@link readCredentialFile} reads it for a tenant. */
  tokenOf(file: JsonObject): Promise<Result<string, string>> {
    const key = createHash('sha256').update(stringifyJson(file)).digest('hex');
    return this.#tokens.ofCredentials(key, () => tokenOfFile(this.#ports, file, 'tenant'));
  }

  #exchangeOf({ annotations }: Account): Result<Exchange<string>, string> {
    const email = annotations.get(EMAIL_ANNOTATION) ?? '';
    const provider = annotations.get(PROVIDER_ANNOTATION) ?? '';
    if (email !== '' && !EMAIL.test(email)) {
      return err(`invalid ${EMAIL_ANNOTATION} annotation: '${email}'. must match ${EMAIL.source}`);
    }
    if (provider !== '' && !PROVIDER.test(provider)) {
      return err(`invalid ${PROVIDER_ANNOTATION} annotation: '${provider}'. must match ${PROVIDER.source}`);
    }
    return ok({ identity: `${email}\n${provider}`, prepare: () => this.#prepare(email, provider) });
  }

  async #prepare(email: string, provider: string): ReturnType<Exchange<string>['prepare']> {
    // Without a provider this cluster is taken for one of GKE, whose pool the tokens are for.
    const named = provider === '' ? undefined : `//iam.googleapis.com/${provider}`;
    const own = named === undefined ? await gkeIdentity(this.#ports) : ok({ pool: named, audience: named });
    if (!own.ok) return err(`failed to get provider audience: ${own.error}`);
    const { pool, audience } = own.value;
    const impersonationUrl = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
    const take = (subject: string) =>
      exchangeToken(this.#ports, {
        tokenUrl: 'https://sts.googleapis.com/v1/token',
        audience,
        subjectType: 'urn:ietf:params:oauth:token-type:jwt',
        subject,
        scopes: SCOPES,
        ...(email === '' ? {} : { impersonationUrl }),
      });
    return ok({ audience: pool, take });
  }

  async #fromEnvironment(): Promise<GcpToken> {
    const variable = 'GOOGLE_APPLICATION_CREDENTIALS';
    const path = this.#ports.env[variable];
    if (!path) return machineToken(this.#ports, SCOPES);
    const text = fileText(this.#ports, variable, path);
    if (typeof text !== 'string') return err(text.error);
    const file = readCredentialFile(text, 'operator');
    return file.ok ? tokenOfFile(this.#ports, file.value, 'operator') : err(`${variable}: ${file.error}`);
  }
}
