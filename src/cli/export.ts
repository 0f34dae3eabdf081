import type { KubeObject } from '../api/object.ts';
import { formatDuration, parseDuration } from '../base/duration.ts';
import {
  at,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
  stringAt,
} from '../base/json.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { exportObject } from './create/apply.ts';
import { type CliKind, gitRepositories, kustomizations } from './kinds.ts';
import { refTo } from './reconcile.ts';

/** What of an object can be applied again elsewhere. */
function exported(object: KubeObject, fields: Readonly<Record<string, Json | undefined>>): KubeObject {
  const { annotations, labels, name, namespace } = object.metadata;
  const kept = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...(annotations === undefined ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
      name,
      ...(namespace === undefined ? {} : { namespace }),
    },
    ...kept,
  };
}

const DURATIONS = ['interval', 'retryInterval', 'timeout'];
/** Fields that say nothing when they are false: the server fills them in, and Flux leaves them out. */
const FLAGS = ['force', 'suspend', 'wait', 'optional', 'recurseSubmodules'];

/** A spec as Flux's Go types write it, so that what somebody commits holds what they meant and nothing else. */
function written(spec: Json | undefined): Json | undefined {
  if (!isObject(spec)) return spec;
  const out: MutableJsonObject = {};
  for (const [key, value] of Object.entries(withoutFalse(spec))) {
    const duration = DURATIONS.includes(key) && typeof value === 'string' ? parseDuration(value) : undefined;
    put(out, key, duration?.ok === true ? formatDuration(duration.value) : value);
  }
  const from = at(spec, 'postBuild', 'substituteFrom');
  if (!isArray(from)) return out;
  const substituteFrom = from.map((entry) => (isObject(entry) ? withoutFalse(entry) : entry));
  return { ...out, postBuild: { ...(at(spec, 'postBuild') as JsonObject), substituteFrom } };
}

function withoutFalse(map: JsonObject): JsonObject {
  const out: MutableJsonObject = {};
  for (const [key, value] of Object.entries(map)) if (!(value === false && FLAGS.includes(key))) put(out, key, value);
  return out;
}

/** The Secret that a source refers to, with its values: only under --with-credentials. */
async function exportCredentials(context: CliContext, client: KubeClient, object: KubeObject): Promise<CliResult> {
  const name = stringAt(object.spec, 'secretRef', 'name');
  if (name === undefined) return done;
  const namespace = object.metadata.namespace ?? '';
  const secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name });
  if (!secret.ok) {
    return refused(
      secret.error,
      `failed to retrieve secret ${name} of ${object.kind}/${namespace}/${object.metadata.name}`,
    );
  }
  const { data, type } = secret.value as unknown as { readonly data?: Json; readonly type?: Json };
  await exportObject(context, exported(secret.value, { data, type }));
  return done;
}

function exportKind(kind: CliKind): (context: CliContext) => Promise<CliResult> {
  return async (context) => {
    const [name] = context.args;
    const all = context.flags.bool('all');
    if (name === undefined && !all) return failed('name is required');
    const client = await context.client();
    if (!client.ok) return client;
    const objects: KubeObject[] = [];
    if (all) {
      const listed = await client.value.list(kind, { namespace: context.namespace });
      if (!listed.ok) return refused(listed.error);
      if (listed.value.items.length === 0) return failed(`no objects found in ${context.namespace} namespace`);
      objects.push(...listed.value.items);
    } else {
      const object = await client.value.get(refTo(kind, context.namespace, name ?? ''), context.signal);
      if (!object.ok) return refused(object.error);
      objects.push(object.value);
    }
    for (const object of objects) {
      await exportObject(context, exported(object, { spec: written(object.spec) }));
      if (kind !== gitRepositories || !context.flags.bool('with-credentials')) continue;
      const credentials = await exportCredentials(context, client.value, object);
      if (!credentials.ok) return credentials;
    }
    return done;
  };
}

export const exportCommand: Command = {
  use: 'export',
  short: 'Export resources in YAML format',
  long: 'The export sub-commands export resources in YAML format.',
  persistentFlags: [{ name: 'all', type: 'bool', usage: 'select all resources' }],
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Export Kustomization resources in YAML format',
      long: 'The export kustomization command exports one or all Kustomization resources in YAML format.',
      example: `  # Export all Kustomization resources
  weir export kustomization --all > kustomizations.yaml

  # Export a Kustomization
  weir export kustomization my-app > kustomization.yaml`,
      completes: kustomizations,
      run: exportKind(kustomizations),
    },
    {
      use: 'source',
      short: 'Export sources',
      long: 'The export source sub-commands export sources in YAML format.',
      persistentFlags: [{ name: 'with-credentials', type: 'bool', usage: 'include credential secrets' }],
      commands: [
        {
          use: 'git [name]',
          short: 'Export GitRepository sources in YAML format',
          long: 'The export source git command exports one or all GitRepository sources in YAML format.',
          example: `  # Export all GitRepository sources
  weir export source git --all > sources.yaml

  # Export a GitRepository source including the SSH key pair or basic auth credentials
  weir export source git my-private-repo --with-credentials > source.yaml`,
          completes: gitRepositories,
          run: exportKind(gitRepositories),
        },
      ],
    },
  ],
};
