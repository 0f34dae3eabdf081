import { at } from '../base/json.ts';
import { type CliContext, type CliResult, type Command, done, refused } from './command.ts';
import { conditionOf, isSuspended } from './kinds.ts';
import { printTable } from './table.ts';
import { toolkitKinds } from './toolkit-kinds.ts';

const HEADER = ['Reconcilers', 'Running', 'Failing', 'Suspended', 'Storage'];

async function run(context: CliContext): Promise<CliResult> {
  const client = await context.client();
  if (!client.ok) return client;
  const scope = context.flags.bool('all-namespaces') ? {} : { namespace: context.namespace };
  const rows: string[][] = [];
  for (const kind of toolkitKinds.filter(({ uncounted }) => uncounted !== true)) {
    const listed = await client.value.list(kind, scope);
    if (!listed.ok && listed.error.reason !== 'NoMatch') return refused(listed.error);
    const items = listed.ok ? listed.value.items : [];
    const suspended = items.filter(isSuspended).length;
    const failing = items.filter((object) => conditionOf(object, 'Ready')?.status === 'False').length;
    const sizes = items.map((object) => Number(at(object.status, 'artifact', 'size') ?? 0));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    rows.push([kind.kind, `${items.length - suspended}`, `${failing}`, `${suspended}`, formatSize(bytes)]);
  }
  context.print(printTable(HEADER, rows));
  return done;
}

/** Bytes with a binary unit. Source: fluxcd/flux2@v2 cmd/flux/stats.go formatSize. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '-';
  if (bytes < 1024) return `${bytes} B`;
  const exponent = Math.min(6, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** exponent).toFixed(1)} ${'KMGTPE'[exponent - 1]}iB`;
}

export const statsCommand: Command = {
  use: 'stats',
  short: 'Stats of Weir reconciles',
  long: `The stats command prints a report of the custom resources present on a cluster,
including their reconcile status and the amount of cumulative storage used for each source type`,
  example: `  # Print the stats report for a namespace
  weir stats --namespace default

  # Print the stats report for the whole cluster
  weir stats -A`,
  args: { min: 0, max: 0 },
  flags: [
    {
      name: 'all-namespaces',
      short: 'A',
      type: 'bool',
      usage: 'list the statistics for objects across all namespaces',
    },
  ],
  run,
};
