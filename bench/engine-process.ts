import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';

const START_LIMIT_MS = 60_000;

/** A port of loopback that nobody has. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when the engine serves its metrics. @throws when it ends before, with what it said. */
export async function waitForMetrics(metricsPort: number, child: ChildProcess): Promise<void> {
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output = `${output}${chunk.toString('utf8')}`.slice(-10_000);
    if (process.env['WEIR_BENCH_LOG'] !== undefined) process.stderr.write(chunk);
  });
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`the engine does not run\n${output}`);
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
