import { join } from 'node:path';
import type { Features } from '../../cluster/features.ts';
import { readState } from '../../cluster/state-file.ts';
import { SteppedTime } from '../../cluster/stepped-time.ts';
import { replaceState } from '../../cluster/store/disk.ts';
import { systemClock } from '../../kube/system-clock.ts';
import { createLog } from '../../runtime/log.ts';
import { type Box, startBox } from '../../wiring-box.ts';

export interface StartClusterOptions {
  /** Undefined: nothing is kept. */
  readonly dataDirectory: string | undefined;
  /** A snapshot, or objects, that a new cluster begins with. */
  readonly from: string | undefined;
  /** Files of the engines that run in pods. */
  readonly scratchDirectory: string;
  readonly port: number;
  /** Time stands still until `weir cluster advance` or `POST /weir/clock/advance` moves it. */
  readonly manualClock: boolean;
  /** What is served beside the default. */
  readonly features: Features;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes log lines. */
  readonly line: (text: string) => void;
}

/** @throws when the data directory, the port or `from` cannot be used. */
export async function startCluster(options: StartClusterOptions): Promise<Box> {
  const store = options.from === undefined ? undefined : readState(options.from);
  if (store !== undefined && options.dataDirectory !== undefined)
    await replaceState(join(options.dataDirectory, 'store'), store);
  const log = createLog({ level: 'error', encoding: 'console', clock: systemClock, write: options.line });
  return startBox({
    ...(options.dataDirectory === undefined
      ? store === undefined
        ? {}
        : { store }
      : { dataDirectory: options.dataDirectory }),
    port: options.port,
    ...options.features,
    log,
    ...(options.manualClock ? { time: new SteppedTime(systemClock.now()) } : {}),
    // Most clusters never run an engine in a pod, and its code takes a while to load.
    startEngine: async (...pod) => {
      const { podEngine } = await import('../start/pod-engine.ts');
      return podEngine(options.scratchDirectory, options.env)(...pod);
    },
  });
}
