// Checks the import arrows of ARCHITECTURE.md. dependency-cruiser can see no imports at all and still exit 0
// (with TypeScript 7 and without @swc/core), so it first has to report a violation that is planted.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

function cruise(...paths) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', ...paths, '--config', '.dependency-cruiser.cjs'],
    { encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}

const planted = 'src/engine/planted-violation';
mkdirSync(planted, { recursive: true });
try {
  writeFileSync(
    `${planted}/impure.ts`,
    "import { readFileSync } from 'node:fs';\nexport const planted = readFileSync;\n",
  );
  const { status } = cruise(planted);
  if (status === 0) {
    console.error('layers: the check does not see a planted violation, so it would see no real one');
    process.exit(1);
  }
} finally {
  rmSync(planted, { recursive: true, force: true });
}

const { status, output } = cruise('src');
process.stdout.write(output);
process.exit(status ?? 1);
