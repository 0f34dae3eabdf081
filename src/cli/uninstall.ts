import { type KubeObject, type ObjectRef, printRef, refOf } from '../api/object.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed } from './command.ts';
import { PART_OF_SELECTOR } from './install/options.ts';
import { cliKinds } from './kinds.ts';
import { FIELD_MANAGER } from './reconcile.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';

/** What an installation is made of, in the order of removal: the engine first, so that nothing is reconciled any more. */
const COMPONENT_KINDS = [
  { apiVersion: 'apps/v1', kind: 'Deployment', namespaced: true },
  { apiVersion: 'v1', kind: 'Service', namespaced: true },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespaced: true },
  { apiVersion: 'v1', kind: 'ResourceQuota', namespaced: true },
  { apiVersion: 'v1', kind: 'ServiceAccount', namespaced: true },
  { apiVersion: RBAC, kind: 'ClusterRole', namespaced: false },
  { apiVersion: RBAC, kind: 'ClusterRoleBinding', namespaced: false },
] as const;

/** The steps of an uninstallation; each tells what it did and goes on after a failure. Source: fluxcd/flux2@v2 pkg/uninstall. */
class Removal {
  readonly #context: CliContext;
  readonly #client: KubeClient;
  readonly #dryRun: boolean;
  failures = 0;

  constructor(context: CliContext, client: KubeClient) {
    this.#context = context;
    this.#client = client;
    this.#dryRun = context.flags.bool('dry-run');
  }

  get #note(): string {
    return this.#dryRun ? '(dry run)' : '';
  }

  async #delete(ref: ObjectRef): Promise<void> {
    const deleted = await this.#client.delete(ref, this.#dryRun ? { dryRun: true } : {});
    if (deleted.ok) {
      this.#context.progress.success(`${printRef(ref)} deleted ${this.#note}`);
    } else if (deleted.error.code !== 404) {
      this.failures++;
      this.#context.progress.failure(`${printRef(ref)} deletion failed: ${deleted.error.message}`);
    }
  }

  async #labelled(kind: { readonly apiVersion: string; readonly kind: string }, namespace?: string): Promise<void> {
    const listed = await this.#client.list(kind, {
      ...(namespace === undefined ? {} : { namespace }),
      labelSelector: PART_OF_SELECTOR,
    });
    if (!listed.ok) return;
    for (const object of listed.value.items) await this.#delete(refOf({ ...object, ...kind }));
  }

  async components(): Promise<void> {
    for (const { namespaced, ...kind } of COMPONENT_KINDS) {
      await this.#labelled(kind, namespaced ? this.#context.namespace : undefined);
    }
  }

  /**
   * Takes the finalizers away, so that what was applied stays. The objects are suspended as well: an engine that still
   * runs would put its finalizer back, and prune when the kinds go.
   */
  async finalizers(): Promise<void> {
    for (const kind of cliKinds) {
      const listed = await this.#client.list(kind);
      if (!listed.ok) continue;
      for (const object of listed.value.items)
        await this.#release({ ...object, apiVersion: kind.apiVersion, kind: kind.kind });
    }
  }

  async #release(object: KubeObject): Promise<void> {
    const ref = refOf(object);
    const body = { metadata: { finalizers: null }, spec: { suspend: true } };
    const patched = await this.#client.patch(ref, body, {
      type: 'merge',
      fieldManager: FIELD_MANAGER,
      ...(this.#dryRun ? { dryRun: true } : {}),
    });
    if (patched.ok) {
      this.#context.progress.success(`${printRef(ref)} finalizers deleted ${this.#note}`);
    } else if (patched.error.code !== 404) {
      this.failures++;
      this.#context.progress.failure(`${printRef(ref)} removing finalizers failed: ${patched.error.message}`);
    }
  }

  async crds(): Promise<void> {
    await this.#labelled({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' });
  }

  async namespace(): Promise<void> {
    await this.#delete({ apiVersion: 'v1', kind: 'Namespace', name: this.#context.namespace });
  }
}

async function run(context: CliContext): Promise<CliResult> {
  const { flags, progress } = context;
  if (!flags.bool('dry-run') && !flags.bool('silent')) {
    const sure = await context.confirm('Are you sure you want to delete Weir and its custom resource definitions');
    if (!sure) return failed('aborting');
  }
  const client = await context.client();
  if (!client.ok) return client;
  const removal = new Removal(context, client.value);
  progress.action(`deleting components in ${context.namespace} namespace`);
  await removal.components();
  progress.action('deleting toolkit.fluxcd.io finalizers in all namespaces');
  await removal.finalizers();
  // Kinds whose objects still have finalizers would take the objects' contents along.
  if (removal.failures > 0) return failed(`${removal.failures} objects could not be removed: nothing else was deleted`);
  progress.action('deleting toolkit.fluxcd.io custom resource definitions');
  await removal.crds();
  if (!flags.bool('keep-namespace')) await removal.namespace();
  if (removal.failures > 0) return failed(`${removal.failures} objects could not be removed`);
  progress.success('uninstall finished');
  return done;
}

export const uninstallCommand: Command = {
  use: 'uninstall',
  short: 'Uninstall Weir and its custom resource definitions',
  long: `The uninstall command removes the Weir components and the toolkit.fluxcd.io resources from the cluster.
What they applied to the cluster stays.`,
  example: `  # Uninstall Weir components, its custom resources and namespace
  weir uninstall --namespace=flux-system

  # Uninstall Weir but keep the namespace
  weir uninstall --namespace=infra --keep-namespace=true`,
  args: { min: 0, max: 0 },
  flags: [
    { name: 'keep-namespace', type: 'bool', usage: 'skip namespace deletion' },
    { name: 'dry-run', type: 'bool', usage: 'only print the objects that would be deleted' },
    { name: 'silent', short: 's', type: 'bool', usage: 'delete components without asking for confirmation' },
  ],
  run,
};
