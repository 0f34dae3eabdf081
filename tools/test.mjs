// `npm test` (and with the install before it `npm it`): gets the tools that tests need, then runs every check.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTestTools, toolsDirectory } from './test-tools.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const env = { ...process.env, PATH: [toolsDirectory, process.env.PATH, '/usr/sbin'].join(delimiter) };

/** Cheap checks first; each is a command that a person can run by itself. */
const steps = [
  ['types', 'npm', 'run', '--silent', 'typecheck'],
  ['format and lint', 'npm', 'run', '--silent', 'lint'],
  ['import arrows', 'npm', 'run', '--silent', 'layers'],
  ['build', 'npm', 'run', '--silent', 'build'],
  // One after the other: scenarios and browsers wait by the clock, and share two cores badly.
  ['unit tests', 'npx', 'vitest', 'run', '--project', 'unit', '--project', 'web'],
  ['end-to-end tests', 'npx', 'vitest', 'run', '--project', 'e2e'],
  ['conformance', 'npx', 'vitest', 'run', '--project', 'conformance'],
];

installTestTools();
for (const [name, ...command] of steps) {
  const started = performance.now();
  console.log(`\n== ${name} ==`);
  const { status } = spawnSync(command[0], command.slice(1), {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error(`✗ ${name} failed: ${command.join(' ')}`);
    process.exit(status ?? 1);
  }
  console.log(`✔ ${name} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
}
const vectors = process.env.WEIR_CONFORMANCE_DIR ?? join(root, '..', 'shared', 'conformance');
if (!existsSync(vectors)) console.log(`the conformance part did not run: no vectors at ${vectors}`);
