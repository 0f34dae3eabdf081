/**
 * `npm run conformance -- [--dir DIR] [--verbose] [--update] [SET ...]`: plays the vector sets and prints, per set, `SET: N passed, M failed` and the
 * failures' names. Exit code 1 when a case fails that known-failures/SET.json does not list, or when a listed one passes
 * (the list may only shrink). Where the vectors are not there it says so and exits 0.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { conformanceDirectory, judge, knownFailures, playSet } from './judge.ts';
import { sets } from './sets.ts';

const { values, positionals } = parseArgs({
  options: { dir: { type: 'string' }, verbose: { type: 'boolean', short: 'v' } },
  allowPositionals: true,
});
const directory = values.dir === undefined ? conformanceDirectory() : resolve(values.dir);
const unknown = positionals.filter((name) => !sets.some((set) => set.name === name));
if (unknown.length > 0) {
  console.error(`unknown set ${unknown.join(', ')}; known: ${sets.map((set) => set.name).join(', ')}`);
  process.exit(1);
}
let bad = false;
for (const set of sets) {
  if (positionals.length > 0 && !positionals.includes(set.name)) continue;
  const folder = set.directory ?? resolve(directory, set.name);
  if (!existsSync(folder)) {
    console.log(`${set.name}: did not run, no vectors at ${folder}`);
    continue;
  }
  const results = await playSet(set, folder, knownFailures(set.name));
  const verdict = judge(results, knownFailures(set.name));
  const failed = results.filter(({ passed }) => !passed);
  console.log(`${set.name}: ${results.length - failed.length} passed, ${failed.length} failed`);
  for (const { id, detail } of failed) {
    const known = verdict.known.get(id);
    console.log(`  ${id}${known === undefined ? '' : ` (known: ${known})`}`);
    if (values.verbose === true && detail !== undefined) console.log(detail.replace(/^/gm, '      '));
  }
  for (const id of verdict.unexpectedPasses) console.log(`  ${id} passes now: take it out of the known failures`);
  if (values.dir === undefined && (verdict.newFailures.length > 0 || verdict.unexpectedPasses.length > 0)) bad = true;
}
process.exit(bad ? 1 : 0);
