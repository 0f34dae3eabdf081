import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CaseResult, ConformanceSet } from './set.ts';

export interface Verdict {
  readonly known: ReadonlyMap<string, string>;
  /** Failing, and not in the list. */
  readonly newFailures: readonly CaseResult[];
  /** In the list, and passing: the list must shrink. */
  readonly unexpectedPasses: readonly string[];
}

export function judge(results: readonly CaseResult[], known: ReadonlyMap<string, string>): Verdict {
  return {
    known,
    newFailures: results.filter(({ id, passed }) => !passed && !known.has(id)),
    unexpectedPasses: results.filter(({ id, passed }) => passed && known.has(id)).map(({ id }) => id),
  };
}

/** Plays a whole set; what fails and is not known to fail is played once more by itself, where the set can do that. */
export async function playSet(
  set: ConformanceSet,
  directory: string,
  known: ReadonlyMap<string, string>,
): Promise<readonly CaseResult[]> {
  const results = await set.run(directory);
  const doubtful = judge(results, known).newFailures.map(({ id }) => id);
  if (set.replay === undefined || doubtful.length === 0) return results;
  const again = new Map((await set.replay(directory, doubtful)).map((result) => [result.id, result]));
  return results.map((result) => again.get(result.id) ?? result);
}

/** Case id -> reason, from known-failures/SET.json. */
export function knownFailures(set: string): ReadonlyMap<string, string> {
  const file = fileURLToPath(new URL(`./known-failures/${set}.json`, import.meta.url));
  if (!existsSync(file)) return new Map();
  return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>));
}

/** Where the vectors are: WEIR_CONFORMANCE_DIR, or a folder `shared/conformance` beside the checkout. */
export function conformanceDirectory(): string {
  return process.env['WEIR_CONFORMANCE_DIR'] ?? fileURLToPath(new URL('../../../shared/conformance', import.meta.url));
}
