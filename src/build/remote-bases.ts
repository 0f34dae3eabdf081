import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err } from '../base/result.ts';
import type { RemoteBase } from '../engine/kustomize/remote-base.ts';
import { parseRepoUrl } from '../engine/kustomize/repo-url.ts';
import type { BuildRequest } from './build.ts';
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
      let folder: string | undefined;
      try {
        return await inRounds(builder, directory, request, signal, async (url) => {
          folder ??= await mkdtemp(join(workDirectory, 'kustomize-'));
          return fetch(url, folder, signal);
        });
      } finally {
        if (folder !== undefined) await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/**
 * Refuses what URLs name, without a request: for repositories in the words of Flux, which clones them and then finds the clone out of
 * bounds. Flux lets files over HTTP through; its own reference says that everything must come from the artifact.
 */
export function withoutRemoteBases(builder: Builder): Builder {
  return {
    close: () => builder.close(),
    build: (directory, request, signal) =>
      inRounds(builder, directory, request, signal, (url) => Promise.resolve(refused(url, request.rootPath))),
  };
}

function refused(url: string, rootPath: string): RemoteBase {
  const repo = parseRepoUrl(url);
  if (repo === undefined) return { kind: 'failed', message: 'remote bases are disabled (--no-remote-bases)' };
  const clone = join(rootPath.replace(/[^/]*-/, 'kustomize-'), repo.directory);
  const message = `fs-security-constraint abs ${clone}: path '${clone}' is not in or below '${rootPath}'`;
  return { kind: 'failed', message };
}

async function inRounds(
  builder: Builder,
  directory: string,
  request: BuildRequest,
  signal: AbortSignal,
  fetch: (url: string) => Promise<RemoteBase>,
): ReturnType<Builder['build']> {
  const remotes = new Map<string, RemoteBase>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const result = await builder.build(directory, { ...request, remotes }, signal);
    const urls = result.ok ? undefined : result.error.urls;
    if (urls === undefined) return result;
    for (const url of urls) remotes.set(url, await fetch(url));
  }
  return err({ code: 'build', message: `kustomize build failed: remote bases nested more than ${MAX_ROUNDS} deep` });
}
