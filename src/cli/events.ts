import type { KubeObject } from '../api/object.ts';
import { at, stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { humanDuration } from './age.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { printTable } from './table.ts';
import { referenceOf, toolkitKind } from './toolkit-kinds.ts';

const EVENT = { apiVersion: 'v1', kind: 'Event' } as const;
/** Which events are meant, and whether their namespaces differ. */
interface Selection {
  readonly queries: readonly { readonly namespace?: string; readonly fieldSelector?: string }[];
  readonly showNamespace: boolean;
}

async function select(context: CliContext, client: KubeClient): Promise<CliResult<Selection>> {
  const all = context.flags.bool('all-namespaces');
  const scope = all ? {} : { namespace: context.namespace };
  const text = context.flags.string('for');
  if (text === '') return ok({ queries: [scope], showNamespace: all });
  const [typed = '', name = ''] = text.split('/');
  const kind = toolkitKind(typed);
  if (typed === '') return failed('--for selector must be of format <kind>[/<name>]');
  if (kind === undefined) return failed(`'${typed}' is not a recognized Flux kind`);
  const of = (kindOf: string, nameOf: string): string =>
    `involvedObject.kind=${kindOf}${nameOf === '' ? '' : `,involvedObject.name=${nameOf}`}`;
  const own = { ...scope, fieldSelector: of(kind.kind, name) };
  if (name === '' || kind.reference === undefined) return ok({ queries: [own], showNamespace: all });
  // An object's events are told together with those of what it is made of.
  const { namespace } = context;
  const object = await client.get({ apiVersion: kind.apiVersion, kind: kind.kind, namespace, name }, context.signal);
  if (!object.ok) return refused(object.error);
  const refs = [referenceOf(kind, object.value)].filter((ref) => ref !== undefined);
  // The chart that a release has made for itself.
  const [source] = refs;
  if (kind.kind === 'HelmRelease' && source !== undefined) {
    refs.push({ kind: 'HelmChart', namespace: source.namespace, name: `${namespace}-${name}` });
  }
  return ok({
    queries: [own, ...refs.map((ref) => ({ namespace: ref.namespace, fieldSelector: of(ref.kind, ref.name) }))],
    showNamespace: all || refs.some((ref) => ref.namespace !== namespace),
  });
}

function field(event: KubeObject, ...path: readonly string[]): string {
  return stringAt(event as never, ...path) ?? '';
}

function timeOf(event: KubeObject): number {
  const text = field(event, 'series', 'lastObservedTime') || field(event, 'lastTimestamp') || field(event, 'eventTime');
  return Date.parse(text) || 0;
}

/** Source: kubernetes@1.34 kubectl events getInterval. */
function lastSeen(event: KubeObject, nowMs: number): string {
  const since = (text: string): string => (text === '' ? '<unknown>' : humanDuration(nowMs - Date.parse(text)));
  const first = since(field(event, 'eventTime') || field(event, 'firstTimestamp'));
  const series = field(event, 'series', 'lastObservedTime');
  if (series !== '') return `${since(series)} (x${Number(at(event as never, 'series', 'count'))} over ${first})`;
  const count = Number(at(event as never, 'count') ?? 0);
  return count > 1 ? `${since(field(event, 'lastTimestamp'))} (x${count} over ${first})` : first;
}

function shown(context: CliContext, event: KubeObject): boolean {
  if (toolkitKind(field(event, 'involvedObject', 'kind')) === undefined) return false;
  const types = context.flags.list('types').map((type) => type.toLowerCase());
  return types.length === 0 || types.includes(field(event, 'type').toLowerCase());
}

function rowOf(context: CliContext, event: KubeObject, showNamespace: boolean): string[] {
  const object = `${field(event, 'involvedObject', 'kind')}/${field(event, 'involvedObject', 'name')}`;
  const cells = [
    lastSeen(event, context.now()),
    field(event, 'type'),
    field(event, 'reason'),
    object,
    field(event, 'message'),
  ];
  return showNamespace ? [event.metadata.namespace ?? '', ...cells] : cells;
}

const HEADER = ['Last seen', 'Type', 'Reason', 'Object', 'Message'];

async function run(context: CliContext): Promise<CliResult> {
  const unknown = context.flags.list('types').find((type) => !['normal', 'warning'].includes(type.toLowerCase()));
  if (unknown !== undefined) return failed(`type '${unknown}' not supported. Supported types are Normal, Warning`);
  const connected = await context.client();
  if (!connected.ok) return connected;
  const client = connected.value;
  const selection = await select(context, client);
  if (!selection.ok) return selection;
  const { queries, showNamespace } = selection.value;
  const events: KubeObject[] = [];
  let resourceVersion = '';
  for (const query of queries) {
    const listed = await client.list(EVENT, query);
    if (!listed.ok) return refused(listed.error, 'error getting events');
    events.push(...listed.value.items.filter((event) => shown(context, event)));
    resourceVersion = listed.value.resourceVersion;
  }
  events.sort((a, b) => timeOf(a) - timeOf(b));
  const header = showNamespace ? ['Namespace', ...HEADER] : HEADER;
  const rows = events.map((event) => rowOf(context, event, showNamespace));
  const watching = context.flags.bool('watch');
  if (rows.length === 0 && !watching) {
    const where = context.flags.bool('all-namespaces') ? '' : ` in ${context.namespace} namespace`;
    context.progress.failure(`No events found${where}.`);
    return done;
  }
  context.print(printTable(header, rows));
  if (!watching) return done;
  const follow = (query: Selection['queries'][number]): Promise<void> =>
    followEvents(context, client, { ...query, resourceVersion }, showNamespace);
  await Promise.all(queries.map(follow));
  return done;
}

async function followEvents(
  context: CliContext,
  client: KubeClient,
  query: { readonly namespace?: string; readonly fieldSelector?: string; readonly resourceVersion: string },
  showNamespace: boolean,
): Promise<void> {
  try {
    for await (const change of client.watch(EVENT, { ...query, signal: context.signal })) {
      if (change.type !== 'ADDED' && change.type !== 'MODIFIED') continue;
      if (shown(context, change.object)) context.print(printTable([], [rowOf(context, change.object, showNamespace)]));
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

export const eventsCommand: Command = {
  use: 'events',
  short: 'Display Kubernetes events for Weir resources',
  long: 'The events sub-command shows Kubernetes events from Weir resources',
  example: `  # Display events for resources in default namespace
  weir events -n default

  # Display events for resources in all namespaces
  weir events -A

  # Display events for a Kustomization named podinfo
  weir events --for Kustomization/podinfo

  # Display events for all Kustomizations in default namespace
  weir events --for Kustomization -n default

  # Display warning events of a source
  weir events --for GitRepository/podinfo --types warning`,
  args: { min: 0, max: 0 },
  flags: [
    {
      name: 'all-namespaces',
      short: 'A',
      type: 'bool',
      usage: 'display events from Weir resources across all namespaces',
    },
    { name: 'watch', short: 'w', type: 'bool', usage: 'indicate if the events should be streamed' },
    { name: 'for', type: 'string', usage: 'get events for a particular object' },
    {
      name: 'types',
      type: 'strings',
      usage: 'filter events for certain types (valid types are: Normal, Warning)',
    },
  ],
  run,
};
