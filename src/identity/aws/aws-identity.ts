import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../../base/result.ts';
import { type CloudPorts, fileText } from '../cloud-ports.ts';
import type { Account, Principal, ServiceAccounts } from '../principal.ts';
import { type Exchange, PrincipalTokens } from '../principal-tokens.ts';
import type { Expiring } from '../token-cache.ts';
import { containerCredentials, instanceCredentials } from './machine-credentials.ts';
import type { AwsCredentials } from './sign.ts';
import { assumeRole, assumeRoleWithWebIdentity } from './sts.ts';

const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn';
const ROLE_ARN = /^arn:aws[\w-]*:iam::[0-9]{1,30}:role\/.{1,200}$/;
const AUDIENCE = 'sts.amazonaws.com';
/** Keys of the environment stay for as long as the engine runs. */
const UNLIMITED_MS = 24 * 3_600_000;

type Made = Result<Expiring<AwsCredentials>, string>;

/** Credentials for AWS, as the engine or as service accounts. Source: fluxcd/pkg@auth/v0.54.0 auth/aws/provider.go. */
export class AwsIdentity {
  readonly #ports: CloudPorts;
  readonly #tokens: PrincipalTokens<AwsCredentials>;

  constructor(ports: CloudPorts, accounts: ServiceAccounts) {
    this.#ports = ports;
    this.#tokens = new PrincipalTokens(ports, accounts);
  }

  /** `region` is that of the service which the credentials are for: its STS is asked. */
  credentials(principal: Principal, region: string): Promise<Result<AwsCredentials, string>> {
    return this.#tokens.of(principal, region, {
      engine: () => this.#fromEnvironment(region),
      account: (account) => this.#exchangeOf(account, region),
    });
  }

  /** What `credentials` become as `role`, which a file of SOPS names. Source: sops@3.13 kms/keysource.go createSTSConfig. */
  async asRole(credentials: AwsCredentials, role: string, region: string): Promise<Result<AwsCredentials, string>> {
    const sessionName = `sops@${this.#ports.hostname.replaceAll(/[^\w=,.@-]+/g, '')}`;
    // Who knows an access key's name only must not be given what its secret opened.
    const who = createHash('sha256').update(JSON.stringify(credentials)).digest('hex');
    const made = await this.#tokens.ofCredentials(`${who}\n${role}\n${region}`, () =>
      assumeRole(this.#ports, credentials, { region, roleArn: role, sessionName }),
    );
    return made.ok ? made : err(`failed to assume role '${role}': ${made.error}`);
  }

  #exchangeOf({ annotations, name, namespace }: Account, region: string): Result<Exchange<AwsCredentials>, string> {
    const roleArn = annotations.get(ROLE_ANNOTATION) ?? '';
    if (!ROLE_ARN.test(roleArn)) {
      return err(`invalid ${ROLE_ANNOTATION} annotation: '${roleArn}'. must match ${ROLE_ARN.source}`);
    }
    const sessionName = `${name}.${namespace}.${region}.fluxcd.io`;
    const take = (token: string) => assumeRoleWithWebIdentity(this.#ports, { region, roleArn, sessionName, token });
    return ok({ identity: roleArn, prepare: () => Promise.resolve(ok({ audience: AUDIENCE, take })) });
  }

  /** In the order of the SDK; files of profiles are not read. Source: aws-sdk-go-v2 config/resolve_credentials.go. */
  async #fromEnvironment(region: string): Promise<Made> {
    const { env, clock } = this.#ports;
    const accessKeyId = env['AWS_ACCESS_KEY_ID'];
    const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
    if (accessKeyId && secretAccessKey) {
      const sessionToken = env['AWS_SESSION_TOKEN'];
      const value = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
      return ok({ value, expiresAtMs: clock.now() + UNLIMITED_MS });
    }
    const file = env['AWS_WEB_IDENTITY_TOKEN_FILE'];
    if (file) return this.#fromTokenFile(file, region);
    const found = (await containerCredentials(this.#ports)) ?? (await instanceCredentials(this.#ports));
    if (found === undefined) return err('the environment of the engine has no credentials of AWS');
    if (!found.ok || found.value.expiresAtMs > 0) return found;
    return ok({ ...found.value, expiresAtMs: clock.now() + UNLIMITED_MS });
  }

  async #fromTokenFile(file: string, region: string): Promise<Made> {
    const { env, clock } = this.#ports;
    const roleArn = env['AWS_ROLE_ARN'];
    if (!roleArn) return err('AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not');
    const token = fileText(this.#ports, 'AWS_WEB_IDENTITY_TOKEN_FILE', file);
    if (typeof token !== 'string') return err(token.error);
    const sessionName = env['AWS_ROLE_SESSION_NAME'] || `weir-${clock.now()}`;
    return assumeRoleWithWebIdentity(this.#ports, { region, roleArn, sessionName, token: token.trim() });
  }
}
