import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, timingSafeEqual } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { relative, resolve } from 'node:path';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import { ALLOWED, type GitCommand, parseCommand } from './command.ts';
import { hostKey } from './host-key.ts';
import { environment, findRepository, initRepository, type Repositories, serviceArguments } from './repositories.ts';

export interface GitServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The user's home: repositories lie below it. Made when missing. */
  readonly root: string;
  /** The only user that may log in. */
  readonly user: string;
  /** PEM file of the server's key; made when missing. */
  readonly hostKeyFile: string;
  /** Public keys in the format of authorized_keys, asked for at each login. */
  readonly authorizedKeys: () => readonly string[] | Promise<readonly string[]>;
  /** Where `git` is found: a PATH. */
  readonly searchPath: string;
  /** Told after each successful push; `repository` is its path below the root, such as `flux-system.git`. */
  readonly onPush?: (repository: string) => void;
}

export interface GitServer {
  readonly port: number;
  /** The server's public key as known_hosts has it, without the host: `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
  stop(): Promise<void>;
}

const MAX_CONNECTIONS = 64;
const MAX_PROGRAMS = 16;
const MAX_SESSIONS_PER_CONNECTION = 10;
const LOGIN_TIMEOUT_MS = 20_000;
/** A clone or push that takes longer is broken off. */
const SESSION_TIMEOUT_MS = 30 * 60_000;
/** What git itself answers when it cannot go on. */
const REFUSED = 128;

/**
 * Starts an SSH server that speaks git and nothing else: one user, public keys only, git's own services on repositories
 * below `root`, and `git init --bare`. Throws when the port is in use.
 */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const root = resolve(options.root);
  await mkdir(root, { recursive: true });
  const key = await hostKey(options.hostKeyFile);
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error) throw new Error(`the host key is not usable: ${parsed.message}`);
  const state: State = { options, repositories: { root, searchPath: options.searchPath }, running: new Set() };
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [key], ident: 'weir-git' }, (connection) => {
    if (connections.size >= MAX_CONNECTIONS) return void connection.end();
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => {});
    serveConnection(state, connection);
  });
  // Both sides answer each other in small packets: held back for an acknowledgement, each costs 40 ms.
  const listener = createServer({ noDelay: true }, (socket) => server.injectSocket(socket));
  await new Promise<void>((done, fail) => {
    listener.once('error', fail);
    listener.listen(options.port, options.host, () => {
      listener.off('error', fail);
      listener.on('error', () => {});
      done();
    });
  });
  return {
    port: (listener.address() as AddressInfo).port,
    publicKey: `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`,
    async stop() {
      for (const child of state.running) child.kill('SIGKILL');
      const closed = new Promise<void>((done) => listener.close(() => done()));
      for (const connection of connections) connection.end();
      await closed;
    },
  };
}

interface State {
  readonly options: GitServerOptions;
  readonly repositories: Repositories;
  readonly running: Set<ChildProcess>;
}

function serveConnection(state: State, connection: Connection): void {
  const login = setTimeout(() => connection.end(), LOGIN_TIMEOUT_MS);
  const whole = setTimeout(() => connection.end(), SESSION_TIMEOUT_MS);
  connection.on('close', () => {
    clearTimeout(login);
    clearTimeout(whole);
  });
  connection.on('authentication', (context) => {
    authenticate(state.options, context).catch(() => context.reject(['publickey']));
  });
  connection.on('ready', () => clearTimeout(login));
  // At the same time: a client that stays connected opens one for each command.
  let sessions = 0;
  connection.on('session', (accept, reject) => {
    if (sessions >= MAX_SESSIONS_PER_CONNECTION) return reject();
    sessions++;
    const session = accept();
    let protocol: string | undefined;
    session.on('env', (acceptEnv, rejectEnv, { key, val }) => {
      if (key !== 'GIT_PROTOCOL' || !/^version=[0-2]$/.test(val)) return rejectEnv?.();
      protocol = val;
      acceptEnv?.();
    });
    session.on('pty', (_accept, rejectPty) => rejectPty?.());
    session.on('shell', (acceptShell) => refuse(acceptShell(), `there is no shell here; ${ALLOWED}`));
    session.once('exec', (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      channel.on('close', () => sessions--);
      execute(state, channel, command, protocol).catch(() => refuse(channel, 'the request failed'));
    });
  });
}

async function authenticate({ user, authorizedKeys }: GitServerOptions, context: AuthContext): Promise<void> {
  if (context.method !== 'publickey' || !sameText(context.username, user)) return context.reject(['publickey']);
  for (const line of await authorizedKeys()) {
    const key = line.trim() === '' ? undefined : ssh2.utils.parseKey(line);
    if (key === undefined || key instanceof Error) continue;
    const same = key.type === context.key.algo && sameBytes(key.getPublicSSH(), context.key.data);
    if (!same) continue;
    // Without a signature the client only asks whether the key would do.
    if (context.signature === undefined || context.blob === undefined) return context.accept();
    if (key.verify(context.blob, context.signature, context.hashAlgo) === true) return context.accept();
    break;
  }
  context.reject(['publickey']);
}

async function execute(
  state: State,
  channel: ServerChannel,
  line: string,
  protocol: string | undefined,
): Promise<void> {
  const command = parseCommand(line, state.options.user);
  if (!command.ok) return refuse(channel, command.error);
  if (command.value.kind === 'init') return init(state, channel, command.value);
  const directory = await findRepository(state.repositories, command.value.path);
  if (!directory.ok) return refuse(channel, directory.error);
  if (state.running.size >= MAX_PROGRAMS) return refuse(channel, 'too many requests at once, try again');
  const { service } = command.value;
  const child = spawn('git', [...serviceArguments(service, directory.value)], {
    env: environment(state.repositories, protocol),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  state.running.add(child);
  channel.on('close', () => child.kill('SIGKILL'));
  channel.on('error', () => {});
  child.stdin.on('error', () => {});
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  const code = await new Promise<number>((done) => {
    child.on('error', () => done(REFUSED));
    child.on('close', (exit) => done(exit ?? REFUSED));
  });
  state.running.delete(child);
  channel.exit(code);
  channel.end();
  if (service === 'receive-pack' && code === 0)
    state.options.onPush?.(relative(await realpath(state.repositories.root), directory.value));
}

async function init(
  { options, repositories }: State,
  channel: ServerChannel,
  { path, branch }: Extract<GitCommand, { readonly kind: 'init' }>,
): Promise<void> {
  const made = await initRepository(repositories, path, branch);
  if (!made.ok) return refuse(channel, made.error);
  const what = made.value === 'made' ? 'Initialized empty' : 'Reinitialized existing';
  channel.write(`${what} Git repository in /home/${options.user}/${path}/\n`);
  channel.exit(0);
  channel.end();
}

function refuse(channel: ServerChannel, message: string): void {
  channel.stderr.write(`weir: ${message}\n`);
  channel.exit(REFUSED);
  channel.end();
}

function sameText(a: string, b: string): boolean {
  return sameBytes(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
