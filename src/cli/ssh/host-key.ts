import { err, ok, type Result } from '../../base/result.ts';

/** How long a host may take for its part of the handshake. Source: fluxcd/flux2@v2 pkg/manifestgen/sourcesecret. */
const SCAN_TIMEOUT_MS = 30_000;

/** Order of preference of golang.org/x/crypto/ssh, so that the same key is kept as with Flux. */
const HOST_KEY_ALGORITHMS = [
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-256',
  'rsa-sha2-512',
  'ssh-rsa',
  'ssh-ed25519',
] as const;

/** The host as a known_hosts file names it: with brackets when the port is not 22. */
export function knownHost(host: string, port: number): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (port !== 22) return `[${bare}]:${port}`;
  return bare.includes(':') ? `[${bare}]` : bare;
}

/**
 * Asks an SSH server for its host key and gives the known_hosts line, without a line break. Nothing but the key exchange
 * happens: no user name is sent. The key is trusted on first use, which is the user's decision to make.
 */
export async function scanHostKey(host: string, port: number): Promise<Result<string, string>> {
  const { Client } = (await import('ssh2')).default;
  const client = new Client();
  return await new Promise((resolve) => {
    let scanned: Result<string, string> | undefined;
    const end = (result: Result<string, string>): void => {
      scanned ??= result;
      resolve(scanned);
      client.destroy();
    };
    client.on('error', (error) => end(err(`SSH key scan for host ${host}:${port} failed, error: ${error.message}`)));
    client.on('close', () => end(err(`SSH key scan for host ${host}:${port} failed, error: connection closed`)));
    client.connect({
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port,
      username: 'git',
      readyTimeout: SCAN_TIMEOUT_MS,
      algorithms: { serverHostKey: [...HOST_KEY_ALGORITHMS] },
      hostVerifier: (key: Buffer) => {
        const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
        end(ok(`${knownHost(host, port)} ${type} ${key.toString('base64')}`));
        return false;
      },
    });
  });
}
