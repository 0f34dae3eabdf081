import { err, ok, type Result } from '../base/result.ts';
import type { GeneratorArgs, Image, Replica } from '../engine/kustomize/kustomization-type.ts';
import { checkBuildMetadata, editing } from './kustomize-edit-verb.ts';
import { parsePairs } from './kustomize-folder.ts';
import { findGenerator, type GeneratorField, tryGenerator, withGenerator } from './kustomize-generator-args.ts';
import { type KustomizeVerb, listFlag, textFlag } from './kustomize-verb.ts';

function textVerb(name: string, field: 'namePrefix' | 'nameSuffix' | 'namespace', what: string): KustomizeVerb {
  return editing({
    name,
    use: `<${what}-value>`,
    short: `Sets the value of the ${field} field in the kustomization file`,
    check: ({ args }) => (args.length === 1 ? undefined : `must specify exactly one ${what} value`),
    edit: (k, { args }) => ok({ ...k, [field]: args[0] }),
  });
}

const ANNOTATION_KEY =
  /^([a-zA-Z](([-a-zA-Z0-9.]{0,251})[a-zA-Z0-9])?\/)?[a-zA-Z0-9]([-a-zA-Z0-9_.]{0,61}[a-zA-Z0-9])?$/;

function mapVerb(name: 'label' | 'annotation', field: 'commonLabels' | 'commonAnnotations'): KustomizeVerb {
  return editing({
    name,
    use: `{${name}Key1:${name}Value1} {${name}Key2:${name}Value2}`,
    short: `Sets one or more ${field} in kustomization.yaml`,
    check: ({ args }) => {
      if (args.length === 0) return `must specify ${name}`;
      const pairs = parsePairs(args, name);
      if (!pairs.ok) return pairs.error;
      if (name === 'annotation' && !Object.keys(pairs.value).every((key) => ANNOTATION_KEY.test(key))) {
        return 'invalid annotation key: see the syntax and character set rules at https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/';
      }
      return undefined;
    },
    edit: (k, { args }) => {
      const pairs = parsePairs(args, name);
      if (!pairs.ok) return pairs;
      return ok({
        ...k,
        [field]: Object.fromEntries([...Object.entries(k[field] ?? {}), ...Object.entries(pairs.value)]),
      });
    },
  });
}

const buildMetadata = editing({
  name: 'buildmetadata',
  use: '{option1},{option2}',
  short: 'Sets one or more buildMetadata options to the kustomization.yaml in the current directory',
  check: checkBuildMetadata,
  edit: (k, { args }) => ok({ ...k, buildMetadata: (args[0] as string).split(',') }),
});

const INVALID_IMAGE = `invalid format of image, use one of the following options:
- <image>=<newimage>:<newtag>
- <image>=<newimage>@<digest>
- <image>=<newimage>:<newtag>@<digest>
- <image>=<newimage>
- <image>:<newtag>
- <image>:<newtag>@<digest>
- <image>@<digest>`;

/** Stands for what the file has already. */
const KEEP = '*';

function parseImage(arg: string): Result<Image & { name: string }, string> {
  const equals = arg.indexOf('=');
  const [key, value] = equals < 0 ? ['', arg] : [arg.slice(0, equals), arg.slice(equals + 1)];
  const { name, tag, digest } = splitImageArgument(value);
  if (name === arg) return err(INVALID_IMAGE);
  return ok({ name: key === '' ? name : key, ...(key !== '' && { newName: name }), newTag: tag, digest });
}

function splitImageArgument(image: string): { name: string; tag: string; digest: string } {
  const at = image.indexOf('@');
  const digest = at < 0 ? '' : image.slice(at + 1);
  const rest = at < 0 ? image : image.slice(0, at);
  const slash = rest.lastIndexOf('/');
  const colon = rest.indexOf(':', slash < 0 ? 0 : slash);
  return colon < 0
    ? { name: rest, tag: '', digest }
    : { name: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}

const image = editing({
  name: 'image',
  use: '<image>=<newimage>:<newtag>',
  short: 'Sets images and their new names, new tags or digests in the kustomization file',
  check: ({ args }) => {
    if (args.length === 0) return 'no image specified';
    for (const arg of args) {
      const parsed = parseImage(arg);
      if (!parsed.ok) return parsed.error;
    }
    return undefined;
  },
  edit: (k, { args }) => {
    const wanted = new Map<string, Image>();
    for (const arg of args) {
      const parsed = parseImage(arg);
      if (!parsed.ok) return parsed;
      wanted.set(parsed.value.name, parsed.value);
    }
    for (const old of k.images ?? []) {
      const name = old.name ?? '';
      const added = wanted.get(name);
      wanted.set(name, added === undefined ? old : keepFrom(added, old));
    }
    const images = [...wanted.values()].map((one) => keepFrom(one, {}));
    return ok({ ...k, images: images.sort(byName) });
  },
});

function keepFrom(added: Image, old: Image): Image {
  const keep = (field: 'newName' | 'newTag' | 'digest'): string =>
    added[field] === KEEP ? (old[field] ?? '') : (added[field] ?? '');
  return { ...added, newName: keep('newName'), newTag: keep('newTag'), digest: keep('digest') };
}

function byName(a: { readonly name?: string }, b: { readonly name?: string }): number {
  return (a.name ?? '') < (b.name ?? '') ? -1 : 1;
}

const INVALID_REPLICAS = 'invalid format of replica, use the following format: <name>=<count>';

const replicas = editing({
  name: 'replicas',
  use: '<name>=<count>',
  short: 'Sets replicas count for resources in the kustomization file',
  check: ({ args }) => {
    if (args.length === 0) return 'no replicas specified';
    return args.every((arg) => /^[^=]*=[-+]?\d{1,18}$/.test(arg)) ? undefined : INVALID_REPLICAS;
  },
  edit: (k, { args }) => {
    const wanted = new Map<string, Replica>();
    for (const arg of args) {
      const [name = '', count = ''] = arg.split('=');
      wanted.set(name, { name, count: Number(count) });
    }
    for (const old of k.replicas ?? []) if (!wanted.has(old.name ?? '')) wanted.set(old.name ?? '', old);
    return ok({ ...k, replicas: [...wanted.values()].sort(byName) });
  },
});

function generatorVerb(
  name: 'configmap' | 'secret',
  kind: 'ConfigMap' | 'Secret',
  field: GeneratorField,
): KustomizeVerb {
  return editing({
    name,
    use: 'NAME',
    short: `Edits the value for an existing key for a ${kind} in the kustomization.yaml file`,
    openPrefix: 'failed to load kustomization file',
    readPrefix: 'failed to read kustomization file',
    flags: [
      listFlag('from-literal', `Specify an existing key and a new value to update a ${kind} (i.e. mykey=newvalue)`),
      textFlag('namespace', `Current namespace of the target ${kind}`),
      textFlag('new-namespace', `New namespace value for the target ${kind}`),
    ],
    check: ({ args, flags, typed }) => {
      if (args.length !== 1) return 'failed to validate flags: name must be specified once';
      return typed('from-literal').length === 0 && flags.string('new-namespace') === ''
        ? 'failed to validate flags: at least one of [--from-literal, --new-namespace] must be specified'
        : undefined;
    },
    edit: (k, { args, flags, typed, host }) => {
      const prefix = `failed to create ${name}`;
      const objectName = args[0] as string;
      const index = findGenerator(k, field, objectName, flags.string('namespace'));
      const old = k[field]?.[index];
      if (old === undefined) {
        return err(
          `${prefix}: could not set new ${kind} value: unable to find ${kind} with name ${JSON.stringify(objectName)}`,
        );
      }
      const literals = updateLiterals(old, typed('from-literal'));
      if (!literals.ok) return err(`${prefix}: failed to update literal sources: ${literals.error}`);
      const namespace = flags.string('new-namespace');
      const changed: GeneratorArgs = {
        ...old,
        ...(literals.value !== undefined && { literals: literals.value }),
        ...(namespace !== '' && { namespace }),
      };
      const tried = tryGenerator(k, field, changed, host.cwd);
      if (!tried.ok) return err(`${prefix}: failed to validate ${kind} structure: ${tried.error}`);
      return ok(withGenerator(k, field, index, tried.value));
    },
  });
}

/** New values for keys that are there. kustomize writes them in no fixed order; ours stay where they are. */
function updateLiterals(old: GeneratorArgs, added: readonly string[]): Result<readonly string[] | undefined, string> {
  if (added.length === 0) return ok(undefined);
  const values = new Map<string, string>();
  for (const [index, literal] of [...(old.literals ?? []), ...added].entries()) {
    const parts = literal.split('=');
    if (parts.length !== 2) {
      return err('failed to update resource: invalid format: literal values must be specified in the key=value format');
    }
    const [key = '', value = ''] = parts;
    if (index >= (old.literals ?? []).length && !values.has(key)) return err(`key '${key}' not found in resource`);
    values.set(key, value);
  }
  return ok([...values].map((pair) => pair.join('=')));
}

export const editSetVerb: KustomizeVerb = {
  name: 'set',
  short: 'Sets the value of different fields in kustomization file',
  verbs: [
    generatorVerb('configmap', 'ConfigMap', 'configMapGenerator'),
    generatorVerb('secret', 'Secret', 'secretGenerator'),
    textVerb('nameprefix', 'namePrefix', 'prefix'),
    textVerb('namesuffix', 'nameSuffix', 'suffix'),
    textVerb('namespace', 'namespace', 'namespace'),
    image,
    buildMetadata,
    replicas,
    mapVerb('label', 'commonLabels'),
    mapVerb('annotation', 'commonAnnotations'),
  ],
};
