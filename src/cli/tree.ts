import type { KubeObject } from '../api/object.ts';
import { printRef } from '../api/object.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { helmInventory } from './helm-inventory.ts';
import { type InventoryEntry, inventoryOf } from './inventory.ts';
import { kustomizations } from './kinds.ts';
import { refTo } from './reconcile.ts';

interface Tree {
  readonly entry: Omit<InventoryEntry, 'version'>;
  readonly items: readonly Tree[];
}

const KUSTOMIZE_GROUP = 'kustomize.toolkit.fluxcd.io';
const FLUX_GROUPS = 'toolkit.fluxcd.io';
const HELM_RELEASE = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease' } as const;
/** Kustomizations read for one tree; a cluster with more is too large to read on a screen. */
const MAX_KUSTOMIZATIONS = 1000;

/** Reads the tree of what a Kustomization applied, through the Kustomizations among it; each is entered once. */
class TreeReader {
  readonly #context: CliContext;
  readonly #client: KubeClient;
  readonly #compact: boolean;
  readonly #seen = new Set<string>();

  constructor(context: CliContext, client: KubeClient) {
    this.#context = context;
    this.#client = client;
    this.#compact = context.flags.bool('compact');
  }

  async read(object: KubeObject): Promise<CliResult<readonly Tree[]>> {
    this.#seen.add(keyOf(object));
    if (this.#seen.size > MAX_KUSTOMIZATIONS) return failed(`more than ${MAX_KUSTOMIZATIONS} Kustomizations`);
    const items: Tree[] = [];
    for (const entry of inventoryOf(object)) {
      if (this.#compact && !entry.group.includes(FLUX_GROUPS)) continue;
      const nested = entry.group === KUSTOMIZE_GROUP && entry.kind === 'Kustomization';
      const key = `${entry.namespace}/${entry.name}`;
      if (nested && key === keyOf(object)) continue;
      // What another cluster holds cannot be read from this one.
      const remote = object.spec?.['kubeConfig'] !== undefined;
      const children =
        remote || (this.#seen.has(key) && nested)
          ? ok([])
          : nested
            ? await this.#readNested(entry)
            : isRelease(entry)
              ? await this.#readRelease(entry)
              : ok([]);
      if (!children.ok) return children;
      items.push({ entry, items: children.value });
    }
    return ok(items);
  }

  async #readNested({ namespace, name }: InventoryEntry): Promise<CliResult<readonly Tree[]>> {
    const object = await this.#client.get(refTo(kustomizations, namespace, name), this.#context.signal);
    if (object.ok) return await this.read(object.value);
    // It is in the inventory and not in the cluster: the tree of the others is told all the same.
    return object.error.code === 404 ? ok([]) : refused(object.error, 'failed to find object');
  }

  async #readRelease({ namespace, name }: InventoryEntry): Promise<CliResult<readonly Tree[]>> {
    const object = await this.#client.get({ ...HELM_RELEASE, namespace, name }, this.#context.signal);
    if (!object.ok) return object.error.code === 404 ? ok([]) : refused(object.error, 'failed to find object');
    const entries = await helmInventory(this.#context, this.#client, object.value);
    if (!entries.ok) return entries;
    return ok(
      entries.value
        .filter(({ group }) => !this.#compact || group.includes(FLUX_GROUPS))
        .map((entry) => ({ entry, items: [] })),
    );
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function isRelease({ group, kind }: InventoryEntry): boolean {
  return kind === HELM_RELEASE.kind && HELM_RELEASE.apiVersion.startsWith(`${group}/`);
}

function textOf({ namespace, name, kind }: Tree['entry']): string {
  return printRef({ apiVersion: '', kind, namespace, name });
}

function draw(items: readonly Tree[], margin: string): string {
  return items
    .map((tree, index) => {
      const last = index === items.length - 1;
      const line = `${margin}${last ? '└── ' : '├── '}${textOf(tree.entry)}\n`;
      return line + draw(tree.items, margin + (last ? '    ' : '│   '));
    })
    .join('');
}

function toJson({ entry, items }: Tree): JsonObject {
  const { namespace, name, group, kind } = entry;
  return {
    resource: { Namespace: namespace, Name: name, GroupKind: { Group: group, Kind: kind } },
    ...(items.length > 0 ? { resources: items.map(toJson) } : {}),
  };
}

async function run(context: CliContext): Promise<CliResult> {
  const [name] = context.args;
  if (name === undefined) return failed('kustomization name is required');
  const client = await context.client();
  if (!client.ok) return client;
  const object = await client.value.get(refTo(kustomizations, context.namespace, name), context.signal);
  if (!object.ok) return refused(object.error);
  const items = await new TreeReader(context, client.value).read(object.value);
  if (!items.ok) return items;
  const tree: Tree = {
    entry: { namespace: context.namespace, name, group: KUSTOMIZE_GROUP, kind: 'Kustomization' },
    items: items.value,
  };
  const output = context.flags.string('output');
  if (output === 'json') context.print(`${JSON.stringify(toJson(tree), undefined, 2)}\n`);
  else if (output === 'yaml') context.print(`${await context.yaml(toJson(tree) as Json)}\n`);
  else context.print(`${textOf(tree.entry)}\n${draw(tree.items, '')}\n`);
  return done;
}

export const treeCommand: Command = {
  use: 'tree',
  short: 'Print the resources reconciled by Weir',
  long: 'The tree command shows the list of resources reconciled by a Weir object.',
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Print the resource inventory of a Kustomization',
      long: 'The tree command prints the resource list reconciled by a Kustomization.',
      example: `  # Print the resources managed by the root Kustomization
  weir tree kustomization flux-system

  # Print the Flux resources managed by the root Kustomization
  weir tree kustomization flux-system --compact`,
      flags: [
        { name: 'compact', type: 'bool', usage: 'list Flux resources only.' },
        {
          name: 'output',
          short: 'o',
          type: 'string',
          values: ['', 'json', 'yaml'],
          usage: "the format in which the tree should be printed. can be 'json' or 'yaml'",
        },
      ],
      completes: kustomizations,
      run,
    },
  ],
};
