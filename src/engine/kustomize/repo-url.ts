/** A git repository as kustomize's URLs name it (api/internal/git/repospec.go). */
export interface RepoUrl {
  readonly raw: string;
  /** What git clones. */
  readonly cloneUrl: string;
  /** Folder of the kustomization in the repository. */
  readonly directory: string;
  readonly ref: string;
  readonly submodules: boolean;
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 27_000;

/** Reads `text` as a repository's URL; undefined when it is none, such as a plain path. */
export function parseRepoUrl(text: string): RepoUrl | undefined {
  if (text.startsWith('/')) return undefined;
  const mark = text.indexOf('?');
  const query = parseQuery(mark < 0 ? '' : text.slice(mark + 1));
  const host = extractHost(mark < 0 ? text : text.slice(0, mark));
  if (host === undefined) return undefined;
  const parts = splitPath(host.rest, host.host.startsWith('file://'));
  if (parts === undefined || parts.repository === '') return undefined;
  if (leavesRepository(parts.directory)) return undefined;
  return {
    raw: text,
    cloneUrl: host.host + parts.repository,
    directory: parts.directory.replace(/^\//, ''),
    ...query,
  };
}

function leavesRepository(directory: string): boolean {
  let depth = 0;
  for (const step of directory.split('/')) {
    if (step === '..') {
      if (--depth < 0) return true;
    } else if (step !== '' && step !== '.') depth++;
  }
  return false;
}

function splitPath(path: string, isFile: boolean): { repository: string; directory: string } | undefined {
  const azure = path.indexOf('_git/');
  if (azure >= 0) {
    const [name = '', ...rest] = path.slice(azure + 5).split('/');
    return { repository: path.slice(0, azure + 5) + name, directory: rest.join('/') };
  }
  const double = path.indexOf('//');
  if (double >= 0) return { repository: path.slice(0, double), directory: path.slice(double + 2) };
  const git = path.indexOf('.git');
  if (git >= 0) return { repository: path.slice(0, git + 4), directory: path.slice(git + 4) };
  if (isFile) return { repository: path, directory: '' };
  const steps = path.split('/');
  if (steps.length < 2) return undefined;
  return { repository: steps.slice(0, 2).join('/'), directory: steps.slice(2).join('/') };
}

function extractHost(text: string): { host: string; rest: string } | undefined {
  let rest = /^git::/i.test(text) ? text.slice(5) : text;
  let scheme = '';
  for (const prefix of ['ssh://', 'https://', 'http://', 'file://']) {
    if (rest.toLowerCase().startsWith(prefix)) {
      scheme = prefix;
      rest = rest.slice(prefix.length);
      break;
    }
  }
  const user = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(rest)?.[0] ?? '';
  rest = rest.slice(user.length);
  const github = /^github\.com[/:]/i.test(rest);
  const scp = scheme === '' && (user !== '' || github);
  if (scheme === '' && !scp) return undefined;
  if (scheme === 'file://') return { host: scheme, rest: user + rest };
  let separator = rest.indexOf('/');
  if (scp) {
    const colon = rest.indexOf(':');
    if (separator < 0 || (colon > 0 && colon < separator)) separator = colon;
  }
  const host = separator < 0 ? rest : rest.slice(0, separator + 1);
  const path = separator < 0 ? '' : rest.slice(separator + 1);
  if (github) {
    const plain = scheme.startsWith('ssh://') || user !== '';
    return { host: plain ? `${user}github.com:` : 'https://github.com/', rest: path };
  }
  return host === '' ? undefined : { host: scheme + user + host, rest: path };
}

function parseQuery(query: string): { ref: string; submodules: boolean; timeoutMs: number } {
  const values = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const key = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (!values.has(key)) values.set(key, equals < 0 ? '' : decode(pair.slice(equals + 1)));
  }
  const ref = values.get('ref') ?? '';
  const submodules = values.get('submodules') ?? '';
  return {
    ref: ref === '' ? (values.get('version') ?? '') : ref,
    submodules: !/^(?:0|f|F|FALSE|false|False)$/.test(submodules),
    timeoutMs: parseTimeout(values.get('timeout') ?? ''),
  };
}

function parseTimeout(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) > 0 ? Number(text) * 1000 : DEFAULT_TIMEOUT_MS;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return DEFAULT_TIMEOUT_MS;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (units[unit as string] ?? 0);
  return total > 0 ? total : DEFAULT_TIMEOUT_MS;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
