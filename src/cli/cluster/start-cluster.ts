import { systemClock } from '../../kube/system-clock.ts';
import { createLog } from '../../runtime/log.ts';
import { type Box, startBox } from '../../wiring-box.ts';

export interface StartClusterOptions {
  /** Undefined: nothing is kept. */
  readonly dataDirectory: string | undefined;
  /** Files of the engines that run in pods. */
  readonly scratchDirectory: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes log lines. */
  readonly line: (text: string) => void;
}

/** @throws when the data directory or the port cannot be used. */
export function startCluster(options: StartClusterOptions): Promise<Box> {
  const log = createLog({ level: 'error', encoding: 'console', clock: systemClock, write: options.line });
  return startBox({
    ...(options.dataDirectory === undefined ? {} : { dataDirectory: options.dataDirectory }),
    port: options.port,
    log,
    // Most clusters never run an engine in a pod, and its code takes a while to load.
    startEngine: async (...pod) => {
      const { podEngine } = await import('../start/pod-engine.ts');
      return podEngine(options.scratchDirectory, options.env)(...pod);
    },
  });
}
