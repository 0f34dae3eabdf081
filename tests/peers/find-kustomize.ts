import { spawnSync } from 'node:child_process';

/** Whose output the engine matches. */
const VERSION = 'v5.8.1';

/** The real kustomize: WEIR_PEER_KUSTOMIZE, or one on PATH, of the right version; without one, says that `what` did not run. */
export function findKustomize(what: string): string | undefined {
  for (const program of [process.env['WEIR_PEER_KUSTOMIZE'] ?? '', 'kustomize']) {
    if (program === '') continue;
    const answer = spawnSync(program, ['version'], { encoding: 'utf8' });
    if (answer.status === 0 && answer.stdout.includes(VERSION)) return program;
  }
  console.log(`${what} did not run: set WEIR_PEER_KUSTOMIZE to a kustomize ${VERSION}`);
  return undefined;
}
