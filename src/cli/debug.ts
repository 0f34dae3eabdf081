import type { KubeObject } from '../api/object.ts';
import type { Json } from '../base/json.ts';
import { at, isArray, isObject, stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { debugReport } from './debug-report.ts';
import { kustomizations } from './kinds.ts';
import { refTo } from './reconcile.ts';

/** Variables of spec.postBuild, as a reconciliation would have them; without a client those of Secrets and ConfigMaps are left out. */
export async function variablesOf(
  client: KubeClient | undefined,
  object: KubeObject,
): Promise<CliResult<ReadonlyMap<string, string>>> {
  const variables = new Map<string, string>();
  const references = at(object.spec, 'postBuild', 'substituteFrom');
  for (const reference of client !== undefined && isArray(references) ? references : []) {
    const kind = stringAt(reference, 'kind') ?? '';
    const name = stringAt(reference, 'name') ?? '';
    const namespace = object.metadata.namespace ?? '';
    const found = await (client as KubeClient).get({ apiVersion: 'v1', kind, namespace, name });
    if (!found.ok) {
      if (found.error.code === 404 && at(reference, 'optional') === true) continue;
      return refused(found.error, `substitute from '${kind}/${name}' error`);
    }
    const { data } = found.value as unknown as { readonly data?: Json };
    for (const [key, value] of isObject(data) ? Object.entries(data) : []) {
      const text = kind === 'Secret' ? Buffer.from(value as string, 'base64').toString() : (value as string);
      variables.set(key, text.replaceAll('\n', ''));
    }
  }
  const own = at(object.spec, 'postBuild', 'substitute');
  for (const [key, value] of isObject(own) ? Object.entries(own) : []) {
    variables.set(key, (value as string).replaceAll('\n', ''));
  }
  return ok(variables);
}

async function run(context: CliContext): Promise<CliResult> {
  const wanted = ['show-status', 'show-vars', 'show-history'].filter((flag) => context.flags.bool(flag));
  if (wanted.length > 1) return failed('at most one of --show-status, --show-vars, or --show-history may be set');
  const client = await context.client();
  if (!client.ok) return client;
  const ref = refTo(kustomizations, context.namespace, context.args[0] ?? '');
  const object = await client.value.get(ref, context.signal);
  if (!object.ok) return refused(object.error);
  if (wanted.length === 0) {
    const report = await debugReport(context, client.value, object.value);
    if (!report.ok) return report;
    context.print(report.value);
  } else if (wanted[0] === 'show-status') context.print(await context.yaml((object.value.status ?? {}) as Json));
  else if (wanted[0] === 'show-history') context.print(await context.yaml(at(object.value.status, 'history') ?? []));
  else {
    if (at(object.value.spec, 'postBuild') === undefined) return failed('no post build substitutions found');
    const variables = await variablesOf(client.value, object.value);
    if (!variables.ok) return variables;
    for (const key of [...variables.value.keys()].sort()) context.print(`${key}=${variables.value.get(key)}\n`);
  }
  return done;
}

export const debugCommand: Command = {
  use: 'debug',
  short: 'Debug a Weir resource',
  long: 'The debug command can be used to troubleshoot failing resource reconciliations.',
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Debug a Kustomization resource',
      long: `The debug kustomization command can be used to troubleshoot failing Kustomization reconciliations.
Without a flag it tells which step failed, why, and what to look at next.
WARNING: This command will print sensitive information if Kubernetes Secrets are referenced in the Kustomization .spec.postBuild.substituteFrom field.`,
      example: `  # Tell why a Kustomization is not deployed
  weir debug ks podinfo

  # Print the status of a Kustomization
  weir debug ks podinfo --show-status

  # Export the final variables used for post-build substitutions composed from referred ConfigMaps and Secrets
  weir debug ks podinfo --show-vars > vars.env

  # Print the reconciliation history of a Kustomization
  weir debug ks podinfo --show-history`,
      args: { min: 1, max: 1 },
      flags: [
        { name: 'show-status', type: 'bool', usage: 'print the status of the Kustomization' },
        {
          name: 'show-vars',
          type: 'bool',
          usage: 'print the final vars of the Kustomization in dot env format',
        },
        { name: 'show-history', type: 'bool', usage: 'print the reconciliation history of the Kustomization' },
      ],
      completes: kustomizations,
      run,
    },
  ],
};
