import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Any exit code is fine; otherwise a command that fails is a failed test. */
  readonly mayFail?: boolean;
}

/**
 * A user's terminal: real programs, a home of its own, `weir` and the real kubectl on the PATH.
 * Everything that was started is stopped by {@link close}.
 */
export class Terminal {
  readonly home: string = mkdtempSync(join(tmpdir(), 'weir-e2e-'));
  readonly env: Record<string, string> = {
    PATH: [join(root, 'bin'), join(root, '.cache', 'tools'), process.env['PATH'] ?? ''].join(delimiter),
    HOME: this.home,
    KUBECONFIG: join(this.home, 'kubeconfig'),
    XDG_STATE_HOME: join(this.home, 'state'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.com',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.com',
    LANG: 'C.UTF-8',
  };
  readonly #children = new Set<ChildProcess>();

  /** Runs a program to its end. */
  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const child = spawn(program, args, {
      cwd: options.cwd ?? this.home,
      env: { ...this.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (status) => resolve(status ?? -1));
      }),
    ]);
    if (code !== 0 && options.mayFail !== true) {
      throw new Error(`${program} ${args.join(' ')} exited with ${code}\n${stdout}${stderr}`);
    }
    return { code, stdout, stderr };
  }

  /** A command line split at blanks: for the commands that documents print. */
  async line(command: string, options: RunOptions = {}): Promise<Ran> {
    const [program = '', ...args] = command.split(' ').filter((word) => word !== '');
    return this.run(program, args, options);
  }

  /** Starts a program that stays; resolves with the first output line that `ready` matches. */
  async start(
    program: string,
    args: readonly string[],
    ready: RegExp,
    options: RunOptions = {},
  ): Promise<{ readonly line: string; readonly process: ChildProcess; output(): string }> {
    const child = spawn(program, args, {
      cwd: options.cwd ?? this.home,
      env: { ...this.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    let seen = '';
    const line = await new Promise<string>((resolve, reject) => {
      const look = (chunk: Buffer): void => {
        seen += chunk.toString('utf8');
        const found = seen.split('\n').find((candidate) => ready.test(candidate));
        if (found !== undefined) resolve(found);
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${program} ${args.join(' ')} exited with ${code}\n${seen}`)));
    });
    return { line, process: child, output: () => seen };
  }

  async stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill(signal);
    return ended;
  }

  async close(): Promise<void> {
    for (const child of this.#children) await this.stop(child, 'SIGKILL');
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Asks again until `ask` gives a value; the error of the last try tells why it never did. */
export async function eventually<T>(ask: () => Promise<T>, timeoutMs = 60_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A free port of the range that Kubernetes gives to node ports. */
export async function freeNodePort(): Promise<number> {
  for (let port = 30_022 + (process.pid % 2000); port < 32_767; port++) if (await isFree(port)) return port;
  throw new Error('no free node port');
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
