/* oxlint-disable vitest/no-conditional-tests -- without the vectors there is one test, which says so */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conformanceDirectory, judge, knownFailures, playSet } from './judge.ts';
import { sets } from './sets.ts';

const directory = conformanceDirectory();

describe('the conformance vectors', () => {
  if (!existsSync(directory)) {
    it('did not run: there are no vectors beside this checkout', () => {
      console.log(`conformance did not run: ${directory} does not exist (set WEIR_CONFORMANCE_DIR)`);
      expect(existsSync(directory)).toBe(false);
    });
    return;
  }
  it.each(sets.map((set) => [set.name, set] as const))('%s has no failure but the known ones', async (name, set) => {
    const results = await playSet(set, set.directory ?? join(directory, name), knownFailures(name));
    const verdict = judge(results, knownFailures(name));
    console.log(
      `${name}: ${results.filter(({ passed }) => passed).length} passed, ${results.filter(({ passed }) => !passed).length} failed`,
    );
    expect(verdict.newFailures).toEqual([]);
    expect(verdict.unexpectedPasses).toEqual([]);
    expect(results.length).toBeGreaterThan(0);
  });
});
