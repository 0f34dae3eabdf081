import type { Outcome } from '../../api/outcome.ts';
import { formatDuration } from '../../base/duration.ts';
import { err, type Result } from '../../base/result.ts';
import type { BuildError, BuildResult } from '../../build/build.ts';
import type { BuildCache } from '../../build/build-cache.ts';
import { readDecryption } from './decryption.ts';
import type { Pass } from './pass.ts';
import type { KustomizationPorts, Settings } from './ports.ts';
import type { SourceArtifact } from './source.ts';
import { readVariables } from './variables.ts';

export interface BuildPorts extends KustomizationPorts {
  readonly settings: Settings;
  readonly builds: BuildCache;
  readonly signal: AbortSignal;
}

/** What was built, or the outcome of a pass that has nothing to build from. */
export type BuildStage =
  | { readonly outcome: Outcome }
  | { readonly outcome?: undefined; readonly built: Result<BuildResult, BuildError> };

/** Unpacks the source's artifact and builds the Kustomization's path of it, with its variables and keys. */
export async function buildArtifact(pass: Pass, source: SourceArtifact, ports: BuildPorts): Promise<BuildStage> {
  const { object } = pass;
  const { spec } = object;
  const { settings, signal } = ports;
  pass.step('Fetching manifests');
  const unpacked = await ports.artifacts.unpack(source.location, signal);
  if (!unpacked.ok) {
    const { requeueDependencyMs } = settings;
    if (unpacked.error.code !== 'NotFound') return { outcome: pass.failed('ArtifactFailed', unpacked.error.message) };
    const message = `Source is not ready, artifact not found, retrying in ${formatDuration(requeueDependencyMs)}`;
    return { outcome: pass.waiting('ArtifactFailed', message, requeueDependencyMs) };
  }
  const substitution = await readVariables(object, ports.client, settings.strictSubstitutions);
  const decryption = await readDecryption(object, ports, settings);
  const { digest } = source.location;
  const build = (): ReturnType<BuildCache['build']> => {
    if (!decryption.ok) return Promise.resolve(err({ code: 'build', message: decryption.error }));
    const { keys, services } = decryption.value ?? {};
    const request = {
      path: spec.path ?? '',
      rootPath: rootPath(digest),
      spec,
      ...(substitution === undefined ? {} : { substitution }),
      ...(keys === undefined ? {} : { decryption: keys }),
    };
    return ports.builds.build(pass.key, digest, unpacked.value.directory, request, services, signal);
  };
  const built = await duringStep(pass, build());
  if (!built.ok && built.error.code === 'path') return { outcome: pass.failed('ArtifactFailed', built.error.message) };
  return { built };
}

/** A build that takes long shows as such, although its outcome decides which step a failure belongs to. */
async function duringStep<T>(pass: Pass, work: Promise<T>): Promise<T> {
  const conditions = pass.conditions;
  pass.step('Building manifests');
  const result = await work;
  pass.conditions = conditions;
  return result;
}

/** What stands for the artifact's folder in messages: a path as Flux prints one, the same for the same artifact. */
function rootPath(digest: string): string {
  return `/tmp/kustomization-${BigInt(`0x${/[0-9a-f]{12}/.exec(digest)?.[0] ?? '0'}`)}`.padEnd(24, '0');
}
