import { Buffer } from 'node:buffer';
import { utf8Text } from '../../base/files.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { decryptValue } from './cipher.ts';
import { dataKeyOf, type KeyRing } from './data-key.ts';
import { decryptTree } from './decrypt-tree.ts';
import { readDotenv, writeDotenv } from './format-dotenv.ts';
import { readIni, writeIni } from './format-ini.ts';
import { readJson, writeJson } from './format-json.ts';
import { readYaml, writeYaml } from './format-yaml.ts';
import { FORMAT_NAMES, type Format } from './formats.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { type Branch, isBranch, valueOf } from './tree.ts';

/** Larger files are not decrypted. Source: kustomize-controller@1.9 maxEncryptedFileSize. */
export const MAX_ENCRYPTED_BYTES: number = 5 * 1024 * 1024;

export interface DecryptOptions {
  readonly input: Format;
  readonly output: Format;
  /**
   * Whether the file must be as it was when it was encrypted. Objects that a build has changed cannot be checked: their encrypted
   * values are still bound to their places.
   */
  readonly checkMac: boolean;
}

/** Decrypts a file that sops encrypted. Errors are worded as Flux's and hold no value of the file. Source: sops@3.13 decrypt/decrypt.go. */
export async function decryptFile(
  content: Uint8Array,
  ring: KeyRing,
  options: DecryptOptions,
): Promise<Result<Uint8Array, string>> {
  const { input, output } = options;
  if (content.length > MAX_ENCRYPTED_BYTES) {
    return err(`cannot decrypt file with size (${content.length} bytes) exceeding limit (${MAX_ENCRYPTED_BYTES})`);
  }
  const text = utf8Text(content);
  const loaded = text === undefined ? err('the text is not UTF-8') : load(text, input);
  if (!loaded.ok) return err(`failed to load encrypted ${FORMAT_NAMES[input]} data: ${loaded.error}`);
  const plain = await decryptDocuments(loaded.value, ring, options.checkMac);
  if (!plain.ok) return plain;
  const out = emit(plain.value, output);
  if (out.ok) return out;
  return err(`failed to emit encrypted ${FORMAT_NAMES[input]} file as decrypted ${FORMAT_NAMES[output]}: ${out.error}`);
}

/** Documents with their metadata taken out. */
export interface Encrypted {
  readonly documents: readonly Branch[];
  readonly metadata: Metadata;
}

export async function decryptDocuments(
  { documents, metadata }: Encrypted,
  ring: KeyRing,
  checkMac: boolean,
): Promise<Result<readonly Branch[], string>> {
  const key = await dataKeyOf(metadata, ring);
  if (!key.ok) return err(`cannot get sops data key: ${key.error}`);
  const plain = decryptTree(documents, metadata, key.value);
  if (!plain.ok) return err(`error decrypting sops tree: ${plain.error}`);
  if (checkMac) {
    const problem = macProblem(metadata, key.value, plain.value.mac);
    if (problem !== undefined) return err(`failed to verify sops data integrity: ${problem}`);
  }
  return ok(plain.value.documents);
}

function macProblem(metadata: Metadata, key: Uint8Array, computed: string): string | undefined {
  const stored = decryptValue(metadata.mac, key, metadata.lastModified);
  if (!stored.ok) return stored.error;
  if (stored.value === computed) return undefined;
  return `expected mac '${typeof stored.value === 'string' && stored.value !== '' ? stored.value : 'no MAC'}', got '${computed}'`;
}

function load(text: string, format: Format): Result<Encrypted, string> {
  const read = readAs(text, format);
  return read.ok ? takeMetadata(read.value) : read;
}

function readAs(text: string, format: Format): Result<readonly Branch[], string> {
  try {
    if (format === 'yaml') return readYaml(text);
    const read = format === 'dotenv' ? readDotenv(text) : format === 'ini' ? readIni(text) : readJson(text);
    return read.ok ? ok([read.value]) : read;
  } catch (failure) {
    // Nesting or aliases without bounds.
    if (failure instanceof RangeError) return err(failure.message);
    throw failure;
  }
}

/** Source: sops@3.13 stores/metadata.go ExtractMetadata. */
export function takeMetadata(documents: readonly Branch[]): Result<Encrypted, string> {
  const sops = documents[0] === undefined ? undefined : valueOf(documents[0], 'sops');
  if (sops === undefined) return err('sops metadata not found');
  if (sops === null || typeof sops !== 'object' || !isBranch(sops))
    return err('Found sops entry that is not a mapping');
  const metadata = readMetadata(sops);
  if (!metadata.ok) return metadata;
  const rest = documents.map(({ items }) => ({ items: items.filter(({ key }) => key !== 'sops') }));
  return ok({ documents: rest, metadata: metadata.value });
}

function emit(documents: readonly Branch[], format: Format): Result<Uint8Array, string> {
  const [first] = documents;
  if (first === undefined) return err('there is no document');
  switch (format) {
    case 'yaml':
      return ok(Buffer.from(writeYaml(documents), 'utf8'));
    case 'json':
      return ok(Buffer.from(writeJson(first), 'utf8'));
    case 'dotenv':
      return bytes(writeDotenv(first));
    case 'ini':
      return bytes(writeIni(first));
    case 'binary': {
      const data = valueOf(first, 'data');
      if (typeof data === 'string') return ok(Buffer.from(data, 'utf8'));
      if (data instanceof Uint8Array) return ok(data);
      return err(
        data === undefined
          ? 'error emitting binary store: no binary data found in tree'
          : "error emitting binary store: 'data' key in tree does not have a string value",
      );
    }
  }
}

function bytes(text: Result<string, string>): Result<Uint8Array, string> {
  return text.ok ? ok(Buffer.from(text.value, 'utf8')) : text;
}
