import type { Result } from '../base/result.ts';
import type { Kustomization, Patch, Selector } from '../engine/kustomize/kustomization-type.ts';
import type { FlagDefinition } from './command.ts';
import { findFile, openFile, saveFile } from './kustomize-folder.ts';
import { type KustomizeContext, type KustomizeVerb, textFlag } from './kustomize-verb.ts';

/** The changed kustomization; undefined where nothing is to be written; or what is wrong. */
export type Edited = Result<Kustomization | undefined, string>;

export interface EditVerb {
  readonly name: string;
  readonly short: string;
  readonly use?: string;
  readonly flags?: readonly FlagDefinition[];
  /** Checks the arguments before the file is opened. */
  readonly check?: (context: KustomizeContext) => string | undefined;
  readonly edit: (k: Kustomization, context: KustomizeContext, fileName: string) => Edited;
  /** What stands in front of an error of finding the file. */
  readonly openPrefix?: string;
  /** What stands in front of an error of reading it; `openPrefix` where there is none. */
  readonly readPrefix?: string;
}

/** A verb that opens the kustomization file, changes it and writes it back. */
export function editing({ name, short, use, flags, check, edit, ...prefixes }: EditVerb): KustomizeVerb {
  return {
    name,
    short,
    ...(use !== undefined && { use }),
    ...(flags !== undefined && { flags }),
    run: async (context) => {
      const problem = check?.(context);
      if (problem !== undefined) return problem;
      const { openPrefix, readPrefix = openPrefix } = prefixes;
      const found = findFile(context.host.cwd);
      if (!found.ok) return openPrefix === undefined ? found.error : `${openPrefix}: ${found.error}`;
      const open = openFile(context.host.cwd);
      if (!open.ok) return readPrefix === undefined ? open.error : `${readPrefix}: ${open.error}`;
      const edited = edit(open.value.file.kustomization, context, open.value.name);
      if (!edited.ok) return edited.error;
      if (edited.value !== undefined) saveFile(open.value, edited.value);
      return undefined;
    },
  };
}

export const PATCH_FLAGS: readonly FlagDefinition[] = [
  textFlag('path', 'Path to the patch file. Cannot be used with --patch at the same time.'),
  textFlag('patch', 'Literal string of patch content. Cannot be used with --path at the same time.'),
  textFlag('group', 'API group in patch target'),
  textFlag('version', 'API version in patch target'),
  textFlag('kind', 'Resource kind in patch target'),
  textFlag('name', 'Resource name in patch target'),
  textFlag('namespace', 'Resource namespace in patch target'),
  textFlag('annotation-selector', 'annotationSelector in patch target'),
  textFlag('label-selector', 'labelSelector in patch target'),
];

/** The patch that the flags describe. */
export function patchOf({ flags }: KustomizeContext): Patch {
  const text = (field: string, flag: string): object =>
    flags.string(flag) === '' ? {} : { [field]: flags.string(flag) };
  const target: Selector = {
    ...text('group', 'group'),
    ...text('version', 'version'),
    ...text('kind', 'kind'),
    ...text('name', 'name'),
    ...text('namespace', 'namespace'),
    ...text('annotationSelector', 'annotation-selector'),
    ...text('labelSelector', 'label-selector'),
  };
  return { ...text('path', 'path'), ...text('patch', 'patch'), ...(Object.keys(target).length > 0 && { target }) };
}

/** Equality of patches field by field; an empty field equals a missing one. */
export function samePatch(a: Patch, b: Patch): boolean {
  const plain = (value: object | undefined): string =>
    JSON.stringify(
      Object.entries(value ?? {})
        .filter(([, one]) => one !== '' && one !== false)
        .sort(([x], [y]) => (x < y ? -1 : 1)),
    );
  return (
    (a.path ?? '') === (b.path ?? '') &&
    (a.patch ?? '') === (b.patch ?? '') &&
    (a.target === undefined) === (b.target === undefined) &&
    plain(a.target) === plain(b.target) &&
    (a.options === undefined) === (b.options === undefined) &&
    plain(a.options) === plain(b.options)
  );
}

export const BUILD_METADATA: readonly string[] = ['originAnnotations', 'transformerAnnotations', 'managedByLabel'];

export function checkBuildMetadata({ args }: KustomizeContext): string | undefined {
  const [options] = args;
  if (options === undefined) return 'must specify a buildMetadata option';
  if (args.length > 1) {
    return `too many arguments: [${args.join(' ')}]; to provide multiple buildMetadata options, please separate options by comma`;
  }
  const unknown = options.split(',').find((option) => !BUILD_METADATA.includes(option));
  return unknown === undefined ? undefined : `invalid buildMetadata option: ${unknown}`;
}

export function sameNamespace(a: string | undefined, b: string | undefined): boolean {
  return (a ?? '') === (b ?? '') || [a ?? '', b ?? ''].every((one) => one === '' || one === 'default');
}
