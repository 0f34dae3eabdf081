import { err, ok, type Result } from '../../base/result.ts';

/** A repository's address, taken apart and found harmless. */
export interface GitUrl {
  readonly scheme: 'http' | 'https' | 'ssh';
  readonly host: string;
  /** Undefined: the scheme's own. */
  readonly port: number | undefined;
  readonly user: string | undefined;
  /** Password in an HTTP address; never shown or handed to a program as an argument. */
  readonly password: string | undefined;
  /** With its leading slash, as written. */
  readonly path: string;
}

const DEFAULT_PORT = { http: 80, https: 443, ssh: 22 } as const;
const MAX_LENGTH = 4096;
const SHAPE = /^(https?|ssh):\/\/(?:([^@/?#]*)@)?(\[[0-9A-Fa-f:.]+\]|[^:/?#@[\]]*)(?::(\d{0,5}))?(\/[^]*)?$/;
/** What OpenSSH takes in a user and a host name without reading it as an option or an expansion. */
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.+~-]*$/;
const HOST = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*)|\[[0-9A-Fa-f:.]+\])$/;

/**
 * Reads `http(s)://` and `ssh://` addresses; the port may be empty (`ssh://git@host:/path`). Everything that a program
 * could take for an option, another transport or a command is refused. Errors name the part, not the text.
 */
export function parseGitUrl(text: string): Result<GitUrl, string> {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (text.length > MAX_LENGTH || /[\u0000-\u0020\u007f]/.test(text)) return err('has characters that no address has');
  const match = SHAPE.exec(text);
  if (match === null) return err('is not an http, https or ssh address');
  const scheme = match[1] as GitUrl['scheme'];
  const [user, password] = splitUserInfo(match[2]);
  const host = match[3] ?? '';
  const port = match[4] === undefined || match[4] === '' ? undefined : Number(match[4]);
  const path = match[5] ?? '/';
  if (!HOST.test(host)) return err('has no valid host');
  if (port !== undefined && (port < 1 || port > 65535)) return err('has no valid port');
  if (scheme === 'ssh' && user !== undefined && !USER.test(user)) return err('has no valid user');
  if (scheme === 'ssh' && password !== undefined) return err('has a password, which ssh does not take from an address');
  if (path.startsWith('/-') || path.split('/').includes('..')) return err('has no valid path');
  return ok({ scheme, host, port, user, password, path });
}

function splitUserInfo(text: string | undefined): readonly [string | undefined, string | undefined] {
  if (text === undefined || text === '') return [undefined, undefined];
  const colon = text.indexOf(':');
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  return colon < 0 ? [decode(text), undefined] : [decode(text.slice(0, colon)), decode(text.slice(colon + 1))];
}

/** The port in use, also where the address leaves it out. */
export function portOf(url: GitUrl): number {
  return url.port ?? DEFAULT_PORT[url.scheme];
}

/** The address for programs and messages: no password, and for HTTP no user. */
export function printGitUrl(url: GitUrl): string {
  const user = url.scheme === 'ssh' && url.user !== undefined ? `${url.user}@` : '';
  const port = url.port === undefined ? '' : `:${url.port}`;
  return `${url.scheme}://${user}${url.host}${port}${url.path}`;
}

/** Whether two addresses reach the same server, so that the credentials of one may be used for the other. */
export function sameServer(a: GitUrl, b: GitUrl): boolean {
  return a.scheme === b.scheme && a.host.toLowerCase() === b.host.toLowerCase() && portOf(a) === portOf(b);
}

/** Resolves a submodule's address, which may be relative to its superproject's or in scp form. Source: gitsubmodules(7). */
export function resolveSubmoduleUrl(parent: GitUrl, text: string): Result<GitUrl, string> {
  if (text.startsWith('./') || text.startsWith('../')) {
    const steps = parent.path.replace(/\/+$/, '').split('/');
    for (const step of text.split('/')) {
      if (step === '..') {
        if (steps.length <= 1) return err('leaves the server');
        steps.pop();
      } else if (step !== '.' && step !== '') steps.push(step);
    }
    const path = steps.join('/');
    if (path === '' || path.startsWith('/-')) return err('has no valid path');
    return ok({ ...parent, path });
  }
  const scp = /^(?:([^@:/]+)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/|:)(.+)$/.exec(text);
  if (scp === null) return parseGitUrl(text);
  return parseGitUrl(
    `ssh://${scp[1] === undefined ? '' : `${scp[1]}@`}${scp[2]}/${(scp[3] ?? '').replace(/^\/+/, '')}`,
  );
}
