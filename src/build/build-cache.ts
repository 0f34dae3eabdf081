import type { Result } from '../base/result.ts';
import type { KeyServices } from '../secrets/services/key-services.ts';
import { type BuildError, type BuildRequest, type BuildResult, sha256Hex } from './build.ts';
import { buildWithServices } from './build-with-services.ts';
import type { Builder } from './builder.ts';
import { diskFiles } from './disk-files.ts';
import { type Answers, answersAlike, answersOf } from './observed-files.ts';

/** Trees whose answers are kept: users of one source ask the same, one after the other. */
const MAX_TREES = 8;

interface Kept {
  /** Hash of the request. */
  readonly key: string;
  /** The artifacts' digest that the result was last found right for. */
  artifactDigest: string;
  readonly result: { readonly ok: true; readonly value: BuildResult };
}

/**
 * Keeps each user's last good build: with the same inputs nothing is built again. Of another artifact only the files count that the
 * build looked at.
 */
export class BuildCache {
  readonly #builder: Builder;
  readonly #last = new Map<string, Kept>();
  readonly #answers = new Map<string, Answers>();

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /**
   * `user` names who builds (one entry each); `artifactDigest` identifies the files of `directory`, which never change; `services` open
   * data keys of encrypted files.
   */
  async build(
    user: string,
    artifactDigest: string,
    directory: string,
    request: BuildRequest,
    services: KeyServices | undefined,
    signal: AbortSignal,
  ): Promise<Result<BuildResult, BuildError>> {
    const key = `${keyOf(request)}\n${services?.identity ?? ''}`;
    const last = this.#last.get(user);
    if (last?.key === key && this.holds(user, artifactDigest, directory)) return last.result;
    const result = await buildWithServices(this.#builder, directory, request, services, signal);
    // A failure may be one of time or memory: the next try is a real one. What URLs lead to may change without the artifact.
    if (result.ok && !result.value.remote) this.#last.set(user, { key, artifactDigest, result });
    else this.#last.delete(user);
    return result;
  }

  /** Whether the files that the user's last build looked at are the same in this artifact; false where there was none. */
  holds(user: string, artifactDigest: string, directory: string): boolean {
    const last = this.#last.get(user);
    if (last === undefined) return false;
    if (last.artifactDigest === artifactDigest) return true;
    if (!answersAlike(this.#answersOf(directory), last.result.value.observations)) return false;
    last.artifactDigest = artifactDigest;
    return true;
  }

  forget(user: string): void {
    this.#last.delete(user);
  }

  #answersOf(directory: string): Answers {
    const known = this.#answers.get(directory);
    const answers = known ?? answersOf(diskFiles(directory), sha256Hex);
    // The one asked last is at the end.
    this.#answers.delete(directory);
    this.#answers.set(directory, answers);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MAX_TREES) break;
      this.#answers.delete(oldest);
    }
    return answers;
  }
}

/** Everything that shapes a build but the files. Values of variables and keys may be secret: only their hash is kept. */
function keyOf(request: BuildRequest): string {
  return sha256Hex(
    JSON.stringify({ ...request, rootPath: undefined }, (_key, value: unknown) => {
      if (typeof value === 'bigint') return `${value}n`;
      return value instanceof Map ? [...value] : value;
    }),
  );
}
