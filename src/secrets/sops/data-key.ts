import { err, ok, type Result } from '../../base/result.ts';
import { isServiceKey, type KeyType, type Metadata, type ServiceKey, type WrappedKey } from './metadata.ts';
import { combine } from './shamir.ts';

/** `refused`: the key cannot be opened. `closed`: a service has to open it first. */
export interface KeyFailure {
  readonly code: 'refused' | 'closed';
  readonly message: string;
}

/** Opens wrapped data keys. */
export interface KeyRing {
  unwrap(key: WrappedKey): Promise<Result<Uint8Array, KeyFailure>>;
  /** Asks that one of these, which are tried in their order, be opened by a service before the files are read again. */
  request(alternatives: readonly ServiceKey[]): void;
  /** What was asked for. Where it is not empty, errors met meanwhile do not count. */
  readonly requested: readonly (readonly ServiceKey[])[];
}

/** sops tries these first. Source: sops@3.13 sops.go DefaultDecryptionOrder. */
const FIRST: readonly KeyType[] = ['age', 'pgp'];

/** Failures told of one group: a file may have a thousand recipients. */
const MAX_TOLD = 20;

interface Failure {
  readonly key: WrappedKey;
  readonly message: string;
}

type GroupResult = Result<Uint8Array, readonly Failure[]>;

/** The key that the file's values are encrypted with. The error is sops's, for a reader. Source: sops@3.13 sops.go, usererrors.go. */
export async function dataKeyOf(metadata: Metadata, ring: KeyRing): Promise<Result<Uint8Array, string>> {
  const results: GroupResult[] = [];
  for (const group of metadata.groups) results.push(await openGroup(group, ring));
  const parts = results.flatMap((result) => (result.ok ? [result.value] : []));
  if (metadata.groups.length === 1) {
    const [whole] = parts;
    return whole === undefined ? err(explain(results, 0)) : ok(whole);
  }
  const needed = metadata.shamirThreshold === 0 ? metadata.groups.length : metadata.shamirThreshold;
  if (parts.length < needed) return err(explain(results, needed));
  const whole = combine(parts);
  return whole.ok ? whole : err(`could not get data key from shamir parts: ${whole.error}`);
}

async function openGroup(group: readonly WrappedKey[], ring: KeyRing): Promise<GroupResult> {
  const failures: Failure[] = [];
  const rank = ({ type }: WrappedKey): number => (FIRST.includes(type) ? FIRST.indexOf(type) : FIRST.length);
  const ordered = [...group].sort((a, b) => rank(a) - rank(b));
  for (const [index, key] of ordered.entries()) {
    const opened = await ring.unwrap(key);
    if (opened.ok) return opened;
    failures.push({ key, message: opened.error.message });
    if (opened.error.code === 'closed') {
      ring.request(ordered.slice(index).filter(isServiceKey));
      break;
    }
  }
  return err(failures);
}

function explain(results: readonly GroupResult[], needed: number): string {
  const groups = results.map((result, index) => {
    if (result.ok) return `Group ${index}: SUCCESS`;
    const told = result.error.slice(0, MAX_TOLD).map(explainKey);
    const left = result.error.length - MAX_TOLD;
    if (left > 0) told.push(`and ${left} more keys: FAILED`);
    return `Group ${index}: FAILED\n${prefixed(told.join('\n\n'), '  ')}`;
  });
  const got = results.filter((result) => result.ok).length;
  const trailer =
    needed === 0
      ? 'Recovery failed because no master key was able to decrypt the file. In order for SOPS to recover the file, at least one key has to be successful, but none were.'
      : `Recovery failed because the file was encrypted with a Shamir threshold of ${needed}, but only ${got} part(s) were successfully recovered, one for each successful key group. In order for SOPS to recover the file, at least ${needed} groups have to be successful. In order for a group to be successful, decryption has to succeed with any of the keys in that key group.`;
  return `Failed to get the data key required to decrypt the SOPS file.\n\n${groups.join('\n\n')}\n\n${wrapped(trailer, 75)}`;
}

function explainKey({ key, message }: Failure): string {
  const [first = '', ...rest] = wrapped(message, 60).split('\n');
  const lines = [`- | ${first}`, ...rest.map((line) => `  | ${line}`)];
  return `${key.name}: FAILED\n${prefixed(lines.join('\n'), '  ')}`;
}

function prefixed(text: string, prefix: string): string {
  return text.replace(/^/gm, prefix);
}

function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
