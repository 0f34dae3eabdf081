import { matchPath } from '../../base/path-match.ts';
import { fail } from './failure.ts';

export const HELM_IGNORE = '.helmignore';

interface Rule {
  readonly negated: boolean;
  readonly directoryOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/** Tells whether a path of the chart's folder is left out. */
export type IgnoreRules = (path: string, directory: boolean) => boolean;

/**
 * Reads a `.helmignore`, which is not git's: the first rule that matches decides, a negated rule leaves out whatever it does not match,
 * and `**` is refused. Files in `templates/` that begin with a dot are always left out.
 * Source: helm@4.1.4 pkg/ignore/rules.go.
 * @throws HelmFailure for a pattern that cannot be read
 */
export function readHelmIgnore(text: string): IgnoreRules {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const rules = [...lines, 'templates/.?*'].flatMap((line) => parseRule(line.trim()) ?? []);
  return (path, directory) => {
    for (const { negated, directoryOnly, matches } of rules) {
      if (negated) {
        if ((directoryOnly && !directory) || !matches(path)) return true;
      } else if (!(directoryOnly && !directory) && matches(path)) return true;
    }
    return false;
  };
}

function parseRule(line: string): Rule | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  if (line.includes('**')) fail('chart', 'double-star (**) syntax is not supported');
  if (matchPath(line, 'abc') === 'bad pattern') fail('chart', 'syntax error in pattern');
  const negated = line.startsWith('!');
  let pattern = negated ? line.slice(1) : line;
  const directoryOnly = pattern.endsWith('/');
  if (directoryOnly) pattern = pattern.slice(0, -1);
  const whole = pattern.includes('/');
  if (pattern.startsWith('/')) pattern = pattern.slice(1);
  const matches = (path: string): boolean =>
    matchPath(pattern, whole ? path : path.slice(path.lastIndexOf('/') + 1)) === true;
  return { negated, directoryOnly, matches };
}
