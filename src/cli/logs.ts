import type { KubeObject } from '../api/object.ts';
import { at, isObject, parseJson, stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { DEFAULT_NAMESPACE } from './global-flags.ts';
import { PART_OF_SELECTOR } from './install/options.ts';

/** A line longer than this is cut by no logger of ours: the rest of it is dropped. */
const MAX_LINE_LENGTH = 1024 * 1024;

/** One running pod of each Deployment of the installation. */
async function findPods(
  context: CliContext,
  client: KubeClient,
  namespace: string,
): Promise<CliResult<readonly string[]>> {
  const deployments = await client.list(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { namespace, labelSelector: PART_OF_SELECTOR },
  );
  if (!deployments.ok) return refused(deployments.error);
  const names: string[] = [];
  for (const { spec } of deployments.value.items) {
    const labels = at(spec, 'selector', 'matchLabels');
    if (!isObject(labels)) continue;
    const labelSelector = Object.entries(labels)
      .map(([key, value]) => `${key}=${String(value as string)}`)
      .join(',');
    const pods = await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector });
    if (!pods.ok) return refused(pods.error);
    const pod = pods.value.items.toSorted((a, b) => rank(b) - rank(a))[0];
    if (pod !== undefined) names.push(pod.metadata.name);
  }
  if (names.length > 0) return ok(names);
  return failed(`no pods found in the '${namespace}' namespace with the label selector '${PART_OF_SELECTOR}'`);
}

function rank({ status }: KubeObject): number {
  return stringAt(status, 'phase') === 'Running' ? 1 : 0;
}

function logQuery(context: CliContext): CliResult<string> {
  const { flags } = context;
  const query = new URLSearchParams();
  if (flags.bool('follow')) query.set('follow', 'true');
  if (flags.int('tail') >= 0) query.set('tailLines', `${flags.int('tail')}`);
  const sinceTime = flags.string('since-time');
  const sinceMs = flags.durationMs('since');
  if (sinceTime !== '' && sinceMs !== 0)
    return failed('at most one of `sinceTime` or `sinceDuration` may be specified');
  if (sinceTime !== '') {
    if (Number.isNaN(Date.parse(sinceTime))) return failed(`${sinceTime} is not a valid (RFC3339) time`);
    query.set('sinceTime', sinceTime);
  }
  if (sinceMs !== 0) query.set('sinceSeconds', `${Math.round(sinceMs / 1000)}`);
  return ok(query.toString());
}

/** A line of a controller's log as `weir logs` prints it; undefined when a filter drops it. */
export function formatLogLine(context: CliContext, line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  let entry: ReturnType<typeof parseJson>;
  try {
    entry = parseJson(line);
  } catch {
    return undefined;
  }
  const value = (name: string): string => stringAt(entry, name) ?? '';
  const kind = value('controllerKind') || value('reconciler kind');
  const name = value('name') || stringAt(at(entry, kind), 'name') || '';
  const namespace = value('namespace') || stringAt(at(entry, kind), 'namespace') || '';
  const { flags } = context;
  const differs = (wanted: string, found: string): boolean =>
    wanted !== '' && wanted.toLowerCase() !== found.toLowerCase();
  if (differs(flags.string('level'), value('level'))) return undefined;
  if (differs(flags.string('kind'), kind) || differs(flags.string('name'), name)) return undefined;
  if (!flags.bool('all-namespaces') && differs(context.namespace, namespace)) return undefined;
  const subject = name === '' ? '' : `/${name}.${namespace}`;
  return `${value('ts')} ${value('level')} ${kind}${subject} - ${value('msg')} ${value('error')}\n`;
}

async function follow(context: CliContext, client: KubeClient, path: string): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of client.stream(path, context.signal)) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split('\n');
      rest = (lines.pop() ?? '').slice(0, MAX_LINE_LENGTH);
      for (const line of lines) {
        const shown = formatLogLine(context, line);
        if (shown !== undefined) context.print(shown);
      }
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
  const last = formatLogLine(context, rest);
  if (last !== undefined) context.print(last);
}

async function run(context: CliContext): Promise<CliResult> {
  if (context.args.length > 0) return failed('no argument required');
  const query = logQuery(context);
  if (!query.ok) return query;
  const client = await context.client();
  if (!client.ok) return client;
  const namespace = context.flags.string('flux-namespace');
  const pods = await findPods(context, client.value, namespace);
  if (!pods.ok) return pods;
  const paths = pods.value.map((pod) => `/api/v1/namespaces/${namespace}/pods/${pod}/log?${query.value}`);
  if (context.flags.bool('follow')) await Promise.all(paths.map((path) => follow(context, client.value, path)));
  else for (const path of paths) await follow(context, client.value, path);
  return done;
}

export const logsCommand: Command = {
  use: 'logs',
  short: 'Display formatted logs for Weir components',
  long: 'The logs command displays formatted logs from the Weir engine.',
  example: `  # Print the reconciliation logs of all custom resources in your cluster
  weir logs --all-namespaces

  # Print all logs of all custom resources newer than 2 minutes
  weir logs --all-namespaces --since=2m

  # Stream logs for a particular log level
  weir logs --follow --level=error --all-namespaces

  # Filter logs by kind, name and namespace
  weir logs --kind=Kustomization --name=podinfo --namespace=default

  # Print logs when Weir is installed in a different namespace than flux-system
  weir logs --flux-namespace=my-namespace`,
  flags: [
    {
      name: 'level',
      type: 'string',
      values: ['debug', 'info', 'error'],
      usage: 'log level, available options are: (debug, info, error)',
    },
    { name: 'kind', type: 'string', usage: 'displays errors of a particular toolkit kind e.g GitRepository' },
    { name: 'name', type: 'string', usage: 'specifies the name of the object logs to be displayed' },
    { name: 'follow', short: 'f', type: 'bool', usage: 'specifies if the logs should be streamed' },
    { name: 'tail', type: 'int', default: '-1', usage: 'lines of recent log file to display' },
    {
      name: 'flux-namespace',
      type: 'string',
      default: DEFAULT_NAMESPACE,
      usage: 'the namespace where the Weir components are running',
    },
    { name: 'all-namespaces', short: 'A', type: 'bool', usage: 'displays logs for objects across all namespaces' },
    {
      name: 'since',
      type: 'duration',
      usage:
        'Only return logs newer than a relative duration like 5s, 2m, or 3h. Defaults to all logs. Only one of since-time / since may be used.',
    },
    {
      name: 'since-time',
      type: 'string',
      usage:
        'Only return logs after a specific date (RFC3339). Defaults to all logs. Only one of since-time / since may be used.',
    },
  ],
  run,
};
