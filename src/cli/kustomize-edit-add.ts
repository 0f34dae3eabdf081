import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { err, ok } from '../base/result.ts';
import type { GeneratorArgs, Kustomization, Label } from '../engine/kustomize/kustomization-type.ts';
import { expandPaths } from './kustomize-create.ts';
import {
  checkBuildMetadata,
  type Edited,
  type EditVerb,
  editing,
  PATCH_FLAGS,
  patchOf,
  samePatch,
} from './kustomize-edit-verb.ts';
import { glob, parsePairs } from './kustomize-folder.ts';
import {
  expandFileSources,
  findGenerator,
  type GeneratorField,
  tryGenerator,
  withGenerator,
} from './kustomize-generator-args.ts';
import { boolFlag, type KustomizeContext, type KustomizeVerb, listFlag, logLine, textFlag } from './kustomize-verb.ts';

type ListField = 'resources' | 'components' | 'generators' | 'transformers';

/** Adds paths to a list, each once; the file itself is left out of it. */
function addPaths(field: ListField, what: string, paths: readonly string[]) {
  return (k: Kustomization, context: KustomizeContext, fileName: string): Edited => {
    const list = [...(k[field] ?? [])];
    for (const path of paths) {
      if ((field === 'resources' || field === 'components') && path === fileName) continue;
      if (list.includes(path)) logLine(context, `${what} ${path} already in kustomization file`);
      else list.push(path);
    }
    return ok({ ...k, [field]: list });
  };
}

function pathVerb(name: string, field: ListField, missing: string, verify: boolean): KustomizeVerb {
  const verb: EditVerb = {
    name,
    use: '{filepath}',
    short: `Add the name of a file containing a ${name}${verify ? '' : ' configuration'} to the kustomization file`,
    ...(name === 'resource' && { flags: [boolFlag('no-verify', 'skip validation for resources')] }),
    edit: () => ok(undefined),
  };
  return {
    ...editing(verb),
    run: async (context) => {
      const { args, host, flags } = context;
      if (args.length === 0) return missing;
      let paths: readonly string[];
      if (verify) {
        const expanded = expandPaths(host.cwd, args, name === 'resource' && flags.bool('no-verify'));
        if (!expanded.ok) return expanded.error;
        paths = expanded.value;
      } else {
        paths = args.flatMap((pattern) => {
          const files = glob(host.cwd, pattern);
          if (files.length === 0) logLine(context, `${pattern} has no match`);
          return files;
        });
      }
      if (paths.length === 0) return undefined;
      return editing({ ...verb, edit: addPaths(field, name, paths) }).run?.(context);
    },
  };
}

const base = editing({
  name: 'base',
  use: '{filepath1},{filepath2}',
  short: 'Adds one or more bases to the kustomization.yaml in current directory',
  check: ({ args }) => (args.length === 1 ? undefined : 'must specify a base directory'),
  edit: (k, { args, host }) => {
    const resources = [...(k.resources ?? [])];
    for (const path of (args[0] as string).split(',')) {
      if (!existsSync(resolve(host.cwd, path))) return err(`${path} does not exist`);
      if (resources.includes(path)) return err(`base ${path} already in kustomization file`);
      resources.push(path);
    }
    return ok({ ...k, resources });
  },
});

const buildMetadata = editing({
  name: 'buildmetadata',
  use: '{option1},{option2}',
  short: 'Adds one or more buildMetadata options to the kustomization.yaml in the current directory',
  check: checkBuildMetadata,
  edit: (k, { args }) => {
    const options = [...(k.buildMetadata ?? [])];
    for (const option of (args[0] as string).split(',')) {
      if (options.includes(option)) return err(`buildMetadata option ${option} already in kustomization file`);
      options.push(option);
    }
    return ok({ ...k, buildMetadata: options });
  },
});

const patch = editing({
  name: 'patch',
  short: 'Add an item to patches field',
  flags: PATCH_FLAGS,
  check: (context) => {
    const { path, patch: text } = patchOf(context);
    if (path !== undefined && text !== undefined) return "patch and path can't be set at the same time";
    return path === undefined && text === undefined ? 'must provide either patch or path' : undefined;
  },
  edit: (k, context) => {
    const added = patchOf(context);
    if (k.patches?.some((one) => samePatch(one, added)) === true) {
      logLine(context, `patch ${added.path ?? added.patch ?? ''} already in kustomization file`);
      return ok(undefined);
    }
    return ok({ ...k, patches: [...(k.patches ?? []), added] });
  },
});

const FORCE = 'overwrite common%s if it already exists';

const annotation = editing({
  name: 'annotation',
  use: '{annotationKey1:annotationValue1} {annotationKey2:annotationValue2}',
  short: 'Adds one or more commonAnnotations to kustomization.yaml',
  flags: [boolFlag('force', FORCE.replace('%s', 'Annotation'), 'f')],
  check: ({ args }) => (args.length > 0 ? undefined : 'must specify annotation'),
  edit: (k, { args, flags }) => {
    const pairs = parsePairs(args, 'annotation');
    if (!pairs.ok) return pairs;
    const merged = mergeEntries(k.commonAnnotations, pairs.value, 'annotation', flags.bool('force'));
    return merged.ok ? ok({ ...k, commonAnnotations: merged.value }) : merged;
  },
});

function mergeEntries(
  into: Readonly<Record<string, string>> | undefined,
  added: Readonly<Record<string, string>>,
  kind: string,
  force: boolean,
) {
  const merged = new Map(Object.entries(into ?? {}));
  for (const [name, value] of Object.entries(added)) {
    if (merged.has(name) && !force)
      return err(`${kind} ${name} already in kustomization file. Use --force to override.`);
    merged.set(name, value);
  }
  return ok(Object.fromEntries(merged));
}

const label = editing({
  name: 'label',
  use: '{labelKey1:labelValue1} {labelKey2:labelValue2}',
  short: 'Adds one or more commonLabels to kustomization.yaml',
  flags: [
    boolFlag('force', FORCE.replace('%s', 'Label'), 'f'),
    boolFlag('without-selector', 'using add labels without selector option'),
    boolFlag('include-templates', 'include labels in templates (requires --without-selector)'),
  ],
  check: ({ args, flags }) => {
    if (args.length === 0) return 'must specify label';
    return flags.bool('include-templates') && !flags.bool('without-selector')
      ? '--without-selector flag must be specified for --include-templates to work'
      : undefined;
  },
  edit: (k, { args, flags }) => {
    const pairs = parsePairs(args, 'label');
    if (!pairs.ok) return pairs;
    const force = flags.bool('force');
    if (!flags.bool('without-selector')) {
      const merged = mergeEntries(k.commonLabels, pairs.value, 'label', force);
      return merged.ok ? ok({ ...k, commonLabels: merged.value }) : merged;
    }
    return addLabels(k, pairs.value, flags.bool('include-templates'), force);
  },
});

/** Labels join the first entry with the same settings. */
function addLabels(
  k: Kustomization,
  pairs: Readonly<Record<string, string>>,
  templates: boolean,
  force: boolean,
): Edited {
  const labels: Label[] = [...(k.labels ?? [])];
  const index = labels.findIndex(
    (one) => (one.includeSelectors ?? false) === false && (one.includeTemplates ?? false) === templates,
  );
  const merged = mergeEntries(labels[index]?.pairs, pairs, 'label', force);
  if (!merged.ok) return merged;
  if (index < 0) labels.push({ pairs: merged.value, ...(templates && { includeTemplates: true }) });
  else labels[index] = { ...labels[index], pairs: merged.value };
  return ok({ ...k, labels });
}

function generatorVerb(name: 'configmap' | 'secret', field: GeneratorField): KustomizeVerb {
  const isSecret = name === 'secret';
  let files: readonly string[] = [];
  return editing({
    name,
    use: 'NAME',
    short: `Adds a ${name} to the kustomization file`,
    openPrefix: 'failed to load kustomization file',
    readPrefix: 'failed to read kustomization file',
    flags: [
      listFlag('from-file', `Key file can be specified using its file path, or with a key and file path.`),
      listFlag('from-literal', `Specify a key and literal value to insert in ${name} (i.e. mykey=somevalue)`),
      textFlag('from-env-file', `Specify the path to a file to read lines of key=val pairs to create a ${name}.`),
      boolFlag('disableNameSuffixHash', `Disable the name suffix for the ${name}`),
      textFlag('namespace', `Specify the namespace of the ${name}`),
      ...(isSecret
        ? [
            {
              ...textFlag('type', "Specify the secret type this can be 'Opaque' (default), or 'kubernetes.io/tls'"),
              default: 'Opaque',
            },
          ]
        : [textFlag('behavior', 'Specify the behavior for config map generation: create, merge or replace')]),
    ],
    check: (context) => {
      const expanded = expandFileSources(context.flags.list('from-file'), context);
      if (!expanded.ok) return `failed to expand file source: ${expanded.error}`;
      files = expanded.value;
      const problem = checkGenerator(context, isSecret, files.length);
      return problem === undefined ? undefined : `failed to validate flags: ${problem}`;
    },
    edit: (k, context) => {
      const { flags, typed, host } = context;
      const namespace = flags.string('namespace');
      const objectName = context.args[0] as string;
      const index = findGenerator(k, field, objectName, namespace);
      const old: GeneratorArgs = k[field]?.[index] ?? {
        name: objectName,
        ...(namespace !== '' && { namespace }),
        ...(isSecret && { type: flags.string('type') }),
      };
      const literals = [...(old.literals ?? []), ...typed('from-literal')];
      const env = flags.string('from-env-file');
      const envs = [...(old.envs ?? []), ...(env === '' ? [] : [env])];
      const sources = [...(old.files ?? []), ...files];
      const behavior = isSecret ? '' : flags.string('behavior');
      const args: GeneratorArgs = {
        ...old,
        ...(literals.length > 0 && { literals }),
        ...(sources.length > 0 && { files: sources }),
        ...(envs.length > 0 && { envs }),
        ...(flags.bool('disableNameSuffixHash') && { options: { disableNameSuffixHash: true } }),
        ...(behavior !== '' && { behavior }),
      };
      const tried = tryGenerator(k, field, args, host.cwd);
      if (!tried.ok) return err(`failed to create ${name}: ${tried.error}`);
      return ok(withGenerator(k, field, index, tried.value));
    },
  });
}

function checkGenerator(
  { args, flags, typed }: KustomizeContext,
  isSecret: boolean,
  files: number,
): string | undefined {
  if (args.length !== 1) return 'name must be specified once';
  const env = flags.string('from-env-file');
  const others = files + typed('from-literal').length;
  if (env === '' && others === 0) return 'at least from-env-file, or from-file or from-literal must be set';
  if (env !== '' && others > 0) return 'from-env-file cannot be combined with from-file or from-literal';
  const behavior = isSecret ? '' : flags.string('behavior');
  if (behavior !== '' && !['create', 'merge', 'replace'].includes(behavior)) {
    return 'invalid behavior: must be one of "create", "merge", or "replace"';
  }
  return undefined;
}

export const editAddVerb: KustomizeVerb = {
  name: 'add',
  short: 'Adds an item to the kustomization file',
  verbs: [
    pathVerb('resource', 'resources', 'must specify a resource file', true),
    patch,
    pathVerb('component', 'components', 'must specify a component file', true),
    generatorVerb('secret', 'secretGenerator'),
    generatorVerb('configmap', 'configMapGenerator'),
    base,
    buildMetadata,
    label,
    annotation,
    pathVerb(
      'transformer',
      'transformers',
      'must specify a yaml file which contains a transformer plugin resource',
      false,
    ),
    pathVerb('generator', 'generators', 'must specify a yaml file which contains a generator plugin resource', false),
  ],
};
