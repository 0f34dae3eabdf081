import type { GitRepository } from '../../api/kinds/git-repository.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Artifact } from '../../source/artifact/artifact.ts';
import { contentChanged, type Own } from './plan.ts';

interface Found {
  readonly artifact: Artifact;
  /** What was observed when it was made. */
  readonly status: Own;
  /** Digest of ours with the same content. */
  sameAs?: string;
}

/**
 * What the status of sources told of when this engine came, and its store does not have: artifacts of another engine, whose storage
 * may have survived. At its end an engine gives back what it found, so that Flux goes on as after a restart of its own. Where the
 * content has moved on, no artifact is left, which makes consumers wait for the next engine's: Flux's would ask where nobody answers
 * any more, or get what Flux had stored before, and then come again only after their own interval. Source: kustomize-controller@1.9
 * requestsForRevisionChangeOf, which leaves out who reconciles the same revision already.
 */
export class FoundArtifacts {
  readonly #found = new Map<string, Found>();

  /** The first counts: what is missed later is our own. */
  note(object: GitRepository, artifact: Artifact, status: Own): void {
    const key = keyOf(object);
    if (!this.#found.has(key)) this.#found.set(key, { artifact, status });
  }

  of(object: GitRepository): Artifact | undefined {
    return this.#found.get(keyOf(object))?.artifact;
  }

  /** Compares what was made with what was found: the same commit, and nothing else that shapes the content has changed. */
  compare(object: GitRepository, made: Artifact, includes: Parameters<typeof contentChanged>[2]): void {
    const found = this.#found.get(keyOf(object));
    if (found === undefined || found.artifact.digest === made.digest) return;
    if (found.artifact.revision !== made.revision || contentChanged(object, found.status, includes)) return;
    found.sameAs = made.digest;
  }

  forget(object: GitRepository): void {
    this.#found.delete(keyOf(object));
  }

  /** The status to leave; undefined: as it is, also where the next engine makes no artifact because the source is suspended. */
  leave(object: GitRepository): JsonObject | undefined {
    const found = this.#found.get(keyOf(object));
    if (found === undefined || object.spec.suspend === true || object.status?.artifact === undefined) return undefined;
    const { artifact, ...rest } = object.status;
    const left = artifact.digest === found.sameAs ? { ...rest, artifact: found.artifact } : rest;
    return left as object as JsonObject;
  }
}

function keyOf({ metadata: { namespace = '', name } }: GitRepository): string {
  return `${namespace}/${name}`;
}
