import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { err, ok, type Result } from '../../base/result.ts';
import type { ClusterDirectory, ClusterState } from './state.ts';

const POLL_MS = 25;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/** Starts a cluster in a process of its own and resolves when it answers; the process stays when this one ends. */
export async function startProcess(
  directory: ClusterDirectory,
  args: readonly string[],
  cwd: string,
): Promise<Result<ClusterState, string>> {
  const log = openSync(directory.log, 'a', 0o600);
  const program = process.argv[1] as string;
  const child = spawn(process.execPath, [...process.execArgv, program, 'cluster', 'run', ...args], {
    cwd,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended = false;
  child.on('exit', () => {
    ended = true;
  });
  child.on('error', () => {
    ended = true;
  });
  child.unref();
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += POLL_MS) {
    if (ended) return err(directory.lastLogLine().replace(/^✗ /, '') || 'the cluster ended before it answered');
    const state = directory.read();
    if (state !== undefined && state.pid === child.pid) return ok(state);
    await setTimeout(POLL_MS);
  }
  child.kill();
  return err(`the cluster did not answer within ${START_TIMEOUT_MS / 1000}s: see ${directory.log}`);
}

/** Ends a cluster's process, by force when it does not go; resolves when it is gone. */
export async function stopProcess(directory: ClusterDirectory): Promise<void> {
  const state = directory.running();
  if (state === undefined) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(state.pid, signal);
    } catch (cause) {
      // It went by itself in between.
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
    }
    for (let waited = 0; waited < STOP_TIMEOUT_MS; waited += POLL_MS) {
      if (directory.running() === undefined) return;
      await setTimeout(POLL_MS);
    }
  }
  throw new Error(`process ${state.pid} does not end`);
}

/** Whether nothing listens on a port of loopback. */
export function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
