import { createHash } from 'node:crypto';
import { type JsonObject, stringifyJson } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type CloudPorts, fileText } from '../cloud-ports.ts';
import {
  type Account,
  badAnnotations,
  ENGINE,
  type Principal,
  principalKey,
  type ServiceAccounts,
  tokenFor,
} from '../principal.ts';
import { TokenCache } from '../token-cache.ts';
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
  readonly #accounts: ServiceAccounts;
  readonly #cache: TokenCache<string>;

  constructor(ports: CloudPorts, accounts: ServiceAccounts) {
    this.#ports = ports;
    this.#accounts = accounts;
    this.#cache = new TokenCache({ ...ports.tokens, clock: ports.clock });
  }

  async token(principal: Principal): Promise<Result<string, string>> {
    if (principal.kind === 'engine') return this.#cache.get('engine', () => this.#ofEngine());
    const account = await this.#accounts.read(principal);
    if (!account.ok) return account;
    const identity = identityOf(account.value);
    if (!identity.ok) return badAnnotations(principal, identity.error);
    const { email, provider } = identity.value;
    const key = `account\n${principalKey(principal)}\n${email}\n${provider}`;
    return this.#cache.get(key, () => this.#ofAccount(account.value, email, provider));
  }

  /** `file` is a credential file that an object's Secret holds, as {@link readCredentialFile} reads it for a tenant. */
  async tokenOf(file: JsonObject): Promise<Result<string, string>> {
    const key = `file\n${createHash('sha256').update(stringifyJson(file)).digest('hex')}`;
    return this.#cache.get(key, () => tokenOfFile(this.#ports, file, 'tenant'));
  }

  async #ofAccount(account: Account, email: string, provider: string): Promise<GcpToken> {
    // Without a provider this cluster is taken for one of GKE, whose pool the tokens are for.
    const named = provider === '' ? undefined : `//iam.googleapis.com/${provider}`;
    const own = named === undefined ? await gkeIdentity(this.#ports) : ok({ pool: named, audience: named });
    if (!own.ok) return err(`failed to get provider audience: ${own.error}`);
    const token = await this.#accounts.token(account, [own.value.pool]);
    if (!token.ok) return token;
    const impersonation = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
    const made = await exchangeToken(this.#ports, {
      tokenUrl: 'https://sts.googleapis.com/v1/token',
      audience: own.value.audience,
      subjectType: 'urn:ietf:params:oauth:token-type:jwt',
      subject: token.value.value,
      scopes: SCOPES,
      ...(email === '' ? {} : { impersonationUrl: impersonation }),
    });
    return tokenFor(account, made);
  }

  async #ofEngine(): Promise<GcpToken> {
    return tokenFor(ENGINE, await this.#fromEnvironment());
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

function identityOf({ annotations }: Account): Result<{ readonly email: string; readonly provider: string }, string> {
  const email = annotations.get(EMAIL_ANNOTATION) ?? '';
  const provider = annotations.get(PROVIDER_ANNOTATION) ?? '';
  if (email !== '' && !EMAIL.test(email)) {
    return err(`invalid ${EMAIL_ANNOTATION} annotation: '${email}'. must match ${EMAIL.source}`);
  }
  if (provider !== '' && !PROVIDER.test(provider)) {
    return err(`invalid ${PROVIDER_ANNOTATION} annotation: '${provider}'. must match ${PROVIDER.source}`);
  }
  return ok({ email, provider });
}
