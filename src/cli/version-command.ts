import { at, isArray, stringAt } from '../base/json.ts';
import { type CliContext, type CliResult, type Command, done, failed } from './command.ts';
import { clusterInfo } from './install/cluster-info.ts';
import { PART_OF_SELECTOR } from './install/options.ts';
import { VERSION } from './version.ts';

async function run(context: CliContext): Promise<CliResult> {
  const output = context.flags.string('output');
  if (output !== 'yaml' && output !== 'json') {
    return failed(`unsupported output format: ${output}, expected yaml or json`);
  }
  const versions: Record<string, string> = { weir: `v${VERSION}` };
  if (!context.flags.bool('client')) {
    const added = await clusterVersions(context, versions);
    if (!added.ok) return added;
  }
  context.print(
    output === 'json' ? `${JSON.stringify(versions, undefined, 2)}\n` : `${await plainYaml(context, versions)}`,
  );
  return done;
}

/** The client's version alone needs no YAML printer. */
async function plainYaml(context: CliContext, versions: Readonly<Record<string, string>>): Promise<string> {
  const names = Object.keys(versions);
  return names.length === 1 ? `weir: ${versions['weir']}\n` : await context.yaml(versions);
}

async function clusterVersions(context: CliContext, versions: Record<string, string>): Promise<CliResult> {
  const client = await context.client();
  if (!client.ok) return client;
  const info = await clusterInfo(client.value);
  if (!info.ok) return info;
  if (info.value !== undefined) versions['distribution'] = info.value.distribution;
  const deployments = await client.value.list(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { namespace: context.namespace, labelSelector: PART_OF_SELECTOR },
  );
  if (!deployments.ok) return failed(deployments.error.message);
  if (deployments.value.items.length === 0) {
    return failed(`no deployments found in ${context.namespace} namespace`);
  }
  for (const { metadata, spec } of deployments.value.items) {
    const containers = at(spec, 'template', 'spec', 'containers');
    const image = (isArray(containers) ? stringAt(containers[0], 'image') : undefined) ?? '';
    versions[metadata.name] = image.slice(image.lastIndexOf(':') + 1);
  }
  return done;
}

export const versionCommand: Command = {
  use: 'version',
  short: 'Print the client and server-side components version information.',
  long: 'Print the client and server-side components version information for the current context.',
  example: `  # Print client and server-side version
  weir version

  # Print only client version
  weir version --client

  # Print information in json format
  weir version -o json`,
  args: { min: 0, max: 0 },
  flags: [
    { name: 'client', type: 'bool', usage: 'print only client version' },
    {
      name: 'output',
      short: 'o',
      type: 'string',
      default: 'yaml',
      usage: "the format in which the information should be printed. can be 'json' or 'yaml'",
    },
  ],
  run,
};
