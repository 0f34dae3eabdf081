import { at, isArray, parseJson, stringAt } from '../base/json.ts';
import { parseConstraint, satisfies } from '../engine/semver/constraint.ts';
import { parseVersion } from '../engine/semver/version.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed } from './command.ts';
import { clusterInfo } from './install/cluster-info.ts';
import { DEFAULT_COMPONENTS } from './install/components.ts';
import { PART_OF_SELECTOR } from './install/options.ts';
import { deploymentReady } from './install/readiness.ts';

/** Kubernetes versions that are supported. Source: fluxcd/flux2@v2.9 cmd/flux/check.go. */
const KUBERNETES = '>=1.33.0-0';

async function kubernetesCheck(context: CliContext, client: KubeClient): Promise<boolean> {
  const { progress } = context;
  const answer = await client.raw('GET', '/version', undefined, context.signal);
  if (!answer.ok) {
    progress.failure(`Kubernetes API call failed: ${answer.error.message}`);
    return false;
  }
  const text = stringAt(parseJson(answer.value), 'gitVersion') ?? '';
  const version = parseVersion(text);
  const constraint = parseConstraint(KUBERNETES);
  if (!version.ok || !constraint.ok) {
    progress.failure("Kubernetes version can't be determined");
    return false;
  }
  if (!satisfies(version.value, constraint.value)) {
    progress.failure(`Kubernetes version ${text} does not match ${KUBERNETES}`);
    return false;
  }
  progress.success(`Kubernetes ${text.replace(/^v/, '')} ${KUBERNETES}`);
  return true;
}

async function versionCheck(context: CliContext, client: KubeClient): Promise<boolean> {
  const info = await clusterInfo(client);
  if (!info.ok || info.value === undefined) {
    const reason = info.ok ? 'Weir is not installed in this cluster' : info.error.message;
    context.progress.failure(`checking failed: ${reason}`);
    return false;
  }
  if (info.value.distribution !== '') context.progress.success(`distribution: ${info.value.distribution}`);
  context.progress.success(`bootstrapped: ${info.value.bootstrapped}`);
  return true;
}

async function controllersCheck(context: CliContext, client: KubeClient): Promise<boolean> {
  const { progress, namespace } = context;
  const listed = await client.list(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { namespace, labelSelector: PART_OF_SELECTOR },
  );
  if (!listed.ok || listed.value.items.length === 0) {
    progress.failure(
      listed.ok
        ? `no controllers found in the '${namespace}' namespace with the label selector '${PART_OF_SELECTOR}'`
        : listed.error.message,
    );
    return false;
  }
  let healthy = true;
  for (const { metadata, spec } of listed.value.items) {
    const ready = await deploymentReady(context, client, namespace, metadata.name);
    healthy &&= ready.ok;
    const containers = at(spec, 'template', 'spec', 'containers');
    if (!isArray(containers)) continue;
    for (const container of containers) progress.action(stringAt(container, 'image') ?? '');
  }
  return healthy;
}

async function crdsCheck(context: CliContext, client: KubeClient): Promise<boolean> {
  const { progress } = context;
  const kind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
  const listed = await client.list(kind, { labelSelector: PART_OF_SELECTOR });
  if (!listed.ok || listed.value.items.length === 0) {
    progress.failure(listed.ok ? `no crds found with the label selector '${PART_OF_SELECTOR}'` : listed.error.message);
    return false;
  }
  let stored = true;
  for (const { metadata, status } of listed.value.items) {
    const versions = at(status, 'storedVersions');
    const last = isArray(versions) ? versions.at(-1) : undefined;
    if (typeof last === 'string') progress.success(`${metadata.name}/${last}`);
    else {
      stored = false;
      progress.failure(`no stored versions for ${metadata.name}`);
    }
  }
  return stored;
}

async function run(context: CliContext): Promise<CliResult> {
  const { progress } = context;
  progress.action('checking prerequisites');
  const connected = await context.client();
  if (!connected.ok) return connected;
  const client = connected.value;
  const prerequisites = await kubernetesCheck(context, client);
  if (context.flags.bool('pre')) {
    if (!prerequisites) return failed('prerequisites checks failed');
    progress.success('prerequisites checks passed');
    return done;
  }
  const checks = [
    ['checking version in cluster', versionCheck],
    ['checking controllers', controllersCheck],
    ['checking crds', crdsCheck],
  ] as const;
  let passed = prerequisites;
  for (const [title, check] of checks) {
    progress.action(title);
    passed = (await check(context, client)) && passed;
  }
  if (!passed) return failed('check failed');
  progress.success('all checks passed');
  return done;
}

export const checkCommand: Command = {
  use: 'check',
  short: 'Check requirements and installation',
  long: `The check command will perform a series of checks to validate that
the local environment is configured correctly and if the installed components are healthy.`,
  example: `  # Run pre-installation checks
  weir check --pre

  # Run installation checks
  weir check`,
  args: { min: 0, max: 0 },
  flags: [
    { name: 'pre', type: 'bool', usage: 'only run pre-installation checks' },
    {
      name: 'components',
      type: 'strings',
      default: DEFAULT_COMPONENTS.join(','),
      usage: 'list of components, accepts comma-separated values',
    },
    {
      name: 'components-extra',
      type: 'strings',
      usage: 'list of components in addition to those supplied or defaulted, accepts comma-separated values',
    },
    {
      name: 'poll-interval',
      type: 'duration',
      default: '5s',
      usage: 'accepted for compatibility: the health of resources is watched, not polled',
    },
  ],
  run,
};
