import { createWriteStream, renameSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { ClusterAccess } from './kubeconfig.ts';

/** Writes the state of a running cluster to `file`, whole or not at all. @throws when the cluster or the disk refuses. */
export async function downloadSnapshot(access: ClusterAccess, file: string): Promise<void> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const { url, authority: ca, certificate: cert, key } = access;
    get(`${url}/weir/snapshot`, { ca, cert, key, agent: false }, resolve).on('error', reject);
  });
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`the cluster gave no snapshot: ${response.statusCode}`);
  }
  const part = `${file}.part`;
  try {
    await pipeline(response, createWriteStream(part, { mode: 0o600, flush: true }));
    renameSync(part, file);
  } catch (cause) {
    rmSync(part, { force: true });
    throw cause;
  }
}
