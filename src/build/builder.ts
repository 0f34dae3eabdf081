import { err, type Result } from '../base/result.ts';
import { type BuildError, type BuildRequest, type BuildResult, build } from './build.ts';
import { diskFiles } from './disk-files.ts';

/** Builds folders of unpacked artifacts. */
export interface Builder {
  /** `directory` is the artifact's folder on disk (absolute). Throws only when `signal` is aborted. */
  build(directory: string, request: BuildRequest, signal: AbortSignal): Promise<Result<BuildResult, BuildError>>;
  close(): Promise<void>;
}

/** Builds in the calling thread: for tests and one-off commands, where nothing else has to go on meanwhile. */
export function inlineBuilder(): Builder {
  return {
    async build(directory, request, signal) {
      signal.throwIfAborted();
      try {
        return await build(diskFiles(directory), request);
      } catch (cause) {
        return panicked(cause);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** A throw of the engine is a bug of ours that one repository's content found: that one fails, in Flux's words. */
export function panicked(cause: unknown): Result<never, BuildError> {
  const text = cause instanceof Error ? cause.message : String(cause);
  return err({ code: 'build', message: `kustomize build failed: recovered from kustomize build panic: ${text}` });
}
