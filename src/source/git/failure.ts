import { type GitUrl, printGitUrl } from './url.ts';

/**
 * What git's error output means, in go-git's words where the case has them (they are what Flux shows), else git's own
 * without its decoration. `corrupt` is about our own copy, not about the server.
 */
export interface GitFailure {
  readonly kind: 'remote' | 'missing-ref' | 'object-format' | 'unadvertised' | 'corrupt';
  readonly message: string;
}

const MAX_MESSAGE = 2000;

/** Reads git's standard error (LC_ALL=C). `secrets` never appear in the message. */
export function explain(stderr: string, url: GitUrl, secrets: readonly (string | undefined)[]): GitFailure {
  const lines = mask(stderr, secrets)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const has = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  const first = (pattern: RegExp): string | undefined =>
    lines.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
  const told = lines.flatMap((line) => /^remote: (.*)$/.exec(line)?.[1]?.trim() ?? []).join(' ');
  const remote = (message: string): GitFailure => ({ kind: 'remote', message: message.slice(0, MAX_MESSAGE) });

  const missing = first(/couldn't find remote ref (.*)$/);
  if (missing !== undefined)
    return { kind: 'missing-ref', message: `couldn't find remote ref ${JSON.stringify(missing)}` };
  if (has(/mismatched algorithms/)) return { kind: 'object-format', message: 'the object format has changed' };
  if (has(/not our ref|unadvertised object|want .* not valid/))
    return { kind: 'unadvertised', message: 'object not found' };
  if (has(/REMOTE HOST IDENTIFICATION HAS CHANGED/)) return remote('ssh: handshake failed: knownhosts: key mismatch');
  if (has(/host key is known for|No .* host key is known/))
    return remote('ssh: handshake failed: knownhosts: key is unknown');
  if (has(/Host key verification failed/)) return remote('ssh: handshake failed: knownhosts: key is unknown');
  if (has(/Permission denied \(/)) {
    return remote(
      'ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain',
    );
  }
  if (has(/could not read (Username|Password)|Authentication failed for|error: 401/)) {
    return remote(`authentication required: ${told === '' ? 'authentication required' : told}`);
  }
  if (has(/error: 403/)) return remote(`authorization failed: ${told}`);
  if (has(/^fatal: repository '.*' not found/)) return remote(`repository not found: ${told}`);
  const http = first(/The requested URL returned error: (\d+.*)$/);
  if (http !== undefined) return remote(`unexpected client error: status code: ${http}`);
  const local = first(
    /(Unable to create '.*\.lock'|object file .* is empty|bad object .*|did not send all necessary objects|unable to (?:read|find) .*|.* is corrupt|not a git repository.*|loose object .*)/i,
  );
  if (local !== undefined) return { kind: 'corrupt', message: local.slice(0, MAX_MESSAGE) };
  const plain = lines
    .filter((line) => !/^(Please make sure you have|and the repository exists|Warning: Permanently added)/.test(line))
    .map((line) => line.replace(/^(fatal|error|ssh|remote): /, ''))
    .filter((line) => line !== 'Could not read from remote repository.');
  return remote(plain.length === 0 ? 'connection closed by the server' : plain.join('; '));
}

/** What a deadline that passed is called. Source: Go's net/http and context. */
export function deadlineMessage(url: GitUrl): string {
  if (url.scheme === 'ssh') return 'context deadline exceeded';
  return `Get "${printGitUrl(url)}/info/refs?service=git-upload-pack": context deadline exceeded`;
}

function mask(text: string, secrets: readonly (string | undefined)[]): string {
  let masked = text;
  for (const secret of secrets) {
    if (secret === undefined || secret.length < 3) continue;
    masked = masked.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  }
  return masked.replace(/(https?:\/\/)[^/@\s]+@/g, '$1');
}
