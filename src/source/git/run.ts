import { spawn } from 'node:child_process';
import { exhaustion } from '../exhausted.ts';

export interface RunOptions {
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly maxOutputBytes?: number;
  readonly input?: string;
}

export interface RunResult {
  /** Exit code; -1 when it was ended by a signal or could not start. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** The only programs this module starts. */
export type Program = 'git' | 'gpg' | 'ssh' | 'ssh-keygen';

/** A listing of a repository with some hundred thousand references. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Runs a program by argument vector in its own process group, so that what it started ends with it.
 * Throws the signal's reason when aborted. Output beyond the limits ends the program (code -1).
 */
export function run(program: Program, args: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal.throwIfAborted();
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let outBytes = 0;
    let errBytes = 0;
    const limit = options.maxOutputBytes ?? MAX_OUTPUT_BYTES;
    const kill = (): void => killGroup(child.pid);
    child.stdout?.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes > limit) kill();
      else stdout.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (errBytes < MAX_ERROR_BYTES) stderr.push(chunk);
      errBytes += chunk.length;
    });
    // A program that ends before it has read everything closes the pipe: its exit code tells why.
    child.stdin?.on('error', () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);
    options.signal.addEventListener('abort', kill, { once: true });
    child.on('error', (cause) => {
      options.signal.removeEventListener('abort', kill);
      const missing = 'code' in cause && cause.code === 'ENOENT';
      const stderr = missing ? `${program} is not installed or not on the PATH` : exhaustion(cause);
      if (stderr === undefined) fail(cause);
      else done({ code: -1, stdout: Buffer.alloc(0), stderr });
    });
    child.on('close', (code) => {
      options.signal.removeEventListener('abort', kill);
      if (options.signal.aborted) fail(options.signal.reason);
      else done({ code: code ?? -1, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') });
    });
  });
}

/** Ends a process and its children; one that is gone already is none of our business. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ended by itself
  }
}
