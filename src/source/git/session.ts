import { createHash } from 'node:crypto';
import { lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type GitCredentials, type GitProxy, knownHostsName } from './credentials.ts';
import { type GitUrl, portOf, printGitUrl } from './url.ts';

/** Where a name inside the cluster is reached from this process; undefined where the usual resolver knows better. */
export type ResolveHost = (
  host: string,
  port: number,
) => Promise<{ readonly host: string; readonly port: number } | undefined>;

/** One server as git reaches it: environment and files that hold all configuration, and nothing of the user's. */
export interface GitSession {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** What is handed to git as the repository. */
  readonly remote: string;
}

export interface SessionOptions {
  /** Existing, private to this process. */
  readonly directory: string;
  /** Where `git` and `ssh` are found. */
  readonly path: string;
  readonly url: GitUrl;
  readonly credentials: GitCredentials;
  readonly proxy?: GitProxy;
  readonly resolveHost?: ResolveHost;
  /** Private folder of connections that stay open between sessions (see {@link connectionFile}); absent: each has its own. */
  readonly connections?: string;
}

/** Seconds until a server that does not answer is given up, below the timeout of the whole operation. */
const CONNECT_TIMEOUT_S = 30;
/** A connection that nobody used for this long is closed: longer than the usual interval of a source. */
const CONNECTION_IDLE_S = 120;
/** A connection takes no new session after this long, so that a key that was revoked stops working. */
const CONNECTION_LIFE_MS = 10 * 60_000;
/** The address of a Unix socket holds 108 bytes; ssh adds 17 while it makes one. */
const MAX_SOCKET_PATH = 88;

/**
 * Writes the configuration of one server into `directory`: files of mode 0600, which the caller removes with the directory.
 * Throws for a value that no configuration file can hold.
 */
export async function openSession(options: SessionOptions): Promise<GitSession> {
  const { directory, url } = options;
  const target = await options.resolveHost?.(url.host, portOf(url));
  const config = gitConfig(options);
  let remote = printGitUrl(url);
  const env: Record<string, string> = { ...baseEnvironment(directory, options.path), GIT_ALLOW_PROTOCOL: url.scheme };
  if (url.scheme === 'ssh') {
    await writeSecret(join(directory, 'ssh_config'), sshConfig(options, target));
    await writeSecret(join(directory, 'identity'), `${options.credentials.identity?.trimEnd() ?? ''}\n`);
    await writeSecret(join(directory, 'known_hosts'), `${options.credentials.knownHosts?.trimEnd() ?? ''}\n`);
    // Git hands this text to a shell: it holds nothing but a path of our own making. All else is in the file.
    env['GIT_SSH_COMMAND'] = `ssh -F ${shellWord(join(directory, 'ssh_config'))}`;
    env['GIT_SSH_VARIANT'] = 'ssh';
    if (options.credentials.passphrase !== undefined) {
      await writeSecret(join(directory, 'passphrase'), options.credentials.passphrase);
      // ssh asks a program for it: this one knows only its own folder.
      await writeFile(join(directory, 'askpass'), '#!/bin/sh\nexec cat "${0%/*}/passphrase"\n', { mode: 0o700 });
      env['SSH_ASKPASS'] = join(directory, 'askpass');
      env['SSH_ASKPASS_REQUIRE'] = 'force';
    }
    // The port is in ssh_config, where a resolved address may have changed it.
    remote = `ssh://${options.credentials.username ?? url.user ?? 'git'}@${url.host}${url.path}`;
  } else if (target !== undefined) {
    // Same port: curl is told the address. Another port (a node port): the address is rewritten and the name goes along.
    if (target.port === portOf(url))
      config.push(['http', 'curloptResolve', `${url.host}:${target.port}:${target.host}`]);
    else if (url.scheme === 'http') {
      remote = `http://${target.host}:${target.port}${url.path}`;
      config.push(['http', 'extraHeader', `Host: ${url.host}${url.port === undefined ? '' : `:${url.port}`}`]);
    }
  }
  await writeHttpSecrets(options, remote, config);
  await writeSecret(join(directory, 'gitconfig'), printConfig(config));
  return { env, cwd: directory, remote };
}

/** An environment in which git reads no file of the user's or the system's, runs no hook, and asks nobody. */
export function baseEnvironment(directory: string, path: string): Readonly<Record<string, string>> {
  return {
    PATH: path,
    HOME: directory,
    XDG_CONFIG_HOME: directory,
    TMPDIR: directory,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: join(directory, 'gitconfig'),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_CEILING_DIRECTORIES: directory,
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_ALLOW_PROTOCOL: '',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
  };
}

type ConfigLine = readonly [section: string, key: string, value: string];

function gitConfig({ url, credentials }: SessionOptions): ConfigLine[] {
  // Git would send an own header, or a client's certificate, on to wherever it is redirected.
  const follows = credentials.bearerToken === undefined && credentials.clientCertificate === undefined;
  return [
    ['core', 'hooksPath', '/dev/null'],
    ['core', 'fsmonitor', 'false'],
    ['core', 'attributesFile', '/dev/null'],
    ['core', 'excludesFile', '/dev/null'],
    ['protocol', 'version', '2'],
    ['protocol', 'allow', 'never'],
    [`protocol "${url.scheme}"`, 'allow', 'always'],
    ['http', 'followRedirects', follows ? 'initial' : 'false'],
    ['http', 'sslVerify', 'true'],
    ['fetch', 'recurseSubmodules', 'false'],
    ['fetch', 'unpackLimit', '1'],
    // Our copy can be fetched again: nothing waits for the disk.
    ['core', 'fsync', 'none'],
    ['transfer', 'bundleURI', 'false'],
    ['submodule', 'recurse', 'false'],
    ['gc', 'auto', '0'],
    ['maintenance', 'auto', 'false'],
    ['safe', 'directory', '*'],
  ];
}

async function writeHttpSecrets(options: SessionOptions, remote: string, config: ConfigLine[]): Promise<void> {
  const { directory, credentials, proxy, url } = options;
  if (url.scheme === 'ssh') return;
  const file = async (name: string, key: string, text: string): Promise<void> => {
    await writeSecret(join(directory, name), text);
    config.push(['http', key, join(directory, name)]);
  };
  if (credentials.bearerToken !== undefined) {
    config.push(['http', 'extraHeader', `Authorization: Bearer ${credentials.bearerToken}`]);
  } else if (credentials.username !== undefined) {
    // By the store, git sends them only to this host, also when it is redirected to another one.
    const user = encodeURIComponent(credentials.username);
    const password = encodeURIComponent(credentials.password ?? '');
    const { protocol, host } = new URL(remote);
    await writeSecret(join(directory, 'credentials'), `${protocol}//${user}:${password}@${host}\n`);
    config.push(['credential', 'helper', `store --file=${shellWord(join(directory, 'credentials'))}`]);
  }
  if (credentials.ca !== undefined) await file('ca.crt', 'sslCAInfo', credentials.ca);
  if (credentials.clientCertificate !== undefined) await file('tls.crt', 'sslCert', credentials.clientCertificate);
  if (credentials.clientKey !== undefined) await file('tls.key', 'sslKey', credentials.clientKey);
  if (proxy !== undefined) {
    const address = new URL(proxy.address);
    if (proxy.username !== undefined) address.username = encodeURIComponent(proxy.username);
    if (proxy.password !== undefined) address.password = encodeURIComponent(proxy.password);
    config.push(['http', 'proxy', address.href]);
  }
}

function printConfig(lines: readonly ConfigLine[]): string {
  return lines
    .map(([section, key, value]) => {
      // oxlint-disable-next-line no-control-regex -- a line break would begin a setting of its own
      if (/[\0\r\n]/.test(value)) throw new Error(`a value of ${section}.${key} has a line break`);
      return `[${section}]\n\t${key} = "${value.replace(/["\\]/g, '\\$&')}"\n`;
    })
    .join('');
}

/** Everything ssh may use is named here: `-F` keeps the user's and the system's configuration out. */
function sshConfig(options: SessionOptions, target: Target | undefined): string {
  const { directory, url, credentials } = options;
  const connection = connectionFile(options, target, Date.now());
  const settings: readonly (readonly [string, string])[] = [
    ['IdentityFile', sshWord(join(directory, 'identity'))],
    ['IdentitiesOnly', 'yes'],
    ['IdentityAgent', 'none'],
    ['UserKnownHostsFile', sshWord(join(directory, 'known_hosts'))],
    ['GlobalKnownHostsFile', '/dev/null'],
    ['StrictHostKeyChecking', 'yes'],
    ['CheckHostIP', 'no'],
    ['UpdateHostKeys', 'no'],
    ['VerifyHostKeyDNS', 'no'],
    ['PreferredAuthentications', 'publickey'],
    ['PasswordAuthentication', 'no'],
    ['KbdInteractiveAuthentication', 'no'],
    ['NumberOfPasswordPrompts', '1'],
    ['ClearAllForwardings', 'yes'],
    ['ForwardAgent', 'no'],
    ['ForwardX11', 'no'],
    ['PermitLocalCommand', 'no'],
    ...multiplexing(connection),
    ['ConnectTimeout', String(CONNECT_TIMEOUT_S)],
    ['ServerAliveInterval', '15'],
    ['ServerAliveCountMax', '3'],
    ['LogLevel', 'INFO'],
    ['HostName', (target?.host ?? url.host).replace(/^\[|\]$/g, '')],
    ['Port', String(target?.port ?? portOf(url))],
    ['HostKeyAlias', keyAlias(url, credentials.knownHosts ?? '', target)],
  ];
  return `Host *\n${settings.map(([key, value]) => `  ${key} ${value}\n`).join('')}`;
}

type Target = { readonly host: string; readonly port: number };

function multiplexing(connection: string | undefined): readonly (readonly [string, string])[] {
  if (connection === undefined) {
    return [
      ['ControlMaster', 'no'],
      ['ControlPath', 'none'],
    ];
  }
  return [
    ['ControlMaster', 'auto'],
    ['ControlPath', sshWord(connection)],
    ['ControlPersist', String(CONNECTION_IDLE_S)],
  ];
}

/**
 * The socket of the connection that these credentials share: another key, host key or address makes another one, and so does time.
 * Undefined where there is no folder for it, or its path is too long for a socket.
 */
function connectionFile(
  { connections, credentials, url }: SessionOptions,
  target: Target | undefined,
  nowMs: number,
): string | undefined {
  if (connections === undefined) return undefined;
  const { identity, knownHosts, passphrase, username } = credentials;
  const who = [url.host, portOf(url), url.user, username, identity, knownHosts, passphrase, target?.host, target?.port];
  const text = JSON.stringify([...who, Math.floor(nowMs / CONNECTION_LIFE_MS)]);
  const file = join(connections, createHash('sha256').update(text).digest('hex').slice(0, 24));
  return Buffer.byteLength(file) <= MAX_SOCKET_PATH ? file : undefined;
}

/**
 * The name to look the host's key up by. Keys scanned at a node port are listed with that port, also after the host was
 * renamed to the Service's name.
 */
function keyAlias(url: GitUrl, knownHosts: string, target: { readonly port: number } | undefined): string {
  const name = knownHostsName(url);
  const scanned = target === undefined ? name : `[${url.host}]:${target.port}`;
  const lists = (host: string): boolean =>
    knownHosts.split('\n').some((line) => (line.trim().split(/\s+/, 1)[0] ?? '').split(',').includes(host));
  return !lists(name) && lists(scanned) ? scanned : name;
}

async function writeSecret(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
}

function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** ssh_config expands percent signs and ends words at spaces. */
function sshWord(text: string): string {
  return `"${text.replaceAll('%', '%%')}"`;
}

/**
 * Makes a folder that only this user may enter, empty, also where an earlier process left one of that name.
 * Throws when it belongs to somebody else.
 */
export async function makePrivateDirectory(directory: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await mkdir(directory, { mode: 0o700 });
      return;
    } catch (cause) {
      const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
      if (!exists || attempt > 0) throw cause;
      const found = await lstat(directory);
      if (!found.isDirectory() || found.uid !== userInfo().uid) throw cause;
      await rm(directory, { recursive: true, force: true });
    }
  }
}
