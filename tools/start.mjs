// `npm start`: gets a fresh checkout to run (dependencies, build), then runs `weir start`. Plain Node, no dependency.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function fail(sentence) {
  console.error(`✗ ${sentence}`);
  process.exit(1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail(`Weir needs Node 20.19 or newer, and this is ${process.versions.node}`);

function step(text, command, ...args) {
  console.error(`► ${text}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error !== undefined) fail(`${text}: ${error.message}`);
  if (status !== 0) fail(`${text} failed with exit code ${status}`);
}

if (!existsSync(join(root, 'node_modules', '.package-lock.json')))
  step('installing dependencies', 'npm', 'install', '--no-progress');
if (isPageStale()) step('building the page', 'npm', 'run', '--silent', 'build', '-w', 'web');

/** Whether the page was never built, or its sources are newer; bin/weir sees to the program itself. */
function isPageStale() {
  const built = statSync(join(root, 'dist', 'web', 'index.html'), { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return true;
  const sources = readdirSync(join(root, 'web', 'src'), { recursive: true, withFileTypes: true });
  return sources.some((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs > built && entry.isFile());
}

const child = spawn(process.execPath, [join(root, 'bin', 'weir'), 'start', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to the whole group: the child stops by itself, and this waits for it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
