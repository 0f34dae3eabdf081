import type { KubeObject } from '../api/object.ts';
import { at, isArray, stringAt } from '../base/json.ts';

/**
 * The kinds that commands are about, without their schemas, so that the command line starts fast. `words` is how
 * sentences name the kind. Source: fluxcd/flux2@v2 cmd/flux (apiType of each kind).
 */
export interface CliKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly words: string;
  /** What is told after a reconciliation. */
  success(object: KubeObject): string;
}

export const gitRepositories: CliKind = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  plural: 'gitrepositories',
  words: 'source git',
  success: (object) => `fetched revision ${stringAt(object.status, 'artifact', 'revision') ?? ''}`,
};

export const kustomizations: CliKind = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  plural: 'kustomizations',
  words: 'kustomization',
  success: (object) => `applied revision ${stringAt(object.status, 'lastAppliedRevision') ?? ''}`,
};

/** Every kind of the toolkit that Weir serves, in the order of `weir stats`. */
export const cliKinds: readonly CliKind[] = [gitRepositories, kustomizations];

/** The kind of this name in any case, or undefined. */
export function kindNamed(name: string): CliKind | undefined {
  const wanted = name.toLowerCase();
  return cliKinds.find(({ kind, plural }) => kind.toLowerCase() === wanted || plural === wanted);
}

export interface ReadyState {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  /** Generation that it was judged on, when the controller said so. */
  readonly observedGeneration: number | undefined;
}

/** A condition of an object, by its type in any case. */
export function conditionOf(object: KubeObject, type: string): ReadyState | undefined {
  const conditions = at(object.status, 'conditions');
  if (!isArray(conditions)) return undefined;
  const found = conditions.findLast((item) => stringAt(item, 'type')?.toLowerCase() === type.toLowerCase());
  if (found === undefined) return undefined;
  return {
    status: stringAt(found, 'status') ?? 'Unknown',
    reason: stringAt(found, 'reason') ?? '',
    message: stringAt(found, 'message') ?? '',
    lastTransitionTime: stringAt(found, 'lastTransitionTime') ?? '',
    observedGeneration: Number(at(found, 'observedGeneration') ?? Number.NaN) || undefined,
  };
}

export function isSuspended(object: KubeObject): boolean {
  return at(object.spec, 'suspend') === true;
}
