import type { CliHost } from './command.ts';

// The process behind the command line: the one place that reads argv and sets the exit code.

const interrupt = new AbortController();
let interrupts = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // A second interrupt does not wait for a clean end.
    if (++interrupts > 1) process.exit(130);
    interrupt.abort(new Error('interrupted'));
  });
}

/** Output into a closed pipe (`weir get all | head`) is no error. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    // A full disk is the user's to mend: no trace of ours helps there. Standard error may be the stream that failed.
    if (stream === process.stdout) process.stderr.write(`✗ standard output: ${error.message}\n`);
    process.exit(1);
  });
}

/** How long connections may take to end once the command is through. */
const CLOSE_MS = 500;
const closers: (() => Promise<void>)[] = [];

const host: CliHost = {
  io: {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    stdin: () => process.stdin,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    columns: process.stdout.columns as number | undefined,
  },
  env: process.env,
  cwd: process.cwd(),
  signal: interrupt.signal,
  now: () => Date.now(),
  async connect(options) {
    const { connect } = await import('./connect.ts');
    return connect(options, (transport) => closers.push(() => transport.close()));
  },
  async contextNamespace(options) {
    const { contextNamespace } = await import('./connect.ts');
    return contextNamespace(options);
  },
};

const argv = process.argv.slice(2);
const { main } = await (argv[0] === 'kustomize' ? import('./kustomize-main.ts') : import('./program.ts'));
process.exitCode = await main(argv, host);
// A connection that is only being made is not given up before its own time limit: nobody waits for that.
setTimeout(() => process.exit(), CLOSE_MS).unref();
await Promise.all(closers.map((close) => close()));
// Nothing may hold the process once the command is through; standard input otherwise does.
process.stdin.unref?.();
