import type { Result } from '../base/result.ts';
import { type BuildError, type BuildRequest, type BuildResult, sha256Hex } from './build.ts';
import type { Builder } from './builder.ts';

/** Keeps each user's last good build: the same artifact and inputs are not built again. */
export class BuildCache {
  readonly #builder: Builder;
  readonly #last = new Map<string, { readonly key: string; readonly result: Result<BuildResult, BuildError> }>();

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** `user` names who builds (one entry each); `artifactDigest` identifies the files. */
  async build(
    user: string,
    artifactDigest: string,
    directory: string,
    request: BuildRequest,
    signal: AbortSignal,
  ): Promise<Result<BuildResult, BuildError>> {
    const key = keyOf(artifactDigest, request);
    const last = this.#last.get(user);
    if (last?.key === key) return last.result;
    const result = await this.#builder.build(directory, request, signal);
    // A failure may be one of time or memory: the next try is a real one.
    if (result.ok) this.#last.set(user, { key, result });
    else this.#last.delete(user);
    return result;
  }

  forget(user: string): void {
    this.#last.delete(user);
  }
}

/** Values of variables may be secret: only their hash is kept. */
function keyOf(artifactDigest: string, { path, spec, substitution }: BuildRequest): string {
  const variables = substitution === undefined ? null : { ...substitution, variables: [...substitution.variables] };
  return sha256Hex(JSON.stringify([artifactDigest, path, spec, variables]));
}
