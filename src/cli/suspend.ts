import type { KubeObject } from '../api/object.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { type CliKind, gitRepositories, kustomizations } from './kinds.ts';
import { FIELD_MANAGER, refTo } from './reconcile.ts';
import { concluded, waitFor } from './wait.ts';

/** Sets `spec.suspend`; progress is told in `verb`'s forms. */
async function setSuspended(
  context: CliContext,
  client: KubeClient,
  kind: CliKind,
  object: KubeObject,
  suspend: boolean,
): Promise<CliResult> {
  const { name, namespace } = object.metadata;
  context.progress.action(`${suspend ? 'suspending' : 'resuming'} ${kind.words} ${name} in ${namespace} namespace`);
  const reason = suspend ? context.flags.string('reason') : '';
  const body = {
    spec: { suspend: suspend ? true : null },
    ...(suspend && reason === '' ? {} : { metadata: { annotations: { [SUSPEND_REASON]: suspend ? reason : null } } }),
  };
  const patched = await client.patch(refTo(kind, namespace ?? '', name), body, {
    type: 'merge',
    fieldManager: FIELD_MANAGER,
  });
  if (!patched.ok) return refused(patched.error);
  context.progress.success(`${kind.words} ${suspend ? 'suspended' : 'resumed'}`);
  return done;
}

const SUSPEND_REASON = 'suspend.toolkit.fluxcd.io/reason';

/** The objects that arguments or `--all` name; a name that is missing is told, and makes the command fail in the end. */
async function chosen(
  context: CliContext,
  client: KubeClient,
  kind: CliKind,
): Promise<CliResult<{ readonly objects: readonly KubeObject[]; readonly missing: boolean }>> {
  const names = [...new Set(context.args)];
  if (names.length === 0) {
    if (!context.flags.bool('all')) return failed(`${kind.words} name is required`);
    const listed = await client.list(kind, { namespace: context.namespace });
    if (!listed.ok) return refused(listed.error);
    if (listed.value.items.length === 0) {
      return failed(`no ${kind.kind} objects found in ${context.namespace} namespace`);
    }
    return ok({ objects: listed.value.items, missing: false });
  }
  const objects: KubeObject[] = [];
  let missing = false;
  for (const name of names) {
    const object = await client.get(refTo(kind, context.namespace, name), context.signal);
    if (object.ok) objects.push(object.value);
    else if (object.error.code === 404 && object.error.reason === 'NotFound') {
      context.progress.failure(`${kind.kind} ${name} not found in ${context.namespace} namespace`);
      missing = true;
    } else return refused(object.error);
  }
  return ok({ objects, missing });
}

const someMissing = { message: 'not every named object was found', exitCode: 1 } as const;

function suspendKind(kind: CliKind): (context: CliContext) => Promise<CliResult> {
  return async (context) => {
    const client = await context.client();
    if (!client.ok) return client;
    const found = await chosen(context, client.value, kind);
    if (!found.ok) return found;
    for (const object of found.value.objects) {
      const result = await setSuspended(context, client.value, kind, object, true);
      if (!result.ok) return result;
    }
    return found.value.missing ? { ok: false, error: someMissing } : done;
  };
}

function resumeKind(kind: CliKind): (context: CliContext) => Promise<CliResult> {
  return async (context) => {
    const client = await context.client();
    if (!client.ok) return client;
    const found = await chosen(context, client.value, kind);
    if (!found.ok) return found;
    const { objects, missing } = found.value;
    // One is waited for, several only on request. Source: fluxcd/flux2@v2.9 cmd/flux/resume.go.
    const waits = context.flags.changed('wait') ? context.flags.bool('wait') : context.args.length === 1;
    let failures = 0;
    for (const object of objects) {
      const result = await setSuspended(context, client.value, kind, object, false);
      if (!result.ok) return result;
      const resumed = waits ? await waitForResumed(context, client.value, kind, object) : done;
      if (resumed.ok) continue;
      failures++;
      context.progress.failure(resumed.error.message);
    }
    if (failures > 0) return failed(`reconciliation failed for ${failures} ${kind.kind}(s)`);
    return missing ? { ok: false, error: someMissing } : done;
  };
}

async function waitForResumed(
  context: CliContext,
  client: KubeClient,
  kind: CliKind,
  object: KubeObject,
): Promise<CliResult> {
  const { name, namespace } = object.metadata;
  context.progress.wait(`waiting for ${kind.kind} reconciliation`);
  const waited = await waitFor(context, client, refTo(kind, namespace ?? '', name), (seen) => {
    const end = concluded(seen);
    return end === undefined ? undefined : { end, seen };
  });
  if (!waited.ok) return waited;
  const { end, seen } = waited.value;
  if (!end.ready) return failed(`${kind.kind} ${name} reconciliation failed: ${end.message}`);
  context.progress.success(`${kind.kind} ${name} reconciliation completed`);
  context.progress.success(kind.success(seen));
  return done;
}

const reasonFlag = {
  name: 'reason',
  short: 'r',
  type: 'string',
  usage: 'set a reason for why the resource is suspended, kept in the suspend.toolkit.fluxcd.io/reason annotation',
} as const;

export const suspendCommand: Command = {
  use: 'suspend',
  short: 'Suspend resources',
  long: 'The suspend sub-commands suspend the reconciliation of a resource.',
  persistentFlags: [{ name: 'all', type: 'bool', usage: 'suspend all resources in that namespace' }, reasonFlag],
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Suspend reconciliation of Kustomization',
      long: 'The suspend command disables the reconciliation of a Kustomization resource.',
      example: `  # Suspend reconciliation for an existing Kustomization
  weir suspend ks podinfo

  # Suspend reconciliation for multiple Kustomizations
  weir suspend ks podinfo-1 podinfo-2`,
      completes: kustomizations,
      run: suspendKind(kustomizations),
    },
    {
      use: 'source',
      short: 'Suspend sources',
      long: 'The suspend sub-commands suspend the reconciliation of a source.',
      commands: [
        {
          use: 'git [name]',
          short: 'Suspend reconciliation of a GitRepository',
          long: 'The suspend command disables the reconciliation of a GitRepository resource.',
          example: `  # Suspend reconciliation for an existing GitRepository
  weir suspend source git podinfo`,
          completes: gitRepositories,
          run: suspendKind(gitRepositories),
        },
      ],
    },
  ],
};

export const resumeCommand: Command = {
  use: 'resume',
  short: 'Resume suspended resources',
  long: 'The resume sub-commands resume a suspended resource.',
  persistentFlags: [
    { name: 'all', type: 'bool', usage: 'resume all resources in that namespace' },
    {
      name: 'wait',
      type: 'bool',
      usage: 'waits for one resource to reconcile before moving to the next one',
    },
  ],
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Resume a suspended Kustomization',
      long: `The resume command marks a previously suspended Kustomization resource for reconciliation and waits for it to
finish the apply.`,
      example: `  # Resume reconciliation for an existing Kustomization
  weir resume ks podinfo

  # Resume reconciliation for multiple Kustomizations
  weir resume ks podinfo-1 podinfo-2`,
      completes: kustomizations,
      run: resumeKind(kustomizations),
    },
    {
      use: 'source',
      short: 'Resume sources',
      long: 'The resume sub-commands resume a suspended source.',
      commands: [
        {
          use: 'git [name]',
          short: 'Resume a suspended GitRepository',
          long: 'The resume command marks a previously suspended GitRepository resource for reconciliation and waits for it to finish.',
          example: `  # Resume reconciliation for an existing GitRepository
  weir resume source git podinfo`,
          completes: gitRepositories,
          run: resumeKind(gitRepositories),
        },
      ],
    },
  ],
};
