import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import ssh2 from 'ssh2';

/** Reads the server's private key, or makes an ed25519 one (mode 0600) where the file is missing. */
export async function hostKey(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause;
  }
  const key = makeKey();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, key, { mode: 0o600, flag: 'wx' });
  return key;
}

/** About one in a thousand of the ed25519 keys that ssh2@1.17 writes cannot be read back, by it or by OpenSSH: then it is made again. */
function makeKey(): string {
  for (;;) {
    const { private: key } = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'weir git server' });
    if (!(ssh2.utils.parseKey(key) instanceof Error)) return key;
  }
}
