import { createHash, randomBytes } from 'node:crypto';
import { ok } from '../../base/result.ts';
import { type CliContext, type CliResult, type Command, type FlagDefinition, failed } from '../command.ts';
import { deliverSecret, readFileFlag, type SecretContent } from './secret-object.ts';

const tlsFlags: readonly FlagDefinition[] = [
  { name: 'tls-crt-file', type: 'string', usage: 'TLS authentication cert file path' },
  { name: 'tls-key-file', type: 'string', usage: 'TLS authentication key file path' },
  { name: 'ca-crt-file', type: 'string', usage: 'TLS authentication CA file path' },
];

const TLS_KEYS: Readonly<Record<string, string>> = {
  'ca-crt-file': 'ca.crt',
  'tls-crt-file': 'tls.crt',
  'tls-key-file': 'tls.key',
};

function basicFlags(short: boolean): readonly FlagDefinition[] {
  return [
    { name: 'username', ...(short ? { short: 'u' } : {}), type: 'string', usage: 'basic authentication username' },
    { name: 'password', ...(short ? { short: 'p' } : {}), type: 'string', usage: 'basic authentication password' },
  ];
}

function readTls(context: CliContext): CliResult<Readonly<Record<string, string>>> {
  const { flags } = context;
  if ((flags.string('tls-crt-file') === '') !== (flags.string('tls-key-file') === '')) {
    return failed('--tls-crt-file and --tls-key-file must be given together');
  }
  const stringData: Record<string, string> = {};
  for (const [flag, key] of Object.entries(TLS_KEYS)) {
    if (flags.string(flag) === '') continue;
    const text = readFileFlag(context, flag, `TLS file`);
    if (!text.ok) return text;
    stringData[key] = text.value;
  }
  return ok(stringData);
}

function deliver(
  word: string,
  build: (context: CliContext) => CliResult<SecretContent>,
): (context: CliContext) => Promise<CliResult> {
  return async (context) => {
    const content = build(context);
    return content.ok ? await deliverSecret(context, content.value, word) : content;
  };
}

function helm(context: CliContext): CliResult<SecretContent> {
  const tls = readTls(context);
  if (!tls.ok) return tls;
  const username = context.flags.string('username');
  const password = context.flags.string('password');
  const basic = username !== '' && password !== '' ? { username, password } : {};
  const stringData = { ...basic, ...tls.value };
  return Object.keys(stringData).length > 0
    ? ok({ stringData })
    : failed('a username and password, or TLS files are required');
}

function tls(context: CliContext): CliResult<SecretContent> {
  const files = readTls(context);
  if (!files.ok) return files;
  return Object.keys(files.value).length > 0 ? ok({ stringData: files.value }) : failed('no TLS file is given');
}

function oci(context: CliContext): CliResult<SecretContent> {
  const url = context.flags.string('url');
  const username = context.flags.string('username');
  const password = context.flags.string('password');
  if (url === '') return failed('--url is required');
  if (username === '') return failed('--username is required');
  if (password === '') return failed('--password is required');
  const registry = url.replace(/^(oci|https?):\/\//, '').replace(/\/+$/, '');
  if (!/^[a-zA-Z0-9]([-a-zA-Z0-9._]*[a-zA-Z0-9])?(:\d{1,5})?(\/[-a-zA-Z0-9._/]+)?$/.test(registry)) {
    return failed(`'${url}' is not the address of a registry`);
  }
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const config = JSON.stringify({ auths: { [registry]: { username, password, auth } } });
  return ok({ stringData: { '.dockerconfigjson': config }, type: 'kubernetes.io/dockerconfigjson' });
}

function proxy(context: CliContext): CliResult<SecretContent> {
  const address = context.flags.string('address');
  if (address === '') return failed('address is required');
  if (!URL.canParse(address)) return failed('address is not a URL');
  const username = context.flags.string('username');
  const password = context.flags.string('password');
  return ok({
    stringData: {
      address,
      ...(username === '' ? {} : { username }),
      ...(password === '' ? {} : { password }),
    },
  });
}

const TOKEN_BYTES = 32;

/** Receiver's path is the digest of token, name and namespace. Source: fluxcd/notification-controller api/v1 receiver_types.go GetWebhookPath. */
function receiver(context: CliContext): CliResult<SecretContent> {
  const { flags } = context;
  const type = flags.string('type');
  const hostname = flags.string('hostname');
  if (type === '') return failed('--type is required');
  if (hostname === '') return failed('--hostname is required');
  const token = flags.string('token') || randomBytes(TOKEN_BYTES).toString('hex');
  const digest = createHash('sha256')
    .update(token + (context.args[0] ?? '') + context.namespace)
    .digest('hex');
  const email = flags.string('email-claim');
  const audience = flags.string('audience-claim') || (type === 'gcr' ? `https://${hostname}/hook/${digest}` : '');
  if (type === 'gcr' && email === '') return failed('--email-claim is required for a gcr receiver');
  return ok({
    annotations: { 'notification.toolkit.fluxcd.io/webhook': `https://${hostname}/hook/${digest}` },
    stringData: { token, ...(type === 'gcr' ? { audience, email } : {}) },
  });
}

function githubApp(context: CliContext): CliResult<SecretContent> {
  const { flags } = context;
  if (flags.string('app-id') === '') return failed('--app-id is required');
  const installation = flags.string('app-installation-id');
  const owner = flags.string('app-installation-owner');
  if ((installation === '') === (owner === '')) {
    return failed('one of --app-installation-id and --app-installation-owner is required');
  }
  if (flags.string('app-private-key') === '') return failed('--app-private-key is required');
  const key = readFileFlag(context, 'app-private-key', 'private key file');
  if (!key.ok) return key;
  const baseUrl = flags.string('app-base-url');
  return ok({
    stringData: {
      githubAppID: flags.string('app-id'),
      ...(installation === '' ? { githubAppInstallationOwner: owner } : { githubAppInstallationID: installation }),
      githubAppPrivateKey: key.value,
      ...(baseUrl === '' ? {} : { githubAppBaseURL: baseUrl }),
    },
  });
}

export const otherSecretCommands: readonly Command[] = [
  {
    use: 'githubapp [name]',
    short: 'Create or update a github app secret',
    long: 'The create secret githubapp command generates a Kubernetes secret that can be used for GitRepository authentication with github app',
    flags: [
      { name: 'app-id', type: 'string', usage: 'github app ID' },
      { name: 'app-installation-owner', type: 'string', usage: 'github app installation owner (user or organization)' },
      { name: 'app-installation-id', type: 'string', usage: 'github app installation ID' },
      { name: 'app-private-key', type: 'string', usage: 'github app private key file path' },
      { name: 'app-base-url', type: 'string', usage: 'github app base URL' },
    ],
    run: deliver('githubapp', githubApp),
  },
  {
    use: 'helm [name]',
    short: 'Create or update a Kubernetes secret for Helm repository authentication',
    long: 'The create secret helm command generates a Kubernetes secret with basic authentication credentials.',
    flags: [...basicFlags(true), ...tlsFlags],
    run: deliver('helm', helm),
  },
  {
    use: 'oci [name]',
    short: 'Create or update a Kubernetes image pull secret',
    long: 'The create secret oci command generates a Kubernetes secret that can be used for OCIRepository authentication',
    flags: [
      { name: 'url', type: 'string', usage: 'oci repository address e.g ghcr.io/org/charts' },
      ...basicFlags(true),
    ],
    run: deliver('oci', oci),
  },
  {
    use: 'proxy [name]',
    short: 'Create or update a Kubernetes secret for proxy authentication',
    long: 'The create secret proxy command generates a Kubernetes secret with the proxy address and credentials.',
    flags: [{ name: 'address', type: 'string', usage: 'proxy address' }, ...basicFlags(true)],
    run: deliver('proxy', proxy),
  },
  {
    use: 'receiver [name]',
    short: 'Create or update a Kubernetes secret for a Receiver webhook',
    long: 'The create secret receiver command generates a Kubernetes secret with the token of a Receiver.',
    flags: [
      { name: 'type', type: 'string', usage: 'type of the receiver' },
      { name: 'token', type: 'string', usage: 'token of the webhook, made at random when not given' },
      { name: 'hostname', type: 'string', usage: 'host name under which the webhook is reached' },
      { name: 'email-claim', type: 'string', usage: 'email claim that tokens of a gcr receiver must have' },
      { name: 'audience-claim', type: 'string', usage: 'audience claim that tokens of a gcr receiver must have' },
    ],
    run: deliver('receiver', receiver),
  },
  {
    use: 'tls [name]',
    short: 'Create or update a Kubernetes secret with TLS certificates',
    long: 'The create secret tls command generates a Kubernetes secret with certificates for use with TLS.',
    flags: tlsFlags,
    run: deliver('tls', tls),
  },
];
