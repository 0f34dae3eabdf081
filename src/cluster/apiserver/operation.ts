import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { ResourceType } from './resource-type.ts';
import type { User } from './user.ts';

/** One write: what is written, by whom, how. */
export interface Operation {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
  /** '' for a create whose name is in the object or generated. */
  readonly name: string;
  readonly subresource: string | undefined;
  readonly verb: 'create' | 'update' | 'delete' | 'connect';
  readonly user: User;
  readonly dryRun: boolean;
  readonly manager: string;
  /** Adds a Warning header to the answer. */
  readonly warn: (text: string) => void;
  /** The request's options, without their kind. */
  readonly options?: JsonObject;
  /** One of the deletions of a collection. */
  readonly collection?: boolean;
}

export type Outcome = Result<KubeObject, StatusError>;

/** Mutating steps run a second time when one of them asks for it; `notes` are theirs. */
export interface Reinvocation {
  wanted: boolean;
  second: boolean;
  readonly notes: Map<string, unknown>;
}

/** What an admission step is told. */
export interface Attributes extends Operation {
  readonly reinvocation?: Reinvocation;
  /** Undefined for a deletion. */
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
}

/** One admission plugin. Mutating steps return the object to go on with. */
export interface Admission {
  readonly name: string;
  mutate?(attributes: Attributes & { readonly object: KubeObject }): Promise<Outcome> | Outcome;
  /** The mutating half for what has no object to change: a deletion, a connection. */
  admit?(attributes: Attributes): Promise<StatusError | undefined>;
  validate?(attributes: Attributes): Promise<StatusError | undefined> | StatusError | undefined;
}
