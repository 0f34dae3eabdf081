/** What a system says when it has no more of something, or lets nothing be written: an outage to tell, not a bug. */
const CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO', 'EFBIG', 'EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

/** The message of such an error; undefined for any other. */
export function exhaustion(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string') return undefined;
  return CODES.has(cause.code) ? cause.message : undefined;
}
