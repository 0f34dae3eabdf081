import { err, ok, type Result } from '../../base/result.ts';

/** What a client may ask for over SSH. `path` is relative to the root, without a trailing slash. */
export type GitCommand =
  | { readonly kind: 'serve'; readonly service: Service; readonly path: string }
  | { readonly kind: 'init'; readonly path: string; readonly branch: string };
export type Service = 'upload-pack' | 'receive-pack' | 'upload-archive';

export const ALLOWED = 'allowed are git clone, fetch, push and archive, and: git init --bare [-b BRANCH] NAME.git';
/** Git's own default, said here so that the user's configuration has no say. */
const DEFAULT_BRANCH = 'master';
const MAX_COMMAND = 4096;
const SERVICES: readonly Service[] = ['upload-pack', 'receive-pack', 'upload-archive'];

/** Reads the command line of an exec request. It never reaches a shell; what is not listed here is refused. */
export function parseCommand(line: string, user: string): Result<GitCommand, string> {
  const words = line.length > MAX_COMMAND ? undefined : splitWords(line);
  if (words === undefined) return err(`this command is not allowed; ${ALLOWED}`);
  const [program = '', ...rest] = words;
  const glued = /^git-(.+)$/.exec(program)?.[1];
  const [verb, args] = glued === undefined ? [rest[0] ?? '', rest.slice(1)] : [glued, rest];
  if (program !== 'git' && glued === undefined) return err(`${shown(program)} is not allowed; ${ALLOWED}`);
  const service = SERVICES.find((known) => known === verb);
  if (service !== undefined) {
    const [path] = args;
    if (args.length !== 1 || path === undefined || path.startsWith('-'))
      return err(`git ${service} takes one repository`);
    const inside = relativePath(path, user);
    return inside.ok ? ok({ kind: 'serve', service, path: inside.value }) : inside;
  }
  if (verb === 'init' && glued === undefined) return parseInit(args, user);
  return err(`git ${shown(verb)} is not allowed; ${ALLOWED}`);
}

function parseInit(args: readonly string[], user: string): Result<GitCommand, string> {
  let bare = false;
  let branch = DEFAULT_BRANCH;
  let path: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    if (arg === '--bare') bare = true;
    else if (arg === '-q' || arg === '--quiet') continue;
    else if (arg === '-b' || arg === '--initial-branch') branch = args[++index] ?? '';
    else if (arg.startsWith('--initial-branch=')) branch = arg.slice('--initial-branch='.length);
    else if (arg.startsWith('-') || path !== undefined)
      return err(`git init: ${shown(arg)} is not allowed; ${ALLOWED}`);
    else path = arg;
  }
  if (!bare) return err(`git init makes bare repositories only here; ${ALLOWED}`);
  if (path === undefined || !path.endsWith('.git')) return err('git init: the name must end in .git');
  if (!/^[A-Za-z0-9_][A-Za-z0-9_/.-]*$/.test(branch) || /\.\.|\/\/|\/$|\.lock$|\.$/.test(branch)) {
    return err(`git init: ${shown(branch)} is not a valid branch name`);
  }
  const inside = relativePath(path, user);
  return inside.ok ? ok({ kind: 'init', path: inside.value, branch }) : inside;
}

const MAX_DEPTH = 4;

/** `/home/<user>/x.git`, `~/x.git` and `x.git` are one place: the root is the user's home. */
function relativePath(path: string, user: string): Result<string, string> {
  const home = `/home/${user}/`;
  const inside = path.startsWith(home) ? path.slice(home.length) : path.startsWith('~/') ? path.slice(2) : path;
  const steps = inside.replace(/\/+$/, '').split('/');
  const valid = steps.length <= MAX_DEPTH && steps.every((step) => /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(step));
  return valid ? ok(steps.join('/')) : err(`${shown(path)} is not a repository below ${home}`);
}

/** Splits as a shell would, but knows nothing besides words and quotes; undefined for everything else. */
export function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string;
    if (character === ' ') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') {
      const end = line.indexOf(character, at + 1);
      if (end < 0) return undefined;
      const quoted = line.slice(at + 1, end);
      if (character === '"' && /[\\$`]/.test(quoted)) return undefined;
      word = (word ?? '') + quoted;
      at = end;
    } else if (character === '\\') {
      const next = line[++at];
      if (next === undefined) return undefined;
      word = (word ?? '') + next;
    } else if (/[A-Za-z0-9_@%+=:,./~^-]/.test(character)) word = (word ?? '') + character;
    else return undefined;
  }
  if (word !== undefined) words.push(word);
  // oxlint-disable-next-line no-control-regex -- control characters have no place in a name
  return words.some((each) => /[\u0000-\u001f\u007f]/.test(each)) ? undefined : words;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
