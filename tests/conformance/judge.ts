import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CaseResult } from './set.ts';

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
