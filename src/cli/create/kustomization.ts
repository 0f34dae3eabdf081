import type { KubeObject } from '../../api/object.ts';
import { formatDuration } from '../../base/duration.ts';
import type { JsonObject } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { type CliContext, type CliResult, type Command, done, failed } from '../command.ts';
import { kustomizations } from '../kinds.ts';
import { applyAndWait, exportObject } from './apply.ts';
import { metadataOf, parseLabels, requireName } from './labels.ts';

const SOURCE_KINDS = ['OCIRepository', 'GitRepository', 'Bucket', 'ExternalArtifact'];
const HEALTH_KINDS = ['Deployment', 'DaemonSet', 'StatefulSet', 'HelmRelease'];

/** `Kind/name.namespace` of --source; the kind may be in any case and is GitRepository by default. Source: flux2 internal/flags. */
export function parseSource(text: string): CliResult<JsonObject> {
  const refuse = (why: string): CliResult<never> =>
    failed(`invalid argument ${JSON.stringify(text)} for "--source" flag: ${why}`);
  if (text.trim() === '') return refuse('no Kustomization source given, please specify the source name');
  const slash = text.indexOf('/');
  const typed = slash <= 0 ? 'GitRepository' : text.slice(0, slash);
  const kind = SOURCE_KINDS.find((known) => known.toLowerCase() === typed.toLowerCase());
  if (kind === undefined) {
    return refuse(`source kind '${typed}' is not supported, must be one of: ${SOURCE_KINDS.join(', ')}`);
  }
  const rest = text.slice(slash + 1);
  const dot = rest.lastIndexOf('.');
  const name = dot < 0 ? rest : rest.slice(0, dot);
  const namespace = dot < 0 ? '' : rest.slice(dot + 1);
  if (name === '') return refuse(`no name given for source of kind '${kind}'`);
  return ok({ kind, name, ...(namespace === '' ? {} : { namespace }) });
}

function parseHealthCheck(text: string): CliResult<JsonObject> {
  const match = /^([^/]*)\/([^/.]+)\.([^/.]+)$/.exec(text);
  if (match === null) return failed(`invalid health check '${text}' must be in the format 'kind/name.namespace'`);
  const [, kind, name, namespace] = match as unknown as [string, string, string, string];
  if (!HEALTH_KINDS.includes(kind)) {
    return failed(`invalid health check kind '${kind}' can be HelmRelease, Deployment, DaemonSet or StatefulSet`);
  }
  const apiVersion = kind === 'HelmRelease' ? { apiVersion: 'helm.toolkit.fluxcd.io/v2' } : {};
  return ok({ ...apiVersion, kind, name, namespace });
}

function parseDependency(text: string): JsonObject {
  const slash = text.indexOf('/');
  if (slash < 0) return { name: text };
  return { name: text.slice(slash + 1), ...(slash === 0 ? {} : { namespace: text.slice(0, slash) }) };
}

/** A path inside of the source: `./` before it, and no way out. Source: flux2 internal/flags safe_relative_path.go. */
function relativePath(text: string): string {
  const steps: string[] = [];
  for (const step of text.split(/[\\/]+/)) {
    if (step === '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(step);
  }
  return steps.length === 0 ? './' : `./${steps.join('/')}`;
}

function collect<T>(results: readonly CliResult<T>[]): CliResult<readonly T[]> {
  const values: T[] = [];
  for (const result of results) {
    if (!result.ok) return result;
    values.push(result.value);
  }
  return ok(values);
}

function specOf(context: CliContext): CliResult<JsonObject> {
  const { flags } = context;
  if (!flags.changed('source')) return failed('source is required');
  const sourceRef = parseSource(flags.string('source'));
  if (!sourceRef.ok) return sourceRef;
  const checks = collect(flags.list('health-check').map(parseHealthCheck));
  if (!checks.ok) return checks;
  const wait = flags.bool('wait');
  const checked = wait || checks.value.length > 0;
  const dependsOn = flags.list('depends-on').map(parseDependency);
  const retryMs = flags.durationMs('retry-interval');
  const provider = flags.string('decryption-provider');
  const secret = flags.string('decryption-secret');
  const decryption = { provider, ...(secret === '' ? {} : { secretRef: { name: secret } }) };
  const named = (flag: string, field: string): JsonObject =>
    flags.string(flag) === '' ? {} : { [field]: flags.string(flag) };
  return ok({
    ...(provider === '' ? {} : { decryption }),
    ...(dependsOn.length > 0 ? { dependsOn } : {}),
    ...(checks.value.length > 0 && !wait ? { healthChecks: checks.value } : {}),
    interval: formatDuration(flags.durationMs('interval')),
    ...(flags.string('kubeconfig-secret-ref') === ''
      ? {}
      : { kubeConfig: { secretRef: { name: flags.string('kubeconfig-secret-ref') } } }),
    path: relativePath(flags.string('path')),
    prune: flags.bool('prune'),
    ...(retryMs > 0 ? { retryInterval: formatDuration(retryMs) } : {}),
    ...named('service-account', 'serviceAccountName'),
    sourceRef: sourceRef.value,
    ...named('target-namespace', 'targetNamespace'),
    ...(checked ? { timeout: formatDuration(flags.durationMs('health-check-timeout')) } : {}),
    ...(wait ? { wait: true } : {}),
  });
}

async function run(context: CliContext): Promise<CliResult> {
  const { flags, progress } = context;
  const name = requireName(context);
  if (!name.ok) return name;
  const labels = parseLabels(context);
  if (!labels.ok) return labels;
  const spec = specOf(context);
  if (!spec.ok) return spec;
  const object: KubeObject = {
    apiVersion: kustomizations.apiVersion,
    kind: kustomizations.kind,
    metadata: metadataOf(name.value, context.namespace, labels.value),
    spec: spec.value,
  };
  if (flags.bool('export')) {
    await exportObject(context, object);
    return done;
  }
  progress.generate('generating Kustomization');
  const client = await context.client();
  if (!client.ok) return client;
  const ready = await applyAndWait(context, client.value, kustomizations, object, 'Kustomization');
  if (!ready.ok) return ready;
  progress.success(`Kustomization ${name.value} is ready`);
  progress.success(kustomizations.success(ready.value));
  return done;
}

export const createKustomizationCommand: Command = {
  use: 'kustomization [name]',
  aliases: ['ks'],
  short: 'Create or update a Kustomization resource',
  long: 'The create command generates a Kustomization resource for a given source.',
  example: `  # Create a Kustomization resource from a source at a given path
  weir create kustomization kyverno \\
    --source=GitRepository/kyverno \\
    --path="./config/release" \\
    --prune=true \\
    --interval=60m \\
    --wait=true \\
    --health-check-timeout=3m

  # Create a Kustomization resource that depends on the previous one
  weir create kustomization kyverno-policies \\
    --depends-on=kyverno \\
    --source=GitRepository/kyverno-policies \\
    --path="./policies/weir" \\
    --prune=true \\
    --interval=5m

  # Create a Kustomization using a source from a different namespace
  weir create kustomization podinfo \\
    --namespace=default \\
    --source=GitRepository/podinfo.flux-system \\
    --path="./kustomize" \\
    --prune=true \\
    --interval=5m`,
  flags: [
    {
      name: 'source',
      type: 'string',
      usage:
        "source that contains the Kubernetes manifests in the format '[<kind>/]<name>.<namespace>', where kind must be one of: (OCIRepository, GitRepository, Bucket, ExternalArtifact), if kind is not specified it defaults to GitRepository",
    },
    {
      name: 'path',
      type: 'string',
      default: './',
      usage: 'path to the directory containing a kustomization.yaml file',
    },
    { name: 'prune', type: 'bool', usage: 'enable garbage collection' },
    { name: 'wait', type: 'bool', usage: 'enable health checking of all the applied resources' },
    {
      name: 'health-check',
      type: 'strings',
      usage: "workload to be included in the health assessment, in the format '<kind>/<name>.<namespace>'",
    },
    {
      name: 'health-check-timeout',
      type: 'duration',
      default: '2m0s',
      usage: 'timeout of health checking operations',
    },
    {
      name: 'validation',
      type: 'string',
      usage: 'validate the manifests before applying them on the cluster',
      deprecated: 'this arg is no longer used, all resources are validated using server-side apply dry-run',
    },
    {
      name: 'depends-on',
      type: 'strings',
      usage:
        "Kustomization that must be ready before this Kustomization can be applied, supported formats '<name>' and '<namespace>/<name>', also accepts comma-separated values",
    },
    {
      name: 'service-account',
      type: 'string',
      usage: 'the name of the service account to impersonate when reconciling this Kustomization',
    },
    {
      name: 'decryption-provider',
      type: 'string',
      values: ['sops'],
      usage: 'decryption provider, available options are: (sops)',
    },
    {
      name: 'decryption-secret',
      type: 'string',
      usage: 'set the Kubernetes secret name that contains the private keys used for sops decryption',
    },
    {
      name: 'target-namespace',
      type: 'string',
      usage: 'overrides the namespace of all Kustomization objects reconciled by this Kustomization',
    },
    {
      name: 'kubeconfig-secret-ref',
      type: 'string',
      usage:
        'the name of the Kubernetes Secret that contains a key with the kubeconfig file for connecting to a remote cluster',
    },
    {
      name: 'retry-interval',
      type: 'duration',
      usage: 'the interval at which to retry a previously failed reconciliation',
    },
  ],
  completes: kustomizations,
  run,
};
