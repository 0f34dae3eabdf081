import type { Json, JsonObject } from '../../base/json.ts';
import type { Issue } from './issue.ts';

/** Schemas that were applied to the same value on the way here. */
export interface Scope {
  readonly schema: JsonObject;
  readonly outer: Scope | undefined;
}

/** What no schema has looked at so far; undefined where nobody asks. */
export interface Unseen {
  readonly properties: Set<string>;
  readonly items: Set<number>;
}

export type Path = readonly string[];

/** What a check needs of the validation that it is a part of. */
export interface Validation {
  readonly draft: number;
  check(
    schema: Json,
    value: Json,
    path: Path,
    scope: Scope | undefined,
    depth: number,
    unseen?: Unseen,
  ): Issue | undefined;
  target(schema: JsonObject, reference: string): Json;
  matches(pattern: string, text: string): boolean;
  /** @throws what ends the validation */
  giveUp(why: string): never;
}

/** One schema object applied to one value, as the keywords of objects and lists see it. */
export interface Application {
  readonly validator: Validation;
  readonly path: Path;
  readonly depth: number;
  readonly unseen: Unseen | undefined;
  /** The keyword's value. */
  get(keyword: string): Json | undefined;
  amount(keyword: string): number | bigint | undefined;
  list(keyword: string): readonly Json[];
  map(keyword: string): JsonObject;
  /** Another schema on the same value. */
  self(schema: Json): Issue | undefined;
  /** Another schema on a part of the value. */
  inner(schema: Json, value: Json, step: string | number): Issue | undefined;
  add(text: string, causes?: readonly Issue[]): void;
  addIssue(found: Issue | undefined): void;
  bound(keyword: string, got: number, isWrong: (got: number, want: number) => boolean): void;
}
