import { groupOf, type KubeObject, type ObjectRef } from '../api/object.ts';
import { stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient, ResourceInfo } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { conditionOf, kindNamed, kustomizations } from './kinds.ts';
import { refTo } from './reconcile.ts';

/** Owners followed upwards: Pod, ReplicaSet, Deployment and a few more. */
const MAX_OWNERS = 10;
const GROUP = 'kustomize.toolkit.fluxcd.io';

/** A resource by any of the names that kubectl takes: plural, singular, short name or kind, perhaps with `.group`. */
function findResource(resources: readonly ResourceInfo[], typed: string): ResourceInfo | undefined {
  const [name = '', ...group] = typed.toLowerCase().split('.');
  return resources.find(
    (info) =>
      (info.plural === name || info.kind.toLowerCase() === name || info.shortNames.includes(name)) &&
      (group.length === 0 || groupOf(info.apiVersion).startsWith(group.join('.'))),
  );
}

/** Arguments as `kind name...` or `kind/name...`. Source: kubectl's resource builder. */
function pairsOf(args: readonly string[]): CliResult<readonly (readonly [string, string])[]> {
  const [first = '', ...names] = args;
  const usage = failed('either `<resource>/<name>` or `<resource> <name>` is required as an argument');
  if (first.includes('/')) {
    const pairs = args.map((arg) => arg.split('/') as [string, string]);
    return pairs.every((pair) => pair.length === 2 && pair.every((part) => part !== '')) ? ok(pairs) : usage;
  }
  return names.length > 0 && names.every((name) => !name.includes('/'))
    ? ok(names.map((name) => [first, name] as const))
    : usage;
}

async function refsOf(context: CliContext, client: KubeClient): Promise<CliResult<readonly ObjectRef[]>> {
  const kind = context.flags.string('kind');
  const apiVersion = context.flags.string('api-version');
  if (kind !== '' || apiVersion !== '') {
    const [name] = context.args;
    if (name === undefined) return failed('object name is required');
    if (kind === '') return failed('object kind is required (--kind)');
    if (apiVersion === '') return failed('object apiVersion is required (--api-version)');
    const resources = await client.resources();
    if (!resources.ok) return refused(resources.error);
    const info = resources.value.find(
      (other) => other.apiVersion === apiVersion && other.kind.toLowerCase() === kind.toLowerCase(),
    );
    if (info === undefined)
      return failed(`failed to find object: no matches for kind "${kind}" in version "${apiVersion}"`);
    return ok([refOfResource(context, info, name)]);
  }
  const pairs = pairsOf(context.args);
  if (!pairs.ok) return pairs;
  const resources = await client.resources();
  if (!resources.ok) return refused(resources.error);
  const refs: ObjectRef[] = [];
  for (const [typed, name] of pairs.value) {
    const info = findResource(resources.value, typed);
    if (info === undefined) return failed(`the server doesn't have a resource type "${typed}"`);
    refs.push(refOfResource(context, info, name));
  }
  return ok(refs);
}

function refOfResource(context: CliContext, info: ResourceInfo, name: string): ObjectRef {
  const { apiVersion, kind } = info;
  return info.namespaced ? { apiVersion, kind, namespace: context.namespace, name } : { apiVersion, kind, name };
}

/** The Kustomization that an object, or an owner of it, was applied by. */
async function managerOf(client: KubeClient, object: KubeObject): Promise<CliResult<ObjectRef>> {
  let current = object;
  for (let steps = 0; steps < MAX_OWNERS; steps++) {
    const name = current.metadata.labels?.[`${GROUP}/name`];
    const namespace = current.metadata.labels?.[`${GROUP}/namespace`];
    if (name !== undefined && namespace !== undefined) return ok(refTo(kustomizations, namespace, name));
    const owner = current.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner === undefined) break;
    const { apiVersion, kind } = owner;
    const { namespace: inside } = current.metadata;
    const found = await client.get({
      apiVersion,
      kind,
      name: owner.name,
      ...(inside === undefined ? {} : { namespace: inside }),
    });
    if (!found.ok) break;
    current = found.value;
  }
  return failed('object not managed by Flux');
}

/** Lines of `Key:` and value, as a block of the report. */
function block(lines: readonly (readonly [string, string | undefined])[]): string {
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${`${key}:`.padEnd(16)} ${value}\n`)
    .join('');
}

function reconciledLines(object: KubeObject): readonly (readonly [string, string | undefined])[] {
  const ready = conditionOf(object, 'Ready');
  if (ready === undefined) return [['Status', 'Unknown']];
  const failure = ready.status === 'False' && object.kind !== 'Kustomization';
  return [
    ['Status', `Last ${failure ? 'reconciliation failed' : 'reconciled'} at ${localTime(ready.lastTransitionTime)}`],
    ['Message', ready.message],
  ];
}

/** The time as Go prints one: `2026-01-02 03:04:05 +0000 UTC`. */
function localTime(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : `${time.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

function sourceBlock(source: KubeObject): string {
  const text = (...path: readonly string[]): string | undefined => stringAt(source.spec, ...path);
  const tag = text('ref', 'tag') ?? text('ref', 'semver');
  return block([
    [source.kind, source.metadata.name],
    ['Namespace', source.metadata.namespace],
    ['URL', text('url')],
    ['Tag', tag],
    ['Branch', tag === undefined ? text('ref', 'branch') : undefined],
    ['Revision', stringAt(source.status, 'artifact', 'revision')],
    ...reconciledLines(source),
  ]);
}

async function traceObject(client: KubeClient, object: KubeObject): Promise<CliResult<string>> {
  const manager = await managerOf(client, object);
  if (!manager.ok) return manager;
  const kustomization = await client.get(manager.value);
  if (!kustomization.ok) return refused(kustomization.error, 'failed to find kustomization');
  const { spec, status, metadata } = kustomization.value;
  const sourceKind = stringAt(spec, 'sourceRef', 'kind') ?? '';
  const kind = kindNamed(sourceKind);
  const blocks = [
    block([
      ['Object', `${object.kind}/${object.metadata.name}`],
      ['Namespace', object.metadata.namespace],
      ['Status', 'Managed by Flux'],
    ]),
    block([
      ['Kustomization', metadata.name],
      ['Namespace', metadata.namespace],
      ['Target', stringAt(spec, 'targetNamespace')],
      ['Path', stringAt(spec, 'path') ?? ''],
      ['Revision', stringAt(status, 'lastAppliedRevision') ?? ''],
      ...reconciledLines(kustomization.value),
    ]),
  ];
  if (kind !== undefined) {
    const namespace = stringAt(spec, 'sourceRef', 'namespace') ?? metadata.namespace ?? '';
    const source = await client.get(refTo(kind, namespace, stringAt(spec, 'sourceRef', 'name') ?? ''));
    if (!source.ok) return refused(source.error, `failed to find ${sourceKind}`);
    blocks.push(sourceBlock(source.value));
  }
  return ok(`\n${blocks.join('---\n')}`);
}

async function run(context: CliContext): Promise<CliResult> {
  const client = await context.client();
  if (!client.ok) return client;
  const refs = await refsOf(context, client.value);
  if (!refs.ok) return refs;
  let failures = 0;
  for (const [index, ref] of refs.value.entries()) {
    const object = await client.value.get(ref, context.signal);
    if (!object.ok) return refused(object.error, 'failed to find object');
    const report = await traceObject(client.value, object.value);
    if (report.ok) context.print(report.value);
    else {
      failures++;
      const { kind, name, namespace = '' } = ref;
      context.progress.failure(`failed to trace ${kind}/${name} in namespace ${namespace}: ${report.error.message}`);
    }
    if (index < refs.value.length - 1) context.print('---\n');
  }
  return failures === 0 ? done : failed(`${failures} of ${refs.value.length} objects could not be traced`);
}

export const traceCommand: Command = {
  use: 'trace <resource> <name> [<name> ...]',
  short: 'Trace in-cluster objects throughout the GitOps delivery pipeline',
  long: `The trace command shows how one or more objects are managed by Weir,
from which source and revision they come, and what the latest reconciliation status is.

You can also trace multiple objects with different resource kinds using <resource>/<name> multiple times.`,
  example: `  # Trace a Kubernetes Deployment
  weir trace -n apps deployment my-app

  # Trace a Kubernetes Pod and a config map
  weir trace -n redis pod/redis-master-0 cm/redis

  # Trace a Kubernetes global object
  weir trace namespace redis

  # API Version and Kind can also be specified explicitly
  # Note that either both, kind and api-version, or neither have to be specified.
  weir trace my-app --kind=deployment --api-version=apps/v1 -n apps`,
  flags: [
    { name: 'kind', type: 'string', usage: "the Kubernetes object kind, e.g. Deployment'" },
    { name: 'api-version', type: 'string', usage: "the Kubernetes object API version, e.g. 'apps/v1'" },
  ],
  run,
};
