import { spawnSync } from 'node:child_process';

/** Whose output the command line matches. */
const VERSION = /^flux version (v?2\.9\.\d+)/;

/** The real flux: WEIR_PEER_FLUX, or one on PATH, of the right version; without one, says that `what` did not run. */
export function findFlux(what: string): string | undefined {
  for (const program of [process.env['WEIR_PEER_FLUX'] ?? '', 'flux']) {
    if (program === '') continue;
    const answer = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (answer.status === 0 && VERSION.test(answer.stdout)) return program;
  }
  console.log(`${what} did not run: set WEIR_PEER_FLUX to a flux 2.9`);
  return undefined;
}
