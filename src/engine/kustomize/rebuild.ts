import type { KubeObject } from '../../api/object.ts';
import type { FileTree } from '../../base/files.ts';
import { isArray } from '../../base/json.ts';
import type { Referral } from './build-track.ts';
import type { Kustomization } from './kustomization-type.ts';
import type { KeptLayers } from './layers.ts';

/** What a build asked of its files, and what it heard. */
export interface Observations {
  readonly kinds: Map<string, ReturnType<FileTree['kind']>>;
  readonly places: Map<string, string | undefined>;
  readonly contents: Map<string, Uint8Array | undefined>;
  bytes: number;
}

/** What a build leaves so that the next one makes again only what a changed file holds. */
export interface BuildRecord {
  readonly seen: Observations;
  readonly objects: readonly KubeObject[];
  /** What each object is printed as, once it was. */
  readonly printed: (string | undefined)[];
  readonly warnings: readonly string[];
  readonly filesRead: ReadonlySet<string>;
  /** Where each object was read: path, use and index; '' for one that was generated. */
  readonly sources: readonly string[];
  readonly referrals: readonly Referral[];
  /** How often each file was read for something else than its objects. */
  readonly otherReads: ReadonlyMap<string, number>;
  /** Resource files by the path that a kustomization names them with. */
  readonly placed: ReadonlyMap<string, string>;
  /** What makes an object the same for others, of all objects of a resource file in order. */
  readonly identities: ReadonlyMap<string, readonly string[]>;
  /** Whether objects depend on each other by nothing but their names: then a changed file means its own objects alone. */
  readonly separable: boolean;
  readonly layers: KeptLayers;
}

/** Fields that work on each object by itself, or that only make new ones. */
const SEPARABLE: ReadonlySet<keyof Kustomization> = new Set<keyof Kustomization>([
  'apiVersion',
  'kind',
  'metadata',
  'resources',
  'components',
  'namespace',
  'namePrefix',
  'nameSuffix',
  'labels',
  'commonLabels',
  'commonAnnotations',
  'patches',
  'patchesStrategicMerge',
  'patchesJson6902',
  'images',
  'replicas',
  'configMapGenerator',
  'secretGenerator',
  'generatorOptions',
  'configurations',
  'crds',
  'sortOptions',
]);

/** Whether a change of one object's content leaves all others as they are in this kustomization. */
export function isSeparable(k: Kustomization): boolean {
  for (const field of Object.keys(k) as (keyof Kustomization)[]) {
    const value = k[field];
    if (SEPARABLE.has(field) || value === undefined || (isArray(value) && value.length === 0)) continue;
    return false;
  }
  // A generator that merges takes what a file holds.
  return [...(k.configMapGenerator ?? []), ...(k.secretGenerator ?? [])].every(
    ({ behavior = '' }) => behavior === '' || behavior === 'create',
  );
}

/** `files`, with a note of each question and its answer. */
export function observed(files: FileTree): { readonly files: FileTree; readonly seen: Observations } {
  const seen: Observations = { kinds: new Map(), places: new Map(), contents: new Map(), bytes: 0 };
  return {
    seen,
    files: {
      kind: (path) => {
        const kind = files.kind(path);
        seen.kinds.set(path, kind);
        return kind;
      },
      read: (path) => {
        const content = files.read(path);
        if (!seen.contents.has(path)) seen.bytes += content?.length ?? 0;
        seen.contents.set(path, content);
        return content;
      },
      list: (path) => files.list(path),
      ...(files.realPath !== undefined && {
        realPath: (path: string): string | undefined => {
          const place = files.realPath?.(path);
          seen.places.set(path, place);
          return place;
        },
      }),
    },
  };
}

/** Files whose content is another than `seen`; undefined where more than that has changed. */
export function changedFiles(
  { kinds, places, contents }: Observations,
  files: FileTree,
): ReadonlySet<string> | undefined {
  for (const [path, kind] of kinds) if (files.kind(path) !== kind) return undefined;
  for (const [path, place] of places) if (files.realPath?.(path) !== place) return undefined;
  const changed = new Set<string>();
  for (const [path, before] of contents) {
    const now = files.read(path);
    if (now === undefined || before === undefined) {
      if (now !== before) return undefined;
    } else if (!sameBytes(now, before)) changed.add(path);
  }
  return changed;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
