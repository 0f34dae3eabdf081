import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startEngine } from '../../wiring.ts';
import type { StartPodEngine } from '../../wiring-box.ts';
import { engineConfig } from '../engine-flags.ts';
import { FlagValues, parseArguments } from '../flags.ts';
import { runFlags } from '../run.ts';

/**
 * Runs the engine of a pod as its container's arguments say, but for what belongs to a pod's own file system and network:
 * artifacts go below `directory`, servers listen on free ports of loopback, Services are reached at their node ports.
 */
export function podEngine(directory: string, env: Readonly<Record<string, string | undefined>>): StartPodEngine {
  return async (args, client, signal, line) => {
    const podEnv = { ...env, RUNTIME_NAMESPACE: 'flux-system' };
    const definitions = runFlags(podEnv);
    const parsed = parseArguments(
      args.filter((arg) => arg !== 'run'),
      definitions,
    );
    if (!parsed.ok) throw new Error(parsed.error);
    const config = engineConfig(new FlagValues(definitions, parsed.value.given), podEnv);
    if (!config.ok) throw new Error(config.error);
    const boxed = {
      ...config.value,
      storagePath: join(directory, 'artifacts'),
      storageAddr: '127.0.0.1:0',
      storageAdvAddr: '',
      metricsAddr: '127.0.0.1:0',
      healthAddr: '127.0.0.1:0',
      receiverAddr: '',
      enableLeaderElection: false,
      serviceNodeAddress: '127.0.0.1',
    };
    const temporaryDirectory = join(directory, 'tmp');
    await rm(temporaryDirectory, { recursive: true, force: true });
    await mkdir(temporaryDirectory, { recursive: true, mode: 0o700 });
    // The environment is that of whoever runs the box: what runs inside must not use that user's clouds.
    const surroundings = { line, searchPath: env['PATH'] ?? '', env: {}, temporaryDirectory };
    return startEngine(boxed, client, signal, surroundings);
  };
}
