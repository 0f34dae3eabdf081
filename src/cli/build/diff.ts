import { type KubeObject, printRef, refOf } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { isObject } from '../../base/json.ts';
import { err, ok } from '../../base/result.ts';
import type { KubeClient, KubeError } from '../../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed } from '../command.ts';
import { inventoryOf } from '../inventory.ts';
import { kustomizations } from '../kinds.ts';
import { buildFlags } from './build.ts';
import { type Change, changesBetween } from './changes.ts';

/** Manager whose apply is played: what the controller would do. */
const MANAGER = 'kustomize-controller';
/** Failures exit with this, since 1 says that there are differences. */
const FAILURE = 2;

/** kubectl's copy of the whole object, a Secret's values included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What is compared of an object: the server's own bookkeeping is not. */
function comparable(object: KubeObject): JsonObject {
  const { metadata, status: _, ...rest } = object;
  const { labels } = metadata;
  const { [LAST_APPLIED]: _applied, ...annotations } = metadata.annotations ?? {};
  return {
    ...rest,
    metadata: { ...(Object.keys(annotations).length > 0 ? { annotations } : {}), ...(labels ? { labels } : {}) },
  } as JsonObject;
}

/** Values of a Secret are never told, only that they differ. */
function printChange(change: Change, text: (value: Json) => string, secret: boolean): string {
  const { before, after, inList } = change;
  // Only the labels and annotations of a Secret are told.
  const hidden = secret && !/^metadata(\.|$)/.test(change.path);
  const path = change.path === '' ? '(root level)' : change.path;
  const block = (sign: string, value: Json): string => {
    const shown = hidden ? masked(value) : value;
    return text(shown)
      .trimEnd()
      .split('\n')
      .map((line) => `    ${sign}${line}\n`)
      .join('');
  };
  const what = inList ? 'list' : 'map';
  if (before === undefined && after !== undefined)
    return `${path}\n  + one ${what} entry added:\n${block('', after)}\n`;
  if (after === undefined && before !== undefined)
    return `${path}\n  - one ${what} entry removed:\n${block('', before)}\n`;
  if (hidden) return `${path}\n  ± value change\n    - *** (before)\n    + *** (after)\n\n`;
  return `${path}\n  ± value change\n${block('- ', before ?? null)}${block('+ ', after ?? null)}\n`;
}

function masked(value: Json): Json {
  if (!isObject(value)) return '***';
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]));
}

/** A Secret with its texts as data, which is how the server keeps them. Source: fluxcd/pkg ssa/normalize. */
function normalized(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const { stringData, data, ...rest } = object as unknown as { readonly stringData?: Json; readonly data?: Json };
  const merged = { ...(isObject(data) ? data : {}), ...encoded(stringData) };
  return { ...rest, ...(Object.keys(merged).length > 0 ? { data: merged } : {}) } as unknown as KubeObject;
}

function encoded(texts: Json | undefined): JsonObject {
  if (!isObject(texts)) return {};
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text as string).toString('base64')]),
  );
}

/** A namespace that the same build creates is no error: what is in it would be created. */
function isMissingNamespace(error: KubeError, object: KubeObject, created: ReadonlySet<string>): boolean {
  return error.code === 404 && created.has(object.metadata.namespace ?? '');
}

interface Comparison {
  readonly context: CliContext;
  readonly client: KubeClient;
  readonly createdNamespaces: Set<string>;
  readonly print: (value: Json) => string;
}

/** Prints what would happen to one object; whether anything would. */
async function compareObject(comparison: Comparison, object: KubeObject): Promise<CliResult<boolean>> {
  const { context, client, createdNamespaces, print } = comparison;
  const ref = refOf(object);
  const name = printRef(ref);
  const live = await client.get(ref, context.signal);
  if (!live.ok && live.error.code !== 404) return fail(live.error.message, name);
  const applied = await client.apply(normalized(object), {
    fieldManager: MANAGER,
    force: true,
    dryRun: true,
    signal: context.signal,
  });
  if (!applied.ok) {
    const unknown = applied.error.reason === 'NoMatch' || isMissingNamespace(applied.error, object, createdNamespaces);
    if (live.ok || !unknown) return fail(`dry-run failed: ${applied.error.message}`, name);
  }
  if (!live.ok || !applied.ok) {
    if (object.kind === 'Namespace') createdNamespaces.add(object.metadata.name);
    context.print(`► ${name} created\n`);
    return ok(true);
  }
  const changes = changesBetween(comparable(live.value), comparable(applied.value));
  if (changes.length === 0) return ok(false);
  context.print(`► ${name} drifted\n\n`);
  for (const change of changes) context.print(printChange(change, print, object.kind === 'Secret'));
  return ok(true);
}

function fail(message: string, name: string): CliResult<never> {
  return failed(`${name}: ${message}`, FAILURE);
}

/** What is in the inventory and no longer in the build, when the Kustomization prunes. */
function pruned(kustomization: KubeObject, objects: readonly KubeObject[]): readonly string[] {
  if (kustomization.spec?.['prune'] !== true) return [];
  const kept = new Set(objects.map((object) => printRef(refOf(object))));
  return inventoryOf(kustomization)
    .map(({ kind, namespace, name }) => printRef({ apiVersion: '', kind, namespace, name }))
    .filter((name) => !kept.has(name));
}

/** The Kustomization as the cluster has it: a file knows nothing of what was applied. */
async function inCluster(
  { context, client }: Comparison,
  kustomization: KubeObject,
): Promise<CliResult<Pick<KubeObject, 'status'>>> {
  if (context.flags.string('kustomization-file') === '') return ok({});
  const ref = refOf(kustomization);
  const live = await client.get(ref, context.signal);
  if (live.ok) return ok(live.value.status === undefined ? {} : { status: live.value.status });
  if (live.error.code === 404 && context.flags.bool('ignore-not-found')) return ok({});
  return fail(`failed to get kustomization object: ${live.error.message}`, printRef(ref));
}

async function run(context: CliContext): Promise<CliResult> {
  const connected = await context.client();
  if (!connected.ok) return err({ ...connected.error, exitCode: FAILURE });
  const [{ buildLocally }, { printYaml }] = await Promise.all([
    import('./local-build.ts'),
    import('../../engine/yaml/print.ts'),
  ]);
  const builds = await buildLocally(context, connected.value);
  if (!builds.ok) return err({ ...builds.error, exitCode: FAILURE });
  const comparison: Comparison = {
    context,
    client: connected.value,
    createdNamespaces: new Set(),
    print: (value) => printYaml(value),
  };
  let changed = false;
  for (const [index, { kustomization, objects }] of builds.value.entries()) {
    const live = index === 0 ? await inCluster(comparison, kustomization) : ok({});
    if (!live.ok) return live;
    // Namespaces first, so that what is in a new one is known to be new.
    for (const object of objects.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'))) {
      const compared = await compareObject(comparison, object);
      if (!compared.ok) return compared;
      changed ||= compared.value;
    }
    for (const name of pruned({ ...kustomization, ...live.value }, objects)) {
      context.print(`► ${name} deleted\n`);
      changed = true;
    }
  }
  if (!changed) return done;
  const message = 'identified at least one change, exiting with non-zero exit code';
  return err({ message, exitCode: 1, warning: true });
}

export const diffCommand: Command = {
  use: 'diff',
  short: 'Diff a Weir resource',
  long: 'The diff command is used to do a server-side dry-run on resources, then prints the diff.',
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Diff Kustomization',
      long: `The diff command does a build, then it performs a server-side dry-run and prints the diff.
Exit status: 0 No differences were found. 1 Differences were found. >1 diff failed with an error.`,
      example: `  # Preview local changes as they were applied on the cluster
  weir diff kustomization my-app --path ./path/to/local/manifests

  # Preview using a local Kustomization file
  weir diff kustomization my-app --path ./path/to/local/manifests \\
    --kustomization-file ./path/to/local/my-app.yaml`,
      flags: [
        ...buildFlags,
        {
          name: 'progress-bar',
          type: 'bool',
          default: 'true',
          usage: 'accepted for compatibility: there is no progress bar',
        },
        {
          name: 'ignore-not-found',
          type: 'bool',
          usage:
            'take a Kustomization that the cluster does not have yet from --kustomization-file, and show all of it as created',
        },
      ],
      completes: kustomizations,
      run,
    },
  ],
};
