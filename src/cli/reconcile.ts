import type { KubeObject, ObjectRef } from '../api/object.ts';
import { stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { type CliKind, gitRepositories, isSuspended, kindNamed, kustomizations } from './kinds.ts';
import { concluded, waitFor } from './wait.ts';

/** Manager name of what the command line writes: Flux's, so that a takeover meets no second owner. */
export const FIELD_MANAGER = 'flux';

const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

export function refTo(kind: CliKind, namespace: string, name: string): ObjectRef {
  return { apiVersion: kind.apiVersion, kind: kind.kind, namespace, name };
}

/**
 * Asks for a reconciliation now and waits for its end.
 * Source of sequence and wording: fluxcd/flux2@v2 cmd/flux/reconcile.go.
 */
export async function reconcileObject(
  context: CliContext,
  client: KubeClient,
  kind: CliKind,
  ref: ObjectRef,
): Promise<CliResult> {
  const { progress } = context;
  const object = await client.get(ref, context.signal);
  if (!object.ok) return refused(object.error);
  if (isSuspended(object.value)) return failed('resource is suspended');
  progress.action(`annotating ${kind.kind} ${ref.name} in ${ref.namespace} namespace`);
  const requestedAt = new Date(context.now()).toISOString();
  const annotated = await client.patch(
    ref,
    { metadata: { annotations: { [REQUESTED_AT]: requestedAt } } },
    { type: 'merge', fieldManager: FIELD_MANAGER },
  );
  if (!annotated.ok) return refused(annotated.error);
  progress.success(`${kind.kind} annotated`);
  progress.wait(`waiting for ${kind.kind} reconciliation`);
  const before = stringAt(object.value.status, 'lastHandledReconcileAt');
  const waited = await waitFor(context, client, ref, (seen) => {
    const handled = stringAt(seen.status, 'lastHandledReconcileAt');
    if (handled === before && handled !== requestedAt) return undefined;
    const end = concluded(seen);
    return end === undefined ? undefined : { end, seen };
  });
  if (!waited.ok) return waited;
  const { end, seen } = waited.value;
  if (!end.ready) return failed(`${kind.kind} reconciliation failed: '${end.message}'`);
  progress.success(kind.success(seen));
  return done;
}

/** The source of a Kustomization, as a reference of a kind that can be reconciled. */
function sourceOf(object: KubeObject): CliResult<{ readonly kind: CliKind; readonly ref: ObjectRef }> {
  const kindName = stringAt(object.spec, 'sourceRef', 'kind') ?? '';
  const kind = kindNamed(kindName);
  if (kind === undefined) return failed(`sources of kind ${kindName} cannot be reconciled by this version`);
  const namespace = stringAt(object.spec, 'sourceRef', 'namespace') ?? object.metadata.namespace ?? '';
  return ok({ kind, ref: refTo(kind, namespace, stringAt(object.spec, 'sourceRef', 'name') ?? '') });
}

function reconcileKind(kind: CliKind): (context: CliContext) => Promise<CliResult> {
  return async (context) => {
    const [name] = context.args;
    if (name === undefined) return failed(`${kind.kind} name is required`);
    const client = await context.client();
    if (!client.ok) return client;
    const ref = refTo(kind, context.namespace, name);
    if (kind === kustomizations && context.flags.bool('with-source')) {
      const object = await client.value.get(ref, context.signal);
      if (!object.ok) return refused(object.error);
      if (isSuspended(object.value)) return failed('resource is suspended');
      const source = sourceOf(object.value);
      if (!source.ok) return source;
      const reconciled = await reconcileObject(context, client.value, source.value.kind, source.value.ref);
      if (!reconciled.ok) return reconciled;
    }
    return await reconcileObject(context, client.value, kind, ref);
  };
}

const withSource = {
  name: 'with-source',
  type: 'bool',
  usage: 'reconcile Kustomization source',
} as const;

export const reconcileCommand: Command = {
  use: 'reconcile',
  short: 'Reconcile sources and resources',
  long: 'The reconcile sub-commands trigger a reconciliation of sources and resources.',
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Reconcile a Kustomization resource',
      long: `The reconcile kustomization command triggers a reconciliation of a Kustomization resource and waits for it to finish.`,
      example: `  # Trigger a Kustomization apply outside of the reconciliation interval
  weir reconcile kustomization podinfo

  # Trigger a sync of the Kustomization's source and apply changes
  weir reconcile kustomization podinfo --with-source`,
      flags: [withSource],
      completes: kustomizations,
      run: reconcileKind(kustomizations),
    },
    {
      use: 'source',
      short: 'Reconcile sources',
      long: 'The reconcile source sub-commands trigger a reconciliation of sources.',
      commands: [
        {
          use: 'git [name]',
          short: 'Reconcile a GitRepository source',
          long: 'The reconcile source command triggers a reconciliation of a GitRepository resource and waits for it to finish.',
          example: `  # Trigger a git pull for an existing source
  weir reconcile source git podinfo`,
          completes: gitRepositories,
          run: reconcileKind(gitRepositories),
        },
      ],
    },
  ],
};
