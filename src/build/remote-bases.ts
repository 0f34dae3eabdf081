import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err } from '../base/result.ts';
import type { RemoteBase } from '../engine/kustomize/remote-base.ts';
import type { Builder } from './builder.ts';

/** How often a build may ask for more: bases of bases of bases. */
const MAX_ROUNDS = 50;

export interface RemoteBasesOptions {
  /** Fetches what a URL names; clones go below `folder`. Throws only when `signal` is aborted. */
  readonly fetch: (url: string, folder: string, signal: AbortSignal) => Promise<RemoteBase>;
  /** Where folders are made that last as long as a build. */
  readonly workDirectory: string;
}

/**
 * Fetches what builds ask for, and builds again: while one waits for a server, others are built. Each build fetches anew, as
 * kustomize does.
 */
export function withRemoteBases(builder: Builder, { fetch, workDirectory }: RemoteBasesOptions): Builder {
  return {
    close: () => builder.close(),
    async build(directory, request, signal) {
      const remotes = new Map<string, RemoteBase>();
      let folder: string | undefined;
      try {
        for (let round = 0; round < MAX_ROUNDS; round++) {
          const result = await builder.build(directory, { ...request, remotes }, signal);
          const urls = result.ok ? undefined : result.error.urls;
          if (urls === undefined) return result;
          folder ??= await mkdtemp(join(workDirectory, 'kustomize-'));
          for (const url of urls) remotes.set(url, await fetch(url, folder, signal));
        }
        const message = `kustomize build failed: remote bases nested more than ${MAX_ROUNDS} deep`;
        return err({ code: 'build', message });
      } finally {
        if (folder !== undefined) await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
