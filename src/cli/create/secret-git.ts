import { ok } from '../../base/result.ts';
import { type CliContext, type CliResult, type Command, type FlagDefinition, failed } from '../command.ts';
import type { KeyOptions, KeyPair } from '../ssh/key-pair.ts';
import { deliverSecret, readFileFlag, type SecretContent } from './secret-object.ts';

/** Flags of a generated SSH key; Flux's defaults. */
export const keyFlags: readonly FlagDefinition[] = [
  {
    name: 'ssh-key-algorithm',
    type: 'string',
    default: 'ecdsa',
    values: ['rsa', 'ecdsa', 'ed25519'],
    usage: 'SSH public key algorithm (rsa, ecdsa, ed25519)',
  },
  { name: 'ssh-rsa-bits', type: 'int', default: '2048', usage: 'SSH RSA public key bit size (multiplies of 8)' },
  {
    name: 'ssh-ecdsa-curve',
    type: 'string',
    default: 'p384',
    values: ['p256', 'p384', 'p521'],
    usage: 'SSH ECDSA public key curve (p256, p384, p521)',
  },
  {
    name: 'private-key-file',
    type: 'string',
    usage: 'path to a passwordless private key file used for authenticating to the Git SSH server',
  },
];

/** Smallest RSA key that OpenSSH 9 and Node still accept. */
const MIN_RSA_BITS = 1024;
const MAX_RSA_BITS = 16_384;

function keyOptions(context: CliContext): CliResult<KeyOptions> {
  const rsaBits = context.flags.int('ssh-rsa-bits');
  if (rsaBits % 8 !== 0 || rsaBits < MIN_RSA_BITS || rsaBits > MAX_RSA_BITS) {
    return failed(`RSA key bit size must be a multiple of 8 between ${MIN_RSA_BITS} and ${MAX_RSA_BITS}`);
  }
  return ok({
    algorithm: context.flags.string('ssh-key-algorithm') as KeyOptions['algorithm'],
    rsaBits,
    ecdsaCurve: context.flags.string('ssh-ecdsa-curve') as KeyOptions['ecdsaCurve'],
  });
}

async function keyPair(context: CliContext): Promise<CliResult<KeyPair>> {
  const keys = await import('../ssh/key-pair.ts');
  if (!context.flags.changed('private-key-file')) {
    const options = keyOptions(context);
    return options.ok ? ok(await keys.generateKeyPair(options.value)) : options;
  }
  const text = readFileFlag(context, 'private-key-file', 'private key file');
  if (!text.ok) return text;
  const pair = await keys.readKeyPair(text.value, context.flags.string('password'));
  return pair.ok
    ? pair
    : failed(`unable to read private key file ${context.flags.string('private-key-file')}: ${pair.error}`);
}

/** The address of a Git repository, or what is wrong with it. A host with an empty port (`ssh://git@host:/path`) is right. */
export function parseGitUrl(text: string): CliResult<URL> {
  if (text === '') return failed('url is required');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return failed('git URL parse failed: the address is not a URL; use ssh://git@host/org/repository');
  }
  const scheme = url.protocol.replace(/:$/, '');
  if (['ssh', 'http', 'https'].includes(scheme)) return ok(url);
  return failed(`git URL scheme '${scheme}' not supported, can be: ssh, http and https`);
}

/** Identity, public key and host key of a Git server behind SSH: the key of --private-key-file, else a new one. */
export async function sshCredentials(context: CliContext, url: URL): Promise<CliResult<SecretContent>> {
  const pair = await keyPair(context);
  if (!pair.ok) return pair;
  const { scanHostKey } = await import('../ssh/host-key.ts');
  const scanned = await scanHostKey(url.hostname, url.port === '' ? 22 : Number(url.port));
  if (!scanned.ok) return failed(scanned.error);
  const password = context.flags.string('password');
  return ok({
    stringData: {
      identity: pair.value.privateKey,
      'identity.pub': pair.value.publicKey,
      known_hosts: scanned.value,
      ...(password === '' ? {} : { password }),
    },
  });
}

function httpCredentials(context: CliContext): CliResult<SecretContent> {
  const { flags } = context;
  const username = flags.string('username');
  const password = flags.string('password');
  const bearerToken = flags.string('bearer-token');
  const basic = username !== '' && password !== '';
  if (!basic && bearerToken === '') {
    return failed('for Git over HTTP/S the username and password, or a bearer token is required');
  }
  if (basic && bearerToken !== '') return failed('user credentials and bearer token cannot be used together');
  const stringData: Record<string, string> = basic ? { username, password } : { bearerToken };
  const file = flags.string('ca-crt-file') === '' ? 'ca-file' : 'ca-crt-file';
  if (flags.string(file) !== '') {
    const ca = readFileFlag(context, file, 'TLS CA file');
    if (!ca.ok) return ca;
    stringData[file === 'ca-file' ? 'caFile' : 'ca.crt'] = ca.value;
  }
  return ok({ stringData });
}

async function run(context: CliContext): Promise<CliResult> {
  const url = parseGitUrl(context.flags.string('url'));
  if (!url.ok) return url;
  const content = url.value.protocol === 'ssh:' ? await sshCredentials(context, url.value) : httpCredentials(context);
  return content.ok ? await deliverSecret(context, content.value, 'git') : content;
}

export const createSecretGitCommand: Command = {
  use: 'git [name]',
  short: 'Create or update a Kubernetes secret for Git authentication',
  long: `The create secret git command generates a Kubernetes secret with Git credentials.
For Git over SSH, the host and SSH keys are automatically generated and stored
in the secret.
For Git over HTTP/S, the provided basic authentication credentials or bearer
authentication token are stored in the secret.`,
  example: `  # Create a Git SSH authentication secret using an ECDSA P-521 curve public key
  weir create secret git podinfo-auth \\
    --url=ssh://git@example.com/org/podinfo \\
    --ssh-key-algorithm=ecdsa \\
    --ssh-ecdsa-curve=p521

  # Create a Git SSH authentication secret with a private key from file
  # The public SSH host key will still be gathered from the host
  weir create secret git podinfo-auth \\
    --url=ssh://git@example.com/org/podinfo \\
    --private-key-file=./private.key

  # Create a secret for a Git repository using basic authentication
  weir create secret git podinfo-auth \\
    --url=https://example.com/org/podinfo \\
    --username=username \\
    --password=password

  # Create a Git SSH secret on disk
  weir create secret git podinfo-auth \\
    --url=ssh://git@example.com/org/podinfo \\
    --export > podinfo-auth.yaml`,
  flags: [
    { name: 'url', type: 'string', usage: 'git address, e.g. ssh://git@host/org/repository' },
    { name: 'username', short: 'u', type: 'string', usage: 'basic authentication username' },
    {
      name: 'password',
      short: 'p',
      type: 'string',
      usage: 'basic authentication password, or passphrase of the private key',
    },
    ...keyFlags,
    {
      name: 'ca-file',
      type: 'string',
      hidden: true,
      usage: 'path to TLS CA file used for validating self-signed certificates',
    },
    {
      name: 'ca-crt-file',
      type: 'string',
      usage: 'path to TLS CA certificate file used for validating self-signed certificates',
    },
    { name: 'bearer-token', type: 'string', usage: 'bearer authentication token' },
  ],
  run,
};
