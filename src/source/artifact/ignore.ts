import { matchPath } from '../../base/path-match.ts';

/**
 * `.sourceignore`: Flux's reading of gitignore, which is go-git's and not git's (`**` only stands alone, an anchored
 * pattern also matches what is below it, character classes are Go's).
 * Source: fluxcd/pkg sourceignore and sourceignore/gitignore at e2cfd1a.
 */
export const IGNORE_FILE = '.sourceignore';
const VCS = ['.git/', '.gitignore', '.gitmodules', '.gitattributes'];
const PICTURES_AND_ARCHIVES = ['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip'];
const CI = ['.github/', '.circleci/', '.travis.yml', '.gitlab-ci.yml', 'appveyor.yml', '.drone.yml', 'cloudbuild.yaml'];
const CODESHIP = ['codeship-services.yml', 'codeship-steps.yml'];
const TOOLS = ['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'];
const DEFAULTS = [...PICTURES_AND_ARCHIVES, ...CI, ...CODESHIP, ...TOOLS];

/** One line of an ignore file. */
export interface IgnorePattern {
  /** Directory of the file it came from, as path steps. */
  readonly domain: readonly string[];
  readonly steps: readonly string[];
  readonly inclusion: boolean;
  readonly directoryOnly: boolean;
  /** Whether it holds a slash beside a trailing one: matched from its domain on, step by step. */
  readonly anchored: boolean;
}

/** Longest text of one ignore file that is read; Flux's scanner stops at lines of 64 KiB. */
export const MAX_IGNORE_BYTES: number = 1024 * 1024;

/** Patterns of an ignore file's text; `domain` is its directory (`''` is the root). */
export function readIgnorePatterns(text: string, domain = ''): readonly IgnorePattern[] {
  const steps = domain === '' ? [] : domain.split('/');
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) => parsePattern(line, steps));
}

/**
 * Tells whether a path is left out of an artifact, where `patterns` are all the user's (of `.sourceignore` files, then
 * of `spec.ignore`). Any pattern of the user switches the defaults for pictures, archives, CI and tools off.
 * Source: fluxcd/pkg artifact/storage SourceIgnoreFilter.
 */
export function sourceIgnore(patterns: readonly IgnorePattern[]): (path: string, directory: boolean) => boolean {
  return patterns.length === 0
    ? withDefaults([])
    : matcher([...VCS.map((line) => parsePattern(line, [])), ...patterns]);
}

/** As {@link sourceIgnore}, but the defaults stay in force before the user's patterns. */
export function withDefaults(patterns: readonly IgnorePattern[]): (path: string, directory: boolean) => boolean {
  return matcher([...[...VCS, ...DEFAULTS].map((line) => parsePattern(line, [])), ...patterns]);
}

/** The last pattern that matches decides. */
export function matcher(patterns: readonly IgnorePattern[]): (path: string, directory: boolean) => boolean {
  const reversed = [...patterns].reverse();
  return (path, directory) => {
    const steps = path.split('/');
    const decisive = reversed.find((pattern) => matches(pattern, steps, directory));
    return decisive !== undefined && !decisive.inclusion;
  };
}

function parsePattern(line: string, domain: readonly string[]): IgnorePattern {
  const inclusion = line.startsWith('!');
  let rest = inclusion ? line.slice(1) : line;
  if (!rest.endsWith('\\ ')) rest = rest.replace(/ +$/, '');
  const directoryOnly = rest.endsWith('/');
  if (directoryOnly) rest = rest.slice(0, -1);
  return { domain, steps: rest.split('/'), inclusion, directoryOnly, anchored: rest.includes('/') };
}

function matches(pattern: IgnorePattern, path: readonly string[], directory: boolean): boolean {
  const { domain } = pattern;
  if (path.length <= domain.length || domain.some((step, index) => path[index] !== step)) return false;
  const rest = path.slice(domain.length);
  return pattern.anchored ? matchesSteps(pattern, rest, directory) : matchesName(pattern, rest, directory);
}

/** A pattern without a slash matches any step of the path: what is below a match is matched too. */
function matchesName(pattern: IgnorePattern, path: readonly string[], directory: boolean): boolean {
  for (const [index, name] of path.entries()) {
    const match = matchPath(pattern.steps[0] ?? '', name);
    if (match === 'bad pattern') return false;
    if (match) return !(pattern.directoryOnly && !directory && index === path.length - 1);
  }
  return false;
}

function matchesSteps(pattern: IgnorePattern, path: readonly string[], directory: boolean): boolean {
  let matched = false;
  let traverse = false;
  let at = 0;
  for (const [index, step] of pattern.steps.entries()) {
    if (step === '') {
      traverse = false;
      continue;
    }
    if (step === '**') {
      if (index === pattern.steps.length - 1) break;
      traverse = true;
      continue;
    }
    if (step.includes('**') || at >= path.length) return false;
    if (!traverse) {
      if (matchPath(step, path[at] as string) !== true) return false;
      matched = true;
      at++;
      continue;
    }
    traverse = false;
    while (at < path.length) {
      const match = matchPath(step, path[at++] as string);
      if (match === 'bad pattern') return false;
      if (match) {
        matched = true;
        break;
      }
      if (at === path.length) matched = false;
    }
  }
  return matched && !(pattern.directoryOnly && !directory && at === path.length);
}
