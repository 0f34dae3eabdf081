import type { KubeObject } from '../api/object.ts';
import { stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { type CliKind, cliKinds, conditionOf, gitRepositories, isSuspended, kustomizations } from './kinds.ts';
import { printTable } from './table.ts';

interface Column {
  readonly title: string;
  readonly cell: (object: KubeObject) => string;
}

const suspended: Column = { title: 'Suspended', cell: (object) => (isSuspended(object) ? 'True' : 'False') };
const ready: Column = { title: 'Ready', cell: (object) => conditionOf(object, 'Ready')?.status ?? 'False' };
const message: Column = {
  title: 'Message',
  cell: (object) => shortRevisions(conditionOf(object, 'Ready')?.message ?? 'waiting to be reconciled'),
};

const source: Column = {
  title: 'Source',
  cell: (object) => {
    const kind = stringAt(object.spec, 'sourceRef', 'kind') ?? '';
    const name = stringAt(object.spec, 'sourceRef', 'name') ?? '';
    const namespace = stringAt(object.spec, 'sourceRef', 'namespace') ?? object.metadata.namespace ?? '';
    return `${kind}/${namespace}/${name}`;
  },
};

/** Shortens commits and digests to eight digits. Source: fluxcd/flux2@v2 internal/utils/hex.go. */
export function shortRevisions(text: string): string {
  return text.replaceAll(/\b([0-9a-f]{8})[0-9a-f]{32,}\b/g, '$1');
}

function columnsOf(kind: CliKind, context: CliContext): readonly Column[] {
  const path = kind === kustomizations ? ['lastAppliedRevision'] : ['artifact', 'revision'];
  const revision: Column = {
    title: 'Revision',
    cell: (object) => shortRevisions(stringAt(object.status, ...path) ?? ''),
  };
  const shown = kind === kustomizations && context.flags.bool('show-source') ? [source] : [];
  return [...shown, revision, suspended, ready, message];
}

const everywhere = (context: CliContext): boolean => context.flags.bool('all-namespaces');

function headerOf(context: CliContext, columns: readonly Column[]): readonly string[] {
  if (context.flags.bool('no-header')) return [];
  const titles = ['Name', ...columns.map(({ title }) => title)];
  return everywhere(context) ? ['Namespace', ...titles] : titles;
}

function rowOf(context: CliContext, columns: readonly Column[], object: KubeObject, withKind: boolean): string[] {
  const { name, namespace } = object.metadata;
  const shown = withKind ? `${object.kind.toLowerCase()}/${name}` : name;
  const cells = [shown, ...columns.map(({ cell }) => cell(object))];
  return everywhere(context) ? [namespace ?? '', ...cells] : cells;
}

/** Which objects `--status-selector` lets through: `ready=false`, `ready!=true`. */
function selectorOf(context: CliContext): CliResult<(object: KubeObject) => boolean> {
  const text = context.flags.string('status-selector');
  if (text === '') return ok(() => true);
  const operator = text.includes('!=') ? '!=' : '=';
  const place = text.indexOf(operator);
  if (place < 0) {
    return failed(`expected status selector in type=status or type!=status format, but found: ${text}`);
  }
  const type = text.slice(0, place);
  const wanted = text.slice(place + operator.length);
  return ok((object) => {
    const condition = conditionOf(object, type);
    if (operator === '!=') return condition?.status.toLowerCase() !== wanted.toLowerCase();
    return condition !== undefined && condition.status.toLowerCase() === wanted.toLowerCase();
  });
}

function listOptions(context: CliContext): { readonly [option: string]: string } {
  const label = context.flags.string('label-selector');
  const [name] = context.args;
  return {
    ...(everywhere(context) ? {} : { namespace: context.namespace }),
    ...(label === '' ? {} : { labelSelector: label }),
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
  };
}

/** Whether there was a table to print. */
async function printKind(
  context: CliContext,
  client: KubeClient,
  kind: CliKind,
  all: boolean,
): Promise<CliResult<boolean>> {
  const selects = selectorOf(context);
  if (!selects.ok) return selects;
  const listed = await client.list(kind, listOptions(context));
  if (!listed.ok) {
    if (all && listed.error.reason === 'NoMatch') return ok(false);
    const unread = listed.error.code === 400 && context.flags.string('label-selector') !== '';
    return refused(listed.error, unread ? 'unable to parse label selector' : undefined);
  }
  const { items } = listed.value;
  if (items.length === 0) {
    if (all) return ok(false);
    const where = ` in ${everywhere(context) ? 'any' : JSON.stringify(context.namespace)} namespace`;
    const [name] = context.args;
    return failed(
      name === undefined ? `no ${kind.kind} objects found${where}` : `${kind.kind} object '${name}' not found${where}`,
    );
  }
  const columns = columnsOf(kind, context);
  const rows = items.filter(selects.value).map((object) => rowOf(context, columns, object, all));
  if (all && rows.length === 0) return ok(false);
  context.print(printTable(headerOf(context, columns), rows));
  return ok(true);
}

async function watchKind(context: CliContext, client: KubeClient, kind: CliKind): Promise<CliResult> {
  const selects = selectorOf(context);
  if (!selects.ok) return selects;
  const listed = await client.list(kind, listOptions(context));
  if (!listed.ok) return refused(listed.error);
  const columns = columnsOf(kind, context);
  const rows = listed.value.items.filter(selects.value).map((object) => rowOf(context, columns, object, false));
  context.print(printTable(headerOf(context, columns), rows));
  const { resourceVersion } = listed.value;
  try {
    for await (const event of client.watch(kind, {
      ...listOptions(context),
      resourceVersion,
      signal: context.signal,
    })) {
      if (event.type === 'ERROR') return refused(event.error);
      if (event.type === 'BOOKMARK' || !selects.value(event.object)) continue;
      context.print(printTable([], [rowOf(context, columns, event.object, false)]));
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
  return context.timedOut() ? failed('timed out waiting') : done;
}

function getKind(kind: CliKind): (context: CliContext) => Promise<CliResult> {
  return async (context) => {
    const client = await context.client();
    if (!client.ok) return client;
    if (context.flags.bool('watch')) return await watchKind(context, client.value, kind);
    const printed = await printKind(context, client.value, kind, false);
    return printed.ok ? done : printed;
  };
}

function getAll(kinds: readonly CliKind[]): (context: CliContext) => Promise<CliResult> {
  return async (context) => {
    if (context.flags.bool('watch')) return failed('expected a single resource type, but found all');
    const client = await context.client();
    if (!client.ok) return client;
    for (const kind of kinds) {
      const printed = await printKind(context, client.value, kind, true);
      if (!printed.ok) return printed;
      if (printed.value) context.print('\n');
    }
    return done;
  };
}

const showSource = {
  name: 'show-source',
  type: 'bool',
  usage: 'show the source reference for each resource',
} as const;

export const getCommand: Command = {
  use: 'get',
  short: 'Get the resources and their status',
  long: 'The get sub-commands print the statuses of Weir resources.',
  persistentFlags: [
    {
      name: 'all-namespaces',
      short: 'A',
      type: 'bool',
      usage: 'list the requested object(s) across all namespaces',
    },
    { name: 'no-header', type: 'bool', usage: 'skip the header when printing the results' },
    {
      name: 'watch',
      short: 'w',
      type: 'bool',
      usage: 'After listing/getting the requested object, watch for changes.',
    },
    {
      name: 'status-selector',
      type: 'string',
      usage: 'specify the status condition name and the desired state to filter the get result, e.g. ready=false',
    },
    { name: 'label-selector', short: 'l', type: 'string', usage: 'filter objects by label selector' },
  ],
  commands: [
    {
      use: 'all',
      short: 'Get all resources and statuses',
      long: 'The get all command prints the statuses of all resources.',
      example: `  # List all resources in a namespace
  weir get all --namespace=flux-system

  # List all resources in all namespaces
  weir get all --all-namespaces`,
      args: { min: 0, max: 0 },
      flags: [showSource],
      run: getAll(cliKinds),
    },
    {
      use: 'kustomizations',
      aliases: ['ks', 'kustomization'],
      short: 'Get Kustomization statuses',
      long: 'The get kustomizations command prints the statuses of the resources.',
      example: `  # List all kustomizations and their status
  weir get kustomizations`,
      flags: [showSource],
      completes: kustomizations,
      run: getKind(kustomizations),
    },
    {
      use: 'sources',
      aliases: ['source'],
      short: 'Get source statuses',
      long: 'The get source sub-commands print the statuses of the sources.',
      commands: [
        {
          use: 'all',
          short: 'Get all source statuses',
          long: 'The get sources all command print the statuses of all sources.',
          example: `  # List all sources in a namespace
  weir get sources all --namespace=flux-system

  # List all sources in all namespaces
  weir get sources all --all-namespaces`,
          args: { min: 0, max: 0 },
          run: getAll([gitRepositories]),
        },
        {
          use: 'git',
          short: 'Get GitRepository source statuses',
          long: 'The get sources git command prints the status of the GitRepository sources.',
          example: `  # List all Git repositories and their status
  weir get sources git

  # List Git repositories from all namespaces
  weir get sources git --all-namespaces`,
          completes: gitRepositories,
          run: getKind(gitRepositories),
        },
      ],
    },
  ],
};
