import type { GitObject } from './object-memory.ts';

/** A commit as it lies in the repository. */
export interface GitCommit {
  readonly hash: string;
  readonly tree: string;
  readonly message: string;
  /** Seconds since the epoch. */
  readonly committedAtS: number;
  /** Armoured; undefined for an unsigned commit. */
  readonly signature: string | undefined;
  /** What the signature is about. */
  readonly payload: string;
}

/** An annotated tag. `name` is the reference's. */
export interface GitTag {
  readonly name: string;
  readonly hash: string;
  readonly signature: string | undefined;
  readonly payload: string;
}

/** Reads a commit object; undefined when it is none. Source: git Documentation/gitformat-signature. */
export function parseCommit({ hash, type, content }: GitObject): GitCommit | undefined {
  if (type !== 'commit') return undefined;
  const text = content.toString('utf8');
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  const headers: string[] = [];
  for (const line of head.split('\n')) {
    if (line.startsWith(' ') && headers.length > 0) headers[headers.length - 1] += `\n${line.slice(1)}`;
    else headers.push(line);
  }
  const value = (key: string): string | undefined =>
    headers.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1);
  const tree = value('tree');
  if (tree === undefined || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(tree)) return undefined;
  const time = Number(/> (\d+) [-+]\d+$/.exec(value('committer') ?? '')?.[1] ?? '0');
  const signature = value(hash.length === 64 ? 'gpgsig-sha256' : 'gpgsig') ?? value('gpgsig');
  return {
    hash,
    tree,
    message: end < 0 ? '' : text.slice(end + 2),
    committedAtS: time,
    signature,
    payload: withoutSignature(text),
  };
}

function withoutSignature(text: string): string {
  const end = text.indexOf('\n\n');
  const lines = (end < 0 ? text : text.slice(0, end)).split('\n');
  let dropping = false;
  const kept = lines.filter((line) => {
    dropping = /^gpgsig(-sha256)? /.test(line) || (dropping && line.startsWith(' '));
    return !dropping;
  });
  return kept.join('\n') + (end < 0 ? '' : text.slice(end));
}

/** Reads an annotated tag; undefined for any other object. */
export function parseTag(name: string, { hash, type, content }: GitObject): GitTag | undefined {
  if (type !== 'tag') return undefined;
  const text = content.toString('utf8');
  const begin = /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE)-----$/m.exec(text)?.index;
  if (begin === undefined) return { name, hash, signature: undefined, payload: text };
  return { name, hash, signature: text.slice(begin), payload: text.slice(0, begin) };
}

const SUBJECT_LENGTH = 50;

/** First line of a message, cut as Flux does it in events. Source: fluxcd/pkg git/git.go ShortMessage. */
export function shortMessage(message: string): string {
  const subject = Array.from(message.split('\n', 1)[0] ?? '');
  return subject.length <= SUBJECT_LENGTH ? subject.join('') : `${subject.slice(0, SUBJECT_LENGTH).join('')}...`;
}
