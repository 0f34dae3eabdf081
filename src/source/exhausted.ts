import { rm } from 'node:fs/promises';

/** What a system says when it has no more of something, or lets nothing be written: an outage to tell, not a bug. */
const CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO', 'EFBIG', 'EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

/** The message of such an error; undefined for any other. */
export function exhaustion(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') return undefined;
  return CODES.has(cause.code) ? cause.message : undefined;
}

/** Removes what is of no use any more. Where nothing can be removed it stays, for who finds it by its name later: no reason to fail. */
export async function discard(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (cause) {
    if (exhaustion(cause) === undefined) throw cause;
  }
}
