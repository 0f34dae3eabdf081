import { err, type Result } from '../base/result.ts';
import type { KeyServices } from '../secrets/services/key-services.ts';
import { keyId, type ServiceKey } from '../secrets/sops/metadata.ts';
import type { BuildError, BuildRequest, BuildResult } from './build.ts';
import type { Builder } from './builder.ts';

/** Data keys of one build: each costs a request. */
const MAX_KEYS = 1_000;
/** Keys that are opened side by side. */
const CONCURRENCY = 8;
/** Files of generators, then objects, then what is encrypted in their data: more rounds have nothing new to ask for. */
const MAX_ROUNDS = 4;
/** For all keys of one build; who waits holds up others of its kind. */
const TIMEOUT_MS = 60_000;

type Opened = Map<string, Result<Uint8Array, string>>;

/**
 * Builds, and where encrypted files need it has services open their data keys and builds again. The builder itself (a thread that many
 * wait for) never waits for a network, and what was opened is forgotten with the build. Throws only when `signal` is aborted.
 */
export async function buildWithServices(
  builder: Builder,
  directory: string,
  request: BuildRequest,
  services: KeyServices | undefined,
  signal: AbortSignal,
): Promise<Result<BuildResult, BuildError>> {
  const { decryption: keys } = request;
  if (keys === undefined || services === undefined) return builder.build(directory, request, signal);
  const opened: Opened = new Map();
  let deadline: AbortSignal | undefined;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const built = await builder.build(directory, { ...request, decryption: { ...keys, services: opened } }, signal);
    if (built.ok || built.error.keys === undefined) return built;
    deadline ??= AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const complete = await openAll(built.error.keys, opened, services, deadline);
    signal.throwIfAborted();
    if (!complete) return limit(`its encrypted files need more than ${MAX_KEYS} keys of services`);
  }
  return limit(`its encrypted files need keys of services in more than ${MAX_ROUNDS} rounds`);
}

/** Opens one key of each group; false when there are too many. */
async function openAll(
  groups: readonly (readonly ServiceKey[])[],
  opened: Opened,
  services: KeyServices,
  deadline: AbortSignal,
): Promise<boolean> {
  const waiting = [...groups];
  const work = async (): Promise<boolean> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      for (const key of group) {
        const id = keyId(key);
        const known = opened.get(id);
        if (known === undefined && opened.size >= MAX_KEYS) return false;
        const answer = known ?? (await inTime(key, services, deadline));
        opened.set(id, answer);
        if (answer.ok) break;
      }
    }
    return true;
  };
  const done = await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return done.every(Boolean);
}

function inTime(key: ServiceKey, services: KeyServices, deadline: AbortSignal): Promise<Result<Uint8Array, string>> {
  if (!deadline.aborted) return services.open(key, deadline);
  return Promise.resolve(err(`the keys of this build took longer than ${TIMEOUT_MS / 1000}s`));
}

function limit(message: string): Result<never, BuildError> {
  return err({ code: 'limit', message: `kustomize build failed: ${message}` });
}
