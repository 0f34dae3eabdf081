import { err, ok, type Result } from '../../base/result.ts';
import { type GitUrl, portOf } from './url.ts';

/** What to authenticate with. Values are secrets: they go into files of mode 0600, never into arguments, logs or errors. */
export interface GitCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly bearerToken?: string;
  /** PEM of a private key, and the passphrase it is encrypted with. */
  readonly identity?: string;
  readonly passphrase?: string;
  readonly knownHosts?: string;
  /** PEM of authorities trusted for this server. */
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
}

export interface GitProxy {
  /** `http://`, `https://` or `socks5://` with host and port. */
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
}

/**
 * Reads the keys of a Secret as Flux does; errors are Flux's sentences without their prefix.
 * Source: fluxcd/pkg git/options.go NewAuthOptions, Validate.
 */
export function credentialsOf(url: GitUrl, data: Readonly<Record<string, string>>): Result<GitCredentials, string> {
  const get = (...keys: readonly string[]): string | undefined =>
    keys
      .map((key) => (Object.hasOwn(data, key) ? data[key] : undefined))
      .find((value) => value !== undefined && value !== '');
  const invalid = (text: string): Result<never, string> => err(`invalid '${url.scheme}' auth option: ${text}`);
  const text = (key: string, value: string | undefined): object => (value === undefined ? {} : { [key]: value });

  if (url.scheme === 'ssh') {
    const identity = get('identity');
    const knownHosts = get('known_hosts');
    if (identity === undefined) return invalid("'identity' is required");
    if (knownHosts === undefined) return invalid("'known_hosts' is required");
    return ok({
      identity,
      knownHosts,
      username: url.user ?? get('username') ?? 'git',
      ...text('passphrase', get('password')),
    });
  }
  const username = get('username') ?? url.user;
  const password = get('password') ?? url.password;
  const bearerToken = get('bearerToken');
  if (username === undefined && password !== undefined) return invalid("'password' requires 'username' to be set");
  for (const [key, value] of [['bearerToken', bearerToken] as const, ['username', username] as const]) {
    if (value !== undefined && /[\r\n\0]/.test(value)) return invalid(`'${key}' has a line break`);
  }
  if (password !== undefined && /[\r\n\0]/.test(password)) return invalid("'password' has a line break");
  const clientCertificate = get('tls.crt', 'certFile');
  const clientKey = get('tls.key', 'keyFile');
  return ok({
    ...(bearerToken === undefined ? { ...text('username', username), ...text('password', password) } : { bearerToken }),
    ...text('ca', get('ca.crt', 'caFile')),
    ...(clientCertificate === undefined || clientKey === undefined ? {} : { clientCertificate, clientKey }),
  });
}

/** Whether an SSH private key can be used, and whether a passphrase must be given. */
export function inspectIdentity(pem: string): 'plain' | 'encrypted' | 'none' {
  const match = /-----BEGIN ([A-Z0-9 ]+)-----([^]*?)-----END \1-----/.exec(pem);
  if (match === null) return 'none';
  const [, label = '', body = ''] = match;
  if (label === 'ENCRYPTED PRIVATE KEY' || body.includes('Proc-Type: 4,ENCRYPTED')) return 'encrypted';
  if (label !== 'OPENSSH PRIVATE KEY') return 'plain';
  // openssh-key-v1: a magic of 15 bytes, then the cipher's name with its length. Source: openssh PROTOCOL.key.
  const bytes = Buffer.from(body.replace(/\s/g, ''), 'base64');
  if (bytes.length < 19 || bytes.toString('latin1', 0, 15) !== 'openssh-key-v1\0') return 'none';
  const length = bytes.readUInt32BE(15);
  return bytes.toString('latin1', 19, 19 + length) === 'none' ? 'plain' : 'encrypted';
}

/** The name under which known_hosts lists a server. */
export function knownHostsName(url: GitUrl): string {
  const port = portOf(url);
  return port === 22 ? url.host : `[${url.host}]:${port}`;
}
