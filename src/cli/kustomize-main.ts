import type { CliHost } from './command.ts';
import { runKustomize } from './kustomize-run.ts';
import { printProgress } from './progress.ts';

/** What `main` of program.ts does for `weir kustomize ...`, without loading the other commands: a small build must start fast. */
export async function main(argv: readonly string[], host: CliHost): Promise<number> {
  try {
    return await runKustomize(argv.slice(1), host);
  } catch (error) {
    printProgress((text) => host.io.stderr(text)).failure(
      host.signal.aborted ? 'interrupted' : error instanceof Error ? error.message : String(error),
    );
    return host.signal.aborted ? 130 : 1;
  }
}
