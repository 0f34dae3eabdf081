import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import { discard } from '../exhausted.ts';
import { run } from './run.ts';

export interface Signed {
  /** Armoured; undefined for an object that is not signed. */
  readonly signature: string | undefined;
  readonly payload: string;
  readonly kind: 'commit' | 'tag';
}

/** Where the programs that check signatures run. */
export interface SignatureWorkplace {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Checks a signature against the public keys of a Secret (`*.sshpub` for SSH, everything else OpenPGP).
 * The value is the key's name: the long id of an OpenPGP key, the `SHA256:` fingerprint of an SSH one.
 * Fails closed: whatever is not a good signature by one of the keys is an error. Uses `gpg` or `ssh-keygen`.
 */
export async function verifySignature(
  signed: Signed,
  keys: Readonly<Record<string, string>>,
  workplace: SignatureWorkplace,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const { signature } = signed;
  if (signature === undefined || signature.trim() === '') return err('unsupported signature type: empty');
  const directory = await mkdtemp(join(workplace.directory, 'verify-'));
  try {
    await writeFile(join(directory, 'signature'), `${signature.trimEnd()}\n`, { mode: 0o600 });
    await writeFile(join(directory, 'payload'), signed.payload, { mode: 0o600 });
    const place: SignatureWorkplace = { directory, env: workplace.env };
    if (/^-----BEGIN PGP (SIGNATURE|MESSAGE)-----/.test(signature)) return await verifyPgp(signed, keys, place, signal);
    if (signature.startsWith('-----BEGIN SSH SIGNATURE-----')) return await verifySsh(signed, keys, place, signal);
    return err('unsupported signature type: unknown');
  } finally {
    await discard(directory);
  }
}

async function verifyPgp(
  { kind }: Signed,
  keys: Readonly<Record<string, string>>,
  { directory, env }: SignatureWorkplace,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const what = `unable to verify Git ${kind}: unable to verify payload with any of the given key rings`;
  const home = join(directory, 'gnupg');
  await mkdir(home, { mode: 0o700 });
  const gpg = ['--homedir', home, '--batch', '--no-tty', '--no-options', '--no-autostart', '--trust-model', 'always'];
  gpg.push('--no-default-keyring', '--keyring', join(directory, 'keys.gpg'));
  const options = { cwd: directory, env, signal };
  const keyring = Object.entries(keys).flatMap(([name, text]) => (name.endsWith('.sshpub') ? [] : dearmor(text)));
  if (keyring.length === 0) return err(`${what}: no matching key`);
  await writeFile(join(directory, 'keys.gpg'), Buffer.concat(keyring), { mode: 0o600 });
  const result = await run('gpg', [...gpg, '--status-fd', '1', '--verify', 'signature', 'payload'], options);
  if (result.code === -1) return err(`unable to verify Git ${kind}: ${result.stderr.slice(0, 500)}`);
  const status = result.stdout
    .toString('utf8')
    .split('\n')
    .map((line) => line.replace(/^\[GNUPG:\] /, ''));
  const of = (keyword: string): string | undefined => status.find((line) => line.startsWith(`${keyword} `));
  // GOODSIG alone would not do: an expired or revoked key, or a second bad signature, is told beside it.
  const bad = status.find((line) => /^(BADSIG|ERRSIG|EXPSIG|EXPKEYSIG|REVKEYSIG|NO_PUBKEY) /.test(line));
  const valid = of('VALIDSIG');
  if (result.code === 0 && bad === undefined && valid !== undefined) {
    // The last field is the primary key's fingerprint; Flux names the primary key. Source: fluxcd/pkg git/signatures.
    const fingerprint = valid.split(' ').at(-1) ?? '';
    if (/^[0-9A-F]{40,64}$/.test(fingerprint))
      return ok(fingerprint.slice(fingerprint.length === 40 ? -16 : 0).slice(0, 16));
  }
  const reason = bad?.split(' ')[0] ?? '';
  if (reason === 'NO_PUBKEY' || reason === 'ERRSIG' || reason === '') return err(`${what}: no matching key`);
  const reasons: Readonly<Record<string, string>> = {
    BADSIG: 'the signature does not match',
    EXPSIG: 'the signature has expired',
    EXPKEYSIG: 'the key has expired',
    REVKEYSIG: 'the key is revoked',
  };
  return err(`${what}: ${reasons[reason] ?? 'no matching key'}`);
}

/** Bytes of each armoured block of public keys. Source: RFC 9580, section 6. */
function dearmor(text: string): readonly Buffer[] {
  const blocks = text.matchAll(/-----BEGIN PGP PUBLIC KEY BLOCK-----([^]*?)-----END PGP PUBLIC KEY BLOCK-----/g);
  return [...blocks].map(([, block = '']) => {
    const body = block
      .replaceAll('\r', '')
      .replace(/^[^]*?\n[ \t]*\n/, '')
      .replace(/\n=[A-Za-z0-9+/]{4}\s*$/, '');
    return Buffer.from(body, 'base64');
  });
}

/** Git signs under this name, so that a signature for another purpose does not pass. Source: git gpg-interface.c. */
const NAMESPACE = 'git';

async function verifySsh(
  { kind, payload }: Signed,
  keys: Readonly<Record<string, string>>,
  { directory, env }: SignatureWorkplace,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const lines = Object.entries(keys)
    .filter(([name]) => name.endsWith('.sshpub'))
    .flatMap(([, text]) => text.split('\n'))
    .map((line) => /^\s*((?:ssh|ecdsa|sk)-\S+) ([A-Za-z0-9+/=]+)/.exec(line))
    .filter((match) => match !== null);
  const failed = `unable to verify Git ${kind} SSH signature: unable to verify payload with any of the given authorized keys`;
  if (lines.length === 0) return err(`${failed}: no matching key`);
  const signers = lines.map(([, type, key]) => `signer namespaces="${NAMESPACE}" ${type} ${key}\n`).join('');
  await writeFile(join(directory, 'signers'), signers, { mode: 0o600 });
  const args = ['-Y', 'verify', '-f', 'signers', '-I', 'signer', '-n', NAMESPACE, '-s', 'signature'];
  const result = await run('ssh-keygen', args, { cwd: directory, env, signal, input: payload });
  if (result.code === -1 && result.stdout.length === 0) return err(`${failed}: ${result.stderr.trim().slice(0, 500)}`);
  const fingerprint = /^Good "git" signature .* with \S+ key (SHA256:\S+)/m.exec(result.stdout.toString('utf8'))?.[1];
  if (result.code !== 0 || fingerprint === undefined) return err(`${failed}: no matching key`);
  const known = lines.some(([, , key = '']) => fingerprintOf(key) === fingerprint);
  return known ? ok(fingerprint) : err(`${failed}: no matching key`);
}

function fingerprintOf(key: string): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;
}
