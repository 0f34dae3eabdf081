/** What the page is told: one node per object, and how they hang together. No secret value is ever part of it. */

/** The page's one vocabulary of states, worst first. */
export const STATES = ['Failed', 'Drifted', 'Waiting', 'Reconciling', 'Unknown', 'Suspended', 'Ready'] as const;
export type State = (typeof STATES)[number];

/** Columns of the tree, in the direction the data flows. */
export const TIERS = ['source', 'applier', 'object', 'pod'] as const;
export type Tier = (typeof TIERS)[number];

export interface ViewNode {
  /** `group/Kind/namespace/name`; the group and the namespace may be empty. */
  readonly id: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly tier: Tier;
  readonly state: State;
  /** First why it is in that state, then details; may be long. */
  readonly message: string;
  /** `branch@sha1:...`; objects have the revision of the Kustomization that applied them. */
  readonly revision?: string;
  /** RFC 3339. */
  readonly createdAt?: string;
  /** When it came into its state, RFC 3339. */
  readonly since?: string;
  /** Ids of the nodes it comes from: the source of a Kustomization, the Kustomization of an object, the owner of a pod. */
  readonly parents: readonly string[];
  readonly dependsOn: readonly string[];
  /** A few things worth seeing at a glance: image, replicas, url, path, interval. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

export interface ViewEvent {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  /** Id of the node it is about. */
  readonly about: string;
  readonly severity: 'info' | 'error';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** The first message of the stream, and what follows: nodes that came, changed or went. */
export type ViewMessage =
  | {
      readonly type: 'snapshot';
      readonly cluster: string;
      readonly nodes: readonly ViewNode[];
      readonly events: readonly ViewEvent[];
    }
  | {
      readonly type: 'delta';
      readonly nodes: readonly ViewNode[];
      readonly removed: readonly string[];
      readonly events: readonly ViewEvent[];
    };

export function viewId(apiVersion: string, kind: string, namespace: string | undefined, name: string): string {
  const slash = apiVersion.indexOf('/');
  return `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${kind}/${namespace ?? ''}/${name}`;
}
