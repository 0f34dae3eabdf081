import { err, ok } from '../base/result.ts';
import {
  checkBuildMetadata,
  type Edited,
  editing,
  PATCH_FLAGS,
  patchOf,
  sameNamespace,
  samePatch,
} from './kustomize-edit-verb.ts';
import { compilePattern } from './kustomize-folder.ts';
import { boolFlag, type KustomizeVerb, logLine, textFlag } from './kustomize-verb.ts';

function pathVerb(name: 'resource' | 'transformer', field: 'resources' | 'transformers'): KustomizeVerb {
  return editing({
    name,
    use: '{filepath} {pattern}',
    short: `Removes one or more ${name}${name === 'resource' ? ' file paths' : 's'} from kustomization.yaml`,
    check: ({ args }) => (args.length > 0 ? undefined : `must specify a ${name} file`),
    edit: (k, { args }) => {
      const patterns = args.map(compilePattern);
      const list = k[field] ?? [];
      const rest = list.filter((path) => !patterns.some((pattern) => pattern.test(path)));
      return ok(rest.length === list.length ? undefined : { ...k, [field]: rest });
    },
  });
}

function generatorVerb(name: 'configmap' | 'secret', field: 'configMapGenerator' | 'secretGenerator'): KustomizeVerb {
  return editing({
    name,
    use: 'NAME [,NAME]',
    short: `Removes the specified ${name}(s) from kustomization.yaml`,
    openPrefix: 'could not read kustomization file',
    flags: [textFlag('namespace', `Namespace to remove ${name}(s) from`)],
    check: ({ args }) => {
      if (args.length === 0) return `at least one ${name} name must be specified`;
      return args.length > 1
        ? `too many arguments: [${args.join(' ')}]; to provide multiple ${name}s to remove, please separate ${name} names by commas`
        : undefined;
    },
    edit: (k, context): Edited => {
      const names = (context.args[0] as string).split(',');
      const namespace = context.flags.string('namespace');
      const list = k[field] ?? [];
      const gone = list.filter((one) => names.includes(one.name ?? '') && sameNamespace(one.namespace, namespace));
      if (gone.length === 0) return err(`no specified ${name}(s) were found in the kustomization.yaml file`);
      for (const one of names) {
        if (!gone.some((found) => found.name === one))
          logLine(context, `${name} ${one} doesn't exist in kustomization file`);
      }
      return ok({ ...k, [field]: list.filter((one) => !gone.includes(one)) });
    },
  });
}

function mapVerb(name: 'label' | 'annotation', field: 'commonLabels' | 'commonAnnotations'): KustomizeVerb {
  return editing({
    name,
    use: `{${name}Key1},{${name}Key2}`,
    short: `Removes one or more ${field} from kustomization.yaml`,
    flags: [boolFlag('ignore-non-existence', "ignore error if the given label doesn't exist", 'i')],
    check: ({ args }) => {
      // kustomize calls annotations labels in these messages, too.
      if (args.length === 0) return 'must specify label';
      if (args.length > 1) return 'labels must be comma-separated, with no spaces';
      return (args[0] as string).split(',').includes('') ? "invalid label: '' (name is empty)" : undefined;
    },
    edit: (k, { args, flags }): Edited => {
      const ignore = flags.bool('ignore-non-existence');
      const map = k[field];
      if (map === undefined && !ignore) return err(`${field} is not defined in kustomization file`);
      const rest = new Map(Object.entries(map ?? {}));
      for (const key of (args[0] as string).split(',')) {
        if (!rest.delete(key) && !ignore) return err(`${name} ${key} is not defined in kustomization file`);
      }
      return ok({ ...k, [field]: Object.fromEntries(rest) });
    },
  });
}

const patch = editing({
  name: 'patch',
  short: 'Removes a patch from kustomization.yaml',
  flags: PATCH_FLAGS,
  check: (context) => {
    const { path, patch: text } = patchOf(context);
    return path !== undefined && text !== undefined ? "patch and path can't be set at the same time" : undefined;
  },
  edit: (k, context) => {
    const wanted = patchOf(context);
    const rest = (k.patches ?? []).filter((one) => !samePatch(one, wanted));
    if (rest.length === (k.patches ?? []).length) {
      logLine(context, `patch ${wanted.patch ?? ''} doesn't exist in kustomization file`);
      return ok(undefined);
    }
    return ok({ ...k, patches: rest });
  },
});

const buildMetadata = editing({
  name: 'buildmetadata',
  use: '{option1},{option2}',
  short: 'Removes one or more buildMetadata options to the kustomization.yaml in the current directory',
  check: checkBuildMetadata,
  edit: (k, { args }) => {
    const gone = (args[0] as string).split(',');
    return ok({ ...k, buildMetadata: (k.buildMetadata ?? []).filter((option) => !gone.includes(option)) });
  },
});

export const editRemoveVerb: KustomizeVerb = {
  name: 'remove',
  short: 'Removes items from the kustomization file',
  verbs: [
    generatorVerb('configmap', 'configMapGenerator'),
    generatorVerb('secret', 'secretGenerator'),
    pathVerb('resource', 'resources'),
    mapVerb('label', 'commonLabels'),
    mapVerb('annotation', 'commonAnnotations'),
    patch,
    pathVerb('transformer', 'transformers'),
    buildMetadata,
  ],
};
