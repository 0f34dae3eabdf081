import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CliHost, Command, FlagDefinition } from './command.ts';
import { FlagValues, flagUsages, parseArguments } from './flags.ts';
import { printProgress } from './progress.ts';

const SHORT = 'Serve git repositories over SSH on loopback';
const FLAGS: readonly FlagDefinition[] = [
  { name: 'user', type: 'string', default: 'fluxpres', usage: 'The user that may log in.' },
  {
    name: 'authorized-keys',
    type: 'string',
    usage: 'File with the public keys that may log in; read again at each login.',
  },
  { name: 'root', type: 'string', default: 'git', usage: "Folder of the repositories: the user's home." },
  { name: 'port', type: 'int', default: '30022', usage: 'Port on 127.0.0.1.' },
  {
    name: 'host-key',
    type: 'string',
    usage: "File of the server's key, made when missing (default ssh_host_key beside the root).",
  },
];

/** `weir git-server`: the walk-through's git server by itself, until an interrupt. It lets in git, and nothing else. */
export const gitServerCommand: Command = {
  use: 'git-server',
  short: SHORT,
  long: `${SHORT}: git's own commands on the repositories below a folder, and \`git init --bare\`; no shell.`,
  delegate: serve,
};

async function serve(args: readonly string[], host: CliHost): Promise<number> {
  const progress = printProgress((text) => host.io.stderr(text));
  const fail = (message: string): number => {
    progress.failure(message);
    return 1;
  };
  const parsed = parseArguments(args, FLAGS);
  if (!parsed.ok) return fail(parsed.error);
  if (parsed.value.help) {
    host.io.stdout(`${SHORT}\n\nUsage:\n  weir git-server [flags]\n\nFlags:\n${flagUsages(FLAGS)}\n`);
    return 0;
  }
  const flags = new FlagValues(FLAGS, parsed.value.given);
  const root = resolve(host.cwd, flags.string('root'));
  const authorizedKeys =
    flags.string('authorized-keys') || join(host.env['HOME'] ?? homedir(), '.ssh', 'authorized_keys');
  const { startGitServer } = await import('../demo/git-server/server.ts');
  try {
    const server = await startGitServer({
      host: '127.0.0.1',
      port: flags.int('port'),
      root,
      user: flags.string('user'),
      hostKeyFile: flags.string('host-key') || `${root}.ssh_host_key`,
      authorizedKeys: async () =>
        (await readFile(authorizedKeys, 'utf8')).split('\n').filter((line) => line.trim() !== ''),
      searchPath: host.env['PATH'] ?? '',
    });
    host.io.stdout(`ready git=ssh://${flags.string('user')}@localhost:${server.port}/home/${flags.string('user')}\n`);
    await new Promise<void>((stop) => host.signal.addEventListener('abort', () => stop(), { once: true }));
    await server.stop();
    return 0;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(code === 'EADDRINUSE' ? `port ${flags.int('port')} is in use: choose another with --port` : message);
  }
}
