import type { KubeObject } from '../../api/object.ts';
import { formatDuration } from '../../base/duration.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { stringAt } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed } from '../command.ts';
import { gitRepositories } from '../kinds.ts';
import { applyAndWait, exportObject, upsertSecret } from './apply.ts';
import { metadataOf, parseLabels, requireName } from './labels.ts';
import { keyFlags, parseGitUrl, sshCredentials } from './secret-git.ts';
import { readFileFlag, type SecretContent, secretObject } from './secret-object.ts';

/** The most exact reference wins, as in Flux. */
function referenceOf(context: CliContext): CliResult<JsonObject> {
  const flag = (name: string): string => context.flags.string(name);
  const [branch, tag, semver, name, commit] = ['branch', 'tag', 'tag-semver', 'ref-name', 'commit'].map(flag);
  if (commit) return ok({ ...(branch ? { branch } : {}), commit });
  if (name) return ok({ name });
  if (semver) return ok({ semver });
  if (tag) return ok({ tag });
  if (branch) return ok({ branch });
  return failed(
    'a Git ref is required, use one of the following: --branch, --tag, --commit, --ref-name or --tag-semver',
  );
}

function specOf(context: CliContext, url: string): CliResult<JsonObject> {
  const { flags } = context;
  const reference = referenceOf(context);
  if (!reference.ok) return reference;
  const ignore = flags.list('ignore-paths');
  const sparse = flags.list('sparse-checkout-paths');
  const timeoutMs = flags.durationMs('fetch-timeout');
  return ok({
    ...(ignore.length > 0 ? { ignore: ignore.join('\n') } : {}),
    interval: formatDuration(flags.durationMs('interval')),
    ...(flags.string('provider') === '' ? {} : { provider: flags.string('provider') }),
    ...(flags.string('proxy-secret-ref') === '' ? {} : { proxySecretRef: { name: flags.string('proxy-secret-ref') } }),
    ...(flags.bool('recurse-submodules') ? { recurseSubmodules: true } : {}),
    ref: reference.value,
    ...(flags.string('secret-ref') === '' ? {} : { secretRef: { name: flags.string('secret-ref') } }),
    ...(sparse.length > 0 ? { sparseCheckout: sparse } : {}),
    ...(timeoutMs > 0 ? { timeout: formatDuration(timeoutMs) } : {}),
    url,
  });
}

/** Credentials that flags ask for; undefined for a public repository. */
async function credentials(context: CliContext, url: URL): Promise<CliResult<SecretContent | undefined>> {
  if (url.protocol === 'ssh:') return await sshCredentials(context, url);
  const username = context.flags.string('username');
  const password = context.flags.string('password');
  const stringData: Record<string, string> = username !== '' && password !== '' ? { username, password } : {};
  if (context.flags.string('ca-file') !== '') {
    const ca = readFileFlag(context, 'ca-file', 'TLS CA file');
    if (!ca.ok) return ca;
    stringData['caFile'] = ca.value;
  }
  if (Object.keys(stringData).length === 0) return ok(undefined);
  if (url.protocol === 'http:')
    context.progress.warning('insecure configuration: credentials configured for an HTTP URL');
  return ok({ stringData });
}

/** Writes the Secret and tells its keys' public halves; false when there is nothing to keep secret. */
async function writeCredentials(context: CliContext, client: KubeClient, url: URL): Promise<CliResult<boolean>> {
  const { progress } = context;
  const content = await credentials(context, url);
  if (!content.ok) return content;
  if (content.value === undefined) return ok(false);
  const { known_hosts: hosts, 'identity.pub': publicKey } = content.value.stringData;
  if (hosts !== undefined) progress.success(`collected public key from SSH server:\n${hosts}`);
  if (publicKey !== undefined) {
    progress.generate(`deploy key: ${publicKey}`);
    const silent = context.flags.bool('silent');
    if (!silent && !(await context.confirm('Have you added the deploy key to your repository'))) {
      return failed('aborting');
    }
  }
  progress.action('applying secret with repository credentials');
  const secret = secretObject(context, content.value);
  if (!secret.ok) return secret;
  const written = await upsertSecret(client, secret.value);
  if (!written.ok) return written;
  progress.success('authentication configured');
  return ok(true);
}

async function run(context: CliContext): Promise<CliResult> {
  const { flags, progress } = context;
  const name = requireName(context);
  if (!name.ok) return name;
  const url = parseGitUrl(flags.string('url'));
  if (!url.ok) return url;
  if (flags.string('ca-file') !== '' && url.value.protocol === 'ssh:') {
    return failed('specifying a CA file is not supported for Git over SSH');
  }
  const labels = parseLabels(context);
  if (!labels.ok) return labels;
  const spec = specOf(context, flags.string('url'));
  if (!spec.ok) return spec;
  const object: KubeObject = {
    apiVersion: gitRepositories.apiVersion,
    kind: gitRepositories.kind,
    metadata: metadataOf(name.value, context.namespace, labels.value),
    spec: spec.value,
  };
  if (flags.bool('export')) {
    await exportObject(context, object);
    return done;
  }
  const client = await context.client();
  if (!client.ok) return client;
  progress.generate('generating GitRepository source');
  let secretRef: Json | undefined = spec.value['secretRef'];
  if (secretRef === undefined) {
    const written = await writeCredentials(context, client.value, url.value);
    if (!written.ok) return written;
    if (written.value) secretRef = { name: name.value };
  }
  const complete = secretRef === undefined ? object : { ...object, spec: { ...spec.value, secretRef } };
  const ready = await applyAndWait(context, client.value, gitRepositories, complete, 'GitRepository source');
  if (!ready.ok) return ready;
  progress.success('GitRepository source reconciliation completed');
  const revision = stringAt(ready.value.status, 'artifact', 'revision');
  if (revision === undefined) {
    return failed('GitRepository source reconciliation completed but no artifact was found');
  }
  progress.success(`fetched revision: ${revision}`);
  return done;
}

export const createSourceGitCommand: Command = {
  use: 'git [name]',
  short: 'Create or update a GitRepository source',
  long: `The create source git command generates a GitRepository resource and waits for it to sync.
For Git over SSH, host and SSH keys are automatically generated and stored in a Kubernetes secret.
For private Git repositories, the basic authentication credentials are stored in a Kubernetes secret.`,
  example: `  # Create a source from a public Git repository master branch
  weir create source git podinfo \\
    --url=https://example.com/org/podinfo \\
    --branch=master

  # Create a source from a public Git repository tag that matches a semver range
  weir create source git podinfo \\
    --url=https://example.com/org/podinfo \\
    --tag-semver=">=3.2.0 <3.3.0"

  # Create a source for a Git repository using SSH authentication and a private key from file
  # The public SSH host key will still be gathered from the host
  weir create source git podinfo \\
    --url=ssh://git@example.com/org/podinfo \\
    --branch=master \\
    --private-key-file=./private.key

  # Create a source for a Git repository using basic authentication
  weir create source git podinfo \\
    --url=https://example.com/org/podinfo \\
    --branch=master \\
    --username=username \\
    --password=password`,
  flags: [
    { name: 'url', type: 'string', usage: 'git address, e.g. ssh://git@host/org/repository' },
    { name: 'branch', type: 'string', usage: 'git branch' },
    { name: 'tag', type: 'string', usage: 'git tag' },
    { name: 'tag-semver', type: 'string', usage: 'git tag semver range' },
    { name: 'ref-name', type: 'string', usage: 'git reference name' },
    { name: 'commit', type: 'string', usage: 'git commit' },
    { name: 'username', short: 'u', type: 'string', usage: 'basic authentication username' },
    { name: 'password', short: 'p', type: 'string', usage: 'basic authentication password' },
    ...keyFlags,
    {
      name: 'secret-ref',
      type: 'string',
      usage: 'the name of an existing secret containing SSH or basic credentials',
    },
    {
      name: 'proxy-secret-ref',
      type: 'string',
      usage: 'the name of an existing secret containing the proxy address and credentials',
    },
    {
      name: 'provider',
      type: 'string',
      values: ['generic', 'aws', 'azure', 'github'],
      usage: 'the Git provider name, available options are: (generic, aws, azure, github)',
    },
    {
      name: 'ca-file',
      type: 'string',
      usage: 'path to TLS CA file used for validating self-signed certificates',
    },
    {
      name: 'recurse-submodules',
      type: 'bool',
      usage:
        'when enabled, configures the GitRepository source to initialize and include Git submodules in the artifact it produces',
    },
    {
      name: 'silent',
      short: 's',
      type: 'bool',
      usage: 'assumes the deploy key is already setup, skips confirmation',
    },
    {
      name: 'ignore-paths',
      type: 'strings',
      usage: 'set paths to ignore in git resource (can specify multiple paths with commas: path1,path2)',
    },
    {
      name: 'sparse-checkout-paths',
      type: 'strings',
      usage: 'set paths to sparse checkout in git resource (can specify multiple paths with commas: path1,path2)',
    },
  ],
  completes: gitRepositories,
  run,
};
