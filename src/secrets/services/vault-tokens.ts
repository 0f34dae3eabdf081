import { field, isArray, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import { jsonBody } from '../../identity/answers.ts';
import type { CloudIdentity } from '../../identity/cloud-identity.ts';
import { readJwtPayload } from '../../identity/jwt.ts';
import type { Principal } from '../../identity/principal.ts';
import { explainVault, writeVault } from './vault-request.ts';

/** The ConfigMap of `--sops-vault-configmap`: the Vaults that the one who runs the engine trusts. */
export interface VaultLogins {
  /** `namespace/name`, for messages. */
  readonly name: string;
  /** Its text, by which another content is told apart. */
  readonly source: string;
  /** Address -> path to log in at. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Source: kustomize-controller@1.9 decryptor.go loadVaultLoginPaths. */
export function readVaultLogins(name: string, source: string): Result<VaultLogins, string> {
  const parsed = parseYaml(source);
  if (!parsed.ok) return err(`failed to parse 'config.yaml' in Vault ConfigMap '${name}': line ${parsed.error.line}`);
  const instances = field(parsed.value ?? {}, 'instances');
  const paths = new Map<string, string>();
  for (const instance of isArray(instances) ? instances : []) {
    paths.set(stringAt(instance, 'address') ?? '', stringAt(instance, 'loginPath') ?? '');
  }
  return ok({ name, source, paths });
}

/**
 * Tokens for the Vaults of one build. A Vault's address comes from an encrypted file, so each token has addresses it may be sent to: the
 * object's own token all (that `SOPS_HC_VAULT_ALLOWLIST` allows), a login those of the ConfigMap, the engine's `VAULT_TOKEN` those that the
 * engine's environment names itself.
 */
export class VaultTokens {
  readonly #cloud: CloudIdentity;
  readonly #principal: Principal;
  readonly #own: string;
  readonly #logins: VaultLogins | undefined;
  readonly #made = new Map<string, Promise<Result<string, string>>>();

  constructor(cloud: CloudIdentity, principal: Principal, own: string | undefined, logins: VaultLogins | undefined) {
    this.#cloud = cloud;
    this.#principal = principal;
    this.#own = own ?? '';
    this.#logins = logins;
  }

  async of(address: string, signal: AbortSignal): Promise<Result<string, string>> {
    const { env } = this.#cloud.ports;
    const allowed = env['SOPS_HC_VAULT_ALLOWLIST'] || 'all';
    const isNamed = allowed !== 'all' && allowed !== 'none' && isListed(address, allowed);
    if (allowed !== 'all' && !isNamed) return err(`Allowlist does not allow ${address}`);
    if (this.#own !== '') return ok(this.#own);
    if (this.#logins !== undefined) {
      let made = this.#made.get(address);
      if (made === undefined) {
        made = this.#login(address, this.#logins, signal);
        this.#made.set(address, made);
      }
      return made;
    }
    const token = env['VAULT_TOKEN'];
    if (!token) return err(`there is no token for '${address}'`);
    if (isNamed || isSame(address, env['VAULT_ADDR'] ?? '')) return ok(token);
    return err(`the engine's own token is not sent to '${address}', which is not its VAULT_ADDR`);
  }

  /** Source: kustomize-controller@1.9 decryptor.go SetAuthOptions, vaultLogin. */
  async #login(address: string, logins: VaultLogins, signal: AbortSignal): Promise<Result<string, string>> {
    const path = logins.paths.get(address);
    if (!path) return err(`no Vault login path configured for address '${address}' in ConfigMap '${logins.name}'`);
    const { accounts, ports } = this.#cloud;
    const principal = this.#principal;
    const issued = await (principal.kind === 'engine'
      ? accounts.engineToken(ports, [address])
      : accounts.token(principal, [address]));
    if (!issued.ok) return err(`failed to issue Kubernetes token for Vault authentication: ${issued.error}`);
    const jwt = issued.value.value;
    const [, , namespace, name] = (stringAt(readJwtPayload(jwt), 'sub') ?? '').split(':');
    if (!namespace || !name) return err('failed to derive Vault role for authentication: unexpected token subject');
    const role = `${namespace}_${name}`;
    const where = `Vault '${address}' at login path '${path}' as role '${role}'`;
    const answer = await writeVault(ports, { address, path, body: { role, jwt } }, signal);
    if (!answer.ok) return err(`failed to authenticate with ${where}: ${answer.error}`);
    if (answer.value.status !== 200) {
      return err(`failed to authenticate with ${where}: ${explainVault(answer.value, jwt)}`);
    }
    const token = stringAt(jsonBody(answer.value), 'auth', 'client_token');
    return token ? ok(token) : err(`${where} returned no token`);
  }
}

/** Source: sops@3.13 hcvault/keysource.go allowList: prefixes that end with a slash. */
function isListed(address: string, list: string): boolean {
  const whole = address.endsWith('/') ? address : `${address}/`;
  return list.split(',').some((entry) => {
    const prefix = entry.trim();
    return prefix !== '' && whole.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  });
}

function isSame(address: string, other: string): boolean {
  if (!URL.canParse(address) || !URL.canParse(other)) return false;
  const [one, two] = [new URL(address), new URL(other)];
  return one.origin === two.origin && one.username + one.password === '';
}
