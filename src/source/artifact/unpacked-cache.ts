import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Clock } from '../../base/clock.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { discard, exhaustion } from '../exhausted.ts';
import type { ArtifactError, ArtifactLocation, ArtifactReader, UnpackedArtifact } from './artifact.ts';
import { matchesDigest, parseDigest } from './digest.ts';
import { DEFAULT_TAR_LIMITS, readTar, type TarFile, type TarLimits } from './tar.ts';
import { type Contents, TreeWriter } from './write-tree.ts';

const unzip = promisify(gunzip);

/** A directory that nobody asked for this long is removed: far longer than any build may take. */
const IDLE_MS = 30 * 60_000;
/** What was found whole this long ago is looked at again before it is used: somebody may clean up old files of temporary folders. */
const WHOLE_MS = 10_000;
/** Directories kept in any case, so that a small installation never unpacks twice. */
const KEEP = 64;

export interface UnpackLimits extends TarLimits {
  /** Bytes of the compressed file. */
  readonly compressedBytes: number;
  /** Bytes after decompression. */
  readonly bytes: number;
}
/** fluxcd/pkg tar: DefaultMaxUntarSize is 100 MiB. */
export const DEFAULT_UNPACK_LIMITS: UnpackLimits = {
  ...DEFAULT_TAR_LIMITS,
  compressedBytes: 100 * 1024 * 1024,
  bytes: 100 * 1024 * 1024,
};

export interface ArtifactReaderOptions {
  /** Where directories are unpacked; created. Only this reader may write below it. */
  readonly cacheDirectory: string;
  readonly clock: Clock;
  /** Where this process would store the artifact of a URL itself; undefined where it would not. */
  readonly localFile?: (url: string) => string | undefined;
  readonly limits?: UnpackLimits;
}

/** A tree in a folder of its own that waits for its name. */
interface Unnamed {
  readonly temporary: string;
  readonly contents: Contents;
}

/** Makes a reader that keeps each digest's files in one directory, shared by all who ask for it. */
export async function openArtifactReader(options: ArtifactReaderOptions): Promise<ArtifactReader> {
  const limits = options.limits ?? DEFAULT_UNPACK_LIMITS;
  const root = options.cacheDirectory;
  await mkdir(root, { recursive: true, mode: 0o700 });
  // Digest -> when it was last asked for. What an earlier process left whole is used; what it left half-made is not.
  const used = new Map<string, number>();
  for (const name of await readdir(root)) {
    if (name.startsWith('tmp-')) await rm(join(root, name), { recursive: true, force: true });
    else used.set(name, options.clock.now());
  }
  const running = new Map<string, Promise<Result<UnpackedArtifact, ArtifactError>>>();
  const trees = new TreeWriter();
  const whole = new Map<string, { readonly print: Promise<string | undefined>; readonly checkedMs: number }>();

  /** Whether a directory still holds what was unpacked into it. */
  const isWhole = async (name: string): Promise<boolean> => {
    const known = whole.get(name);
    if (known !== undefined && options.clock.now() - known.checkedMs < WHOLE_MS) return exists(join(root, name));
    const print = await printTree(join(root, name));
    if (print === undefined || (known !== undefined && (await known.print) !== print)) return false;
    whole.set(name, { print: Promise.resolve(print), checkedMs: options.clock.now() });
    return true;
  };

  const drop = async (name: string): Promise<void> => {
    used.delete(name);
    whole.delete(name);
    trees.forget(join(root, name));
    const grave = await mkdtemp(join(root, 'tmp-'));
    await rename(join(root, name), join(grave, 'gone')).catch(() => {});
    await discard(grave);
  };

  const evict = async (): Promise<void> => {
    const oldest = [...used].sort((a, b) => a[1] - b[1]).slice(0, Math.max(0, used.size - KEEP));
    for (const [name, time] of oldest) {
      if (options.clock.now() - time < IDLE_MS) return;
      await drop(name);
    }
  };

  const load = async (artifact: ArtifactLocation): Promise<Result<readonly TarFile[], ArtifactError>> => {
    const bytes = await getBytes(artifact, options.localFile?.(artifact.url), limits.compressedBytes);
    if (!bytes.ok) return bytes;
    return refusing(await readArchive(bytes.value, limits));
  };

  /** Writes files into a tree that has no name yet. */
  const write = (load: () => Promise<Result<readonly TarFile[], ArtifactError>>) =>
    telling(async (): Promise<Result<Unnamed, ArtifactError>> => {
      const files = await load();
      if (!files.ok) return files;
      const temporary = await mkdtemp(join(root, 'tmp-'));
      try {
        return ok({ temporary, contents: await trees.write(join(temporary, 'tree'), files.value) });
      } catch (cause) {
        await discard(temporary);
        throw cause;
      }
    });

  const settle = (name: string, { temporary, contents }: Unnamed) =>
    telling(async (): Promise<Result<UnpackedArtifact, ArtifactError>> => {
      const directory = join(root, name);
      try {
        // What is left of an incomplete one goes before.
        if (used.has(name)) await drop(name);
        await rename(join(temporary, 'tree'), directory);
        used.set(name, options.clock.now());
        trees.remember(directory, contents);
        // Nobody waits for it: it is of use when the directory is looked at again.
        whole.set(name, { print: printTree(directory), checkedMs: options.clock.now() });
      } finally {
        await discard(temporary);
      }
      return ok({ directory });
    });

  /** Gives a tree its name; who asks for it meanwhile waits for the same. */
  const make = async (
    name: string,
    written: Promise<Result<Unnamed, ArtifactError>>,
  ): Promise<Result<UnpackedArtifact, ArtifactError>> => {
    const work = written
      .then((tree) => (tree.ok ? settle(name, tree.value) : tree))
      .finally(() => running.delete(name));
    running.set(name, work);
    const result = await work;
    if (result.ok) await evict();
    return result;
  };

  const isReady = async (name: string): Promise<boolean> => used.has(name) && (await isWhole(name));

  return {
    async files(artifact, signal) {
      signal?.throwIfAborted();
      return load(artifact);
    },

    async unpack(artifact, signal) {
      signal?.throwIfAborted();
      const name = nameOf(artifact);
      if (name === undefined) {
        return err({
          code: 'DigestMismatch',
          message: `artifact has no usable digest: ${JSON.stringify(artifact.digest)}`,
        });
      }
      if (await isReady(name)) {
        used.set(name, options.clock.now());
        return ok({ directory: join(root, name) });
      }
      const result = await (running.get(name) ??
        make(
          name,
          write(() => load(artifact)),
        ));
      signal?.throwIfAborted();
      return result;
    },

    stage(tar) {
      const written = write(async () => {
        return refusing(tar.length > limits.bytes ? tooMuch(limits) : readTar(tar, limits));
      });
      const drop = async (): Promise<void> => {
        const tree = await written.catch(() => undefined);
        if (tree?.ok === true) await discard(tree.value.temporary);
      };
      // Who takes it up hears of it.
      written.catch(() => undefined);
      return {
        async keep(artifact) {
          const name = nameOf(artifact);
          if (name === undefined || (await isReady(name)) || running.has(name)) await drop();
          else await make(name, written);
        },
        drop,
      };
    },
  };
}

function nameOf({ digest }: ArtifactLocation): string | undefined {
  const parsed = parseDigest(digest);
  return parsed === undefined ? undefined : `${parsed.algorithm}-${parsed.hex}`;
}

function refusing<T>(read: Result<T, string>): Result<T, ArtifactError> {
  return read.ok ? read : err({ code: 'Refused', message: `artifact refused: ${read.error}` });
}

/** Does what writes a tree; what stands in its way is told. */
async function telling<T>(work: () => Promise<Result<T, ArtifactError>>): Promise<Result<T, ArtifactError>> {
  try {
    return await work();
  } catch (cause) {
    // Two entries whose names differ only in case or normal form, on a file system that cannot tell them apart.
    if (isCode(cause, 'EEXIST') || isCode(cause, 'ENOTDIR') || isCode(cause, 'EISDIR')) {
      return err({ code: 'Refused', message: 'artifact refused: two entries have the same place' });
    }
    const exhausted = exhaustion(cause);
    if (exhausted === undefined) throw cause;
    return err({ code: 'Storage', message: `artifact cannot be unpacked: ${exhausted}` });
  }
}

/** Decompresses and reads an artifact's bytes within `limits`; errors are sentences. */
export async function readArchive(
  bytes: Uint8Array,
  limits: UnpackLimits = DEFAULT_UNPACK_LIMITS,
): Promise<Result<readonly TarFile[], string>> {
  let tar: Buffer;
  try {
    tar = await unzip(bytes, { maxOutputLength: limits.bytes });
  } catch (cause) {
    return isCode(cause, 'ERR_BUFFER_TOO_LARGE') ? tooMuch(limits) : err('archive is not gzip');
  }
  return readTar(tar, limits);
}

function tooMuch({ bytes }: UnpackLimits): Result<never, string> {
  return err(`archive is larger than ${bytes} bytes`);
}

/** The artifact's file: from this process' own store where it is there whole, else from its URL. */
async function getBytes(
  { url, digest }: ArtifactLocation,
  localFile: string | undefined,
  limit: number,
): Promise<Result<Uint8Array, ArtifactError>> {
  const stored = localFile === undefined ? undefined : await readStored(localFile, limit);
  if (stored !== undefined && matchesDigest(stored, digest)) return ok(stored);
  const downloaded = await download(url, limit);
  if (!downloaded.ok || matchesDigest(downloaded.value, digest)) return downloaded;
  return err({ code: 'DigestMismatch', message: `artifact digest is not ${digest}` });
}

async function readStored(file: string, limit: number): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(file);
    return size > limit ? undefined : await readFile(file);
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return undefined;
    throw cause;
  }
}

/** An artifact server that has not answered in full by then is taken for unreachable. */
const DOWNLOAD_TIMEOUT_MS = 60_000;
/** One that has not even begun by then hangs: its process sleeps, or its machine is gone. */
const ANSWER_TIMEOUT_MS = 5_000;

async function download(url: string, limit: number): Promise<Result<Uint8Array, ArtifactError>> {
  if (!/^https?:\/\//.test(url)) return err({ code: 'Unreachable', message: 'artifact URL is not HTTP' });
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(new Error('no answer')), ANSWER_TIMEOUT_MS);
  try {
    const signal = AbortSignal.any([silent.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]);
    const response = await fetch(url, { redirect: 'error', signal });
    clearTimeout(timer);
    if (response.status === 404) {
      await response.body?.cancel();
      return err({ code: 'NotFound', message: 'artifact not found' });
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      return err({ code: 'Unreachable', message: `failed to download artifact, status: ${response.status}` });
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > limit) return tooLarge(limit);
      chunks.push(chunk);
    }
    return ok(Buffer.concat(chunks));
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : '';
    return err({ code: 'Unreachable', message: `failed to download artifact: ${reason}` });
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(limit: number): Result<never, ArtifactError> {
  return err({ code: 'Refused', message: `artifact refused: it is larger than ${limit} bytes` });
}

/**
 * Tells a directory from one of which anything was removed or to which anything was added: the change times of all that are in it, which
 * nobody can set. Undefined when it cannot be read.
 */
async function printTree(root: string): Promise<string | undefined> {
  try {
    const { ctimeMs } = await stat(root);
    const parts = [`${ctimeMs}`];
    for (const entry of await readdir(root, { withFileTypes: true })) {
      if (entry.isDirectory()) parts.push(entry.name, (await printTree(join(root, entry.name))) ?? 'gone');
    }
    return parts.join(' ');
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
