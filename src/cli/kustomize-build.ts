import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { KubeObject } from '../api/object.ts';
import { groupOf, versionOf } from '../api/object.ts';
import type { Json } from '../base/json.ts';
import type { Result } from '../base/result.ts';
import { diskFiles } from '../build/disk-files.ts';
import { buildWithRemotes } from '../engine/kustomize/build-with-remotes.ts';
import type { BuildOptions, BuildOutput, KustomizeError } from '../engine/kustomize/run-build.ts';
import { SchemaStore } from '../engine/kustomize/schema.ts';
import { printYaml } from '../engine/yaml/print.ts';
import type { FlagDefinition } from './command.ts';
import { boolFlag, type KustomizeContext, type KustomizeVerb, listFlag, textFlag } from './kustomize-verb.ts';

const FLAGS: readonly FlagDefinition[] = [
  textFlag('output', 'If specified, write output to this path.', 'o'),
  {
    name: 'load-restrictor',
    type: 'string',
    default: 'LoadRestrictionsRootOnly',
    usage:
      "if set to 'LoadRestrictionsNone', local kustomizations may load files from outside their root. This does, however, break the relocatability of the kustomization.",
  },
  { ...textFlag('reorder', ''), deprecated: "use the new 'sortOptions' field in kustomization.yaml instead." },
  {
    ...boolFlag('enable-managedby-label', 'enable adding app.kubernetes.io/managed-by'),
    deprecated:
      'The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead.',
  },
  boolFlag('enable-helm', 'Enable use of the Helm chart inflator generator.'),
  textFlag('helm-command', 'Accepted for compatibility: charts are rendered in process.'),
  listFlag('helm-api-versions', 'Kubernetes api versions used by Helm for Capabilities.APIVersions'),
  textFlag('helm-kube-version', 'Kubernetes version used by Helm for Capabilities.KubeVersion'),
  boolFlag('helm-debug', 'Enable debug output from the Helm chart inflator generator.'),
  boolFlag('enable-alpha-plugins', 'Accepted for compatibility: no plugin is run but the built-in ones.'),
  boolFlag('enable-exec', 'Accepted for compatibility: no program is run.'),
  boolFlag('network', 'Accepted for compatibility: no function is run.'),
  textFlag('network-name', 'Accepted for compatibility: no function is run.'),
  listFlag('mount', 'Accepted for compatibility: no function is run.'),
  listFlag('env', 'Accepted for compatibility: no function is run.', 'e'),
  boolFlag('as-current-user', 'Accepted for compatibility: no function is run.'),
];

export const buildVerb: KustomizeVerb = {
  name: 'build',
  use: 'DIR',
  short: 'Build a kustomization target from a directory or URL',
  flags: FLAGS,
  run,
};

async function run(context: KustomizeContext): Promise<string | undefined> {
  const { args, flags, host } = context;
  if (args.length > 1) return 'specify one path to kustomization.yaml';
  const restrictor = flags.string('load-restrictor');
  if (!['', 'LoadRestrictionsRootOnly', 'LoadRestrictionsNone'].includes(restrictor)) {
    return `illegal flag value --load-restrictor ${restrictor}; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]`;
  }
  const reorder = flags.changed('reorder') ? flags.string('reorder') : 'legacy';
  if (reorder !== 'legacy' && reorder !== 'none') {
    return `illegal flag value --reorder ${reorder}; legal values: [legacy none]`;
  }
  const managed = flags.bool('enable-managedby-label') || host.env['KUSTOMIZE_ENABLE_MANAGEDBY_LABEL'] === 'on';
  const built = await buildDirectory(context, args[0] ?? '.', {
    reorder,
    ...(managed && { addManagedByLabel: true }),
    ...(restrictor === 'LoadRestrictionsNone' && { loadRestrictor: 'none' }),
    ...(flags.bool('enable-helm') && { helm: await chartRenderer(context) }),
  });
  const { warnings } = built.ok ? built.value : built.error;
  for (const warning of warnings) host.io.stderr(`${warning}\n`);
  if (!built.ok) {
    const { message } = built.error;
    return message;
  }
  const output = flags.string('output');
  if (output === '') host.io.stdout(built.value.yaml);
  else write(resolve(host.cwd, output), built.value);
  return undefined;
}

/** Renders the charts of `helmCharts`; what a chart says itself wins over the flags. */
async function chartRenderer({ flags, host }: KustomizeContext): Promise<NonNullable<BuildOptions['helm']>> {
  const [{ inflateChart }, { templateHost }, { unpackChart }] = await Promise.all([
    import('../engine/helm/inflate-chart.ts'),
    import('../build/helm/template-host.ts'),
    import('../source/helm/unpack-chart.ts'),
  ]);
  const kubeVersion = flags.string('helm-kube-version');
  const apiVersions = flags.list('helm-api-versions');
  const given = { ...(kubeVersion !== '' && { kubeVersion }), ...(apiVersions.length > 0 && { apiVersions }) };
  return (request) =>
    inflateChart(
      { ...request, chart: { ...given, ...request.chart } },
      { host: templateHost, unpack: unpackChart, warn: (message) => host.io.stderr(`${message}\n`) },
    );
}

/** Builds a directory of the disk, or the kustomization that a URL names. */
export async function buildDirectory(
  { host }: Pick<KustomizeContext, 'host'>,
  directory: string,
  options: Omit<BuildOptions, 'sha256' | 'remote' | 'rootPath' | 'shownDirectory'>,
): Promise<Result<BuildOutput, KustomizeError>> {
  const isUrl = /^[a-z]+:\/\//i.test(directory) || /^[^/]*github\.com[/:]|^[A-Za-z][\w-]*@/.test(directory);
  const at = isUrl ? directory : resolve(host.cwd, directory);
  const full: Omit<BuildOptions, 'remote'> = {
    ...options,
    shownDirectory: directory,
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  };
  return buildWithRemotes(diskFiles('/'), at, full, async (url) => {
    const { fetchRemoteBase } = await import('../source/remote-base.ts');
    const content = await fetchRemoteBase(url, {
      signal: host.signal,
      env: { ...(host.env as Readonly<Record<string, string>>), GIT_TERMINAL_PROMPT: '0' },
      folder: clones(),
    });
    return content.kind === 'folder' ? { kind: 'tree', files: diskFiles(content.path) } : content;
  });
}

/** A folder that is gone when the process ends. */
function clones(): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-kustomize-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Into a file, or into a folder with a file for each object. */
function write(output: string, { yaml, objects }: BuildOutput): void {
  if (statSync(output, { throwIfNoEntry: false })?.isDirectory() !== true) {
    writeFileSync(output, yaml);
    return;
  }
  mkdirSync(output, { recursive: true });
  const schemas = new SchemaStore();
  const namespaceOf = ({ apiVersion, kind, metadata }: KubeObject): string | undefined =>
    schemas.isClusterScoped(apiVersion, kind) ? undefined : (metadata.namespace ?? 'default');
  const namespaces = new Set(objects.map(namespaceOf).filter((one) => one !== undefined));
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    const kindPart = [groupOf(apiVersion), versionOf(apiVersion), kind].filter((part) => part !== '').join('_');
    const namespace = namespaceOf(object);
    const prefix = namespaces.size > 1 && namespace !== undefined ? `${namespace.toLowerCase()}_` : '';
    // A name may not lead out of the folder.
    const name = `${prefix}${kindPart.toLowerCase()}_${metadata.name.toLowerCase()}.yaml`.replaceAll('/', '_');
    writeFileSync(join(output, name), printYaml(object as unknown as Json));
  }
}
