import { groupOf, type KubeObject, type ObjectRef } from '../api/object.ts';
import { at, type Json, stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient, ResourceInfo } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { conditionOf } from './kinds.ts';
import { toolkitKind } from './toolkit-kinds.ts';

/** Owners followed upwards: Pod, ReplicaSet, Deployment and a few more. */
const MAX_OWNERS = 10;
const MANAGERS = [
  { kind: 'Kustomization', apiVersion: 'kustomize.toolkit.fluxcd.io/v1' },
  { kind: 'HelmRelease', apiVersion: 'helm.toolkit.fluxcd.io/v2' },
] as const;

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

/** What manages an object, or the owner that leads to it. */
interface Manager {
  readonly kind: 'Kustomization' | 'HelmRelease';
  readonly ref: ObjectRef;
}

/** The Kustomization or HelmRelease that an object, or an owner of it, was applied by. */
async function managerOf(client: KubeClient, object: KubeObject): Promise<CliResult<Manager>> {
  let current = object;
  for (let steps = 0; steps < MAX_OWNERS; steps++) {
    for (const { kind, apiVersion } of MANAGERS) {
      const name = current.metadata.labels?.[`${groupOf(apiVersion)}/name`];
      const namespace = current.metadata.labels?.[`${groupOf(apiVersion)}/namespace`] ?? '';
      if (name !== undefined) return ok({ kind, ref: { apiVersion, kind, namespace, name } });
    }
    const owners = current.metadata.ownerReferences ?? [];
    const owner = owners.find(({ controller }) => controller === true) ?? owners[0];
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

/** A failure is called one, also of a Kustomization, of which Flux says that it was reconciled. */
function reconciledLines(object: KubeObject): readonly (readonly [string, string | undefined])[] {
  const ready = conditionOf(object, 'Ready');
  if (ready === undefined) return [['Status', 'Unknown']];
  const what = ready.status === 'False' ? 'Last reconciliation failed' : 'Last reconciled';
  return [
    ['Status', `${what} at ${localTime(ready.lastTransitionTime)}`],
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
  const origin = (field: string): string => text('sourceRef', field) ?? '';
  const isArtifact = source.kind === 'ExternalArtifact';
  return block([
    [source.kind, source.metadata.name],
    ['Namespace', source.metadata.namespace],
    ['Source', isArtifact ? `${origin('kind')}/${origin('namespace')}/${origin('name')}` : undefined],
    ['URL', text('url')],
    ['Bucket', text('bucketName')],
    ['Chart', source.kind === 'HelmChart' ? text('chart') : undefined],
    ['Version', source.kind === 'HelmChart' ? text('version') : undefined],
    ['Tag', tag],
    ['Branch', tag === undefined ? text('ref', 'branch') : undefined],
    ['Digest', tag === undefined ? text('ref', 'digest') : undefined],
    ['Revision', stringAt(source.status, 'artifact', 'revision')],
    ...reconciledLines(source),
  ]);
}

/** A source that is gone is what the user looks for: the rest is told all the same. */
function missingBlock({ kind, name, namespace }: ObjectRef): string {
  return block([
    [kind, name],
    ['Namespace', namespace],
    ['Status', 'Not found'],
  ]);
}

/** References from a manager to what it was made of, the nearest first. */
async function sourceRefs(
  client: KubeClient,
  { kind }: Manager,
  { spec, status, metadata }: KubeObject,
): Promise<CliResult<readonly ObjectRef[]>> {
  const own = metadata.namespace ?? '';
  const refOf = (reference: Json | undefined, fallback: string): readonly ObjectRef[] => {
    const known = toolkitKind(stringAt(reference, 'kind') ?? '');
    const name = stringAt(reference, 'name');
    if (known === undefined || name === undefined) return [];
    const { apiVersion } = known;
    return [{ apiVersion, kind: known.kind, namespace: stringAt(reference, 'namespace') || fallback, name }];
  };
  if (kind === 'Kustomization') return ok(refOf(at(spec, 'sourceRef'), own));
  const chart = stringAt(status, 'helmChart') ?? '';
  const [namespace = '', name = ''] = chart.split('/');
  const chartRefs = chart === '' ? [] : refOf({ kind: 'HelmChart', namespace, name }, own);
  const reference = at(spec, 'chart') === undefined ? at(spec, 'chartRef') : at(spec, 'chart', 'spec', 'sourceRef');
  const refs = [...chartRefs, ...refOf(reference, own)];
  const [last] = refs.slice(-1);
  if (last?.kind !== 'HelmChart' || at(spec, 'chart') !== undefined) return ok(refs);
  // A release may refer to a chart of its own object, which in turn has a source.
  const found = await client.get(last);
  return found.ok ? ok([...refs, ...refOf(at(found.value.spec, 'sourceRef'), last.namespace ?? own)]) : ok(refs);
}

async function traceObject(client: KubeClient, object: KubeObject): Promise<CliResult<string>> {
  const manager = await managerOf(client, object);
  if (!manager.ok) return manager;
  const { kind, ref } = manager.value;
  const found = await client.get(ref);
  if (!found.ok) return refused(found.error, `failed to find ${kind === 'Kustomization' ? 'kustomization' : kind}`);
  const { spec, status, metadata } = found.value;
  const applied = kind === 'Kustomization';
  const blocks = [
    block([
      ['Object', `${object.kind}/${object.metadata.name}`],
      ['Namespace', object.metadata.namespace],
      ['Status', 'Managed by Flux'],
    ]),
    block([
      [kind, metadata.name],
      ['Namespace', metadata.namespace],
      ['Target', stringAt(spec, 'targetNamespace')],
      ['Path', applied ? (stringAt(spec, 'path') ?? '') : undefined],
      ['Revision', stringAt(status, applied ? 'lastAppliedRevision' : 'lastAttemptedRevision') ?? ''],
      ...reconciledLines(found.value),
    ]),
  ];
  const refs = await sourceRefs(client, manager.value, found.value);
  if (!refs.ok) return refs;
  for (const sourceRef of refs.value) {
    const source = await client.get(sourceRef);
    if (source.ok) blocks.push(sourceBlock(source.value));
    else if (source.error.code === 404) blocks.push(missingBlock(sourceRef));
    else return refused(source.error, `failed to find ${sourceRef.kind}`);
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
