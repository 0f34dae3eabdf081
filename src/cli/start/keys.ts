import { execFile } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface KeyFiles {
  readonly privateKey: string;
  /** An ssh configuration for `ssh -F`, so that clones need no typing of key files and ports. */
  readonly config: string;
}

/** Makes the key pair of the walk-through's one user, once, and an ssh configuration that uses it. @throws when ssh-keygen fails. */
export async function createKeyFiles(directory: string, port: number, user: string): Promise<KeyFiles> {
  const privateKey = join(directory, user);
  const config = join(directory, 'config');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const known = await access(privateKey).then(
    () => true,
    () => false,
  );
  if (!known)
    await promisify(execFile)('ssh-keygen', [
      '-q',
      '-t',
      'ed25519',
      '-N',
      '',
      '-C',
      'weir walk-through',
      '-f',
      privateKey,
    ]);
  const quoted = (path: string) => `"${path}"`;
  const lines = [
    'Host localhost 127.0.0.1',
    `  Port ${port}`,
    `  User ${user}`,
    `  IdentityFile ${quoted(privateKey)}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${quoted(join(directory, 'known_hosts'))}`,
    '  StrictHostKeyChecking accept-new',
    '  LogLevel ERROR',
    '',
  ];
  await writeFile(config, lines.join('\n'), { mode: 0o600 });
  return { privateKey, config };
}
