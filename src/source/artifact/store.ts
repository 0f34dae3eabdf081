import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Artifact } from './artifact.ts';
import { type DigestAlgorithm, digestOf, matchesDigest } from './digest.ts';

/** Flux's `--artifact-retention-ttl`, `--artifact-retention-records`, and the walk's limit. Source: source-controller@1.9 main.go. */
const RETENTION_TTL_MS = 60_000;
const RETENTION_RECORDS = 2;
const WALK_LIMIT = 1000;
/** Of a digest, in the name of a file whose usual name another store has given to other bytes. */
const OTHER_NAME_LENGTH = 16;
/** How the names of files that are being written end. */
const TEMPORARY = '.tmp';

/** Names the object whose artifact it is. */
export interface ArtifactOwner {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface ArtifactStoreOptions {
  /** `--storage-path`; created. */
  readonly directory: string;
  /** `--storage-adv-addr`, without scheme: `source-controller.flux-system.svc.cluster.local.` or `127.0.0.1:9090`. */
  readonly advertisedAddress: string;
  readonly clock: Clock;
  readonly digestAlgorithm?: DigestAlgorithm;
  readonly retentionTtlMs?: number;
  readonly retentionRecords?: number;
}

/** Artifacts on disk: `<directory>/<kind>/<namespace>/<name>/<file>`, written whole or not at all. */
export interface ArtifactStore {
  readonly directory: string;
  /**
   * Stores `bytes` under the owner's `file` name and returns its record. `lost` is what was on record and is not in this store:
   * another engine's store may still have it, so that other bytes never get its path, and the same bytes keep it.
   */
  put(owner: ArtifactOwner, file: string, revision: string, bytes: Uint8Array, lost?: Artifact): Promise<Artifact>;
  /** Whether the stored file is still there and has its digest. The file is read once per change on disk. */
  check(artifact: Artifact): Promise<'stored' | 'missing' | 'corrupt'>;
  read(artifact: Artifact): Promise<Uint8Array>;
  /** The same artifact with the URL that this store advertises now. */
  withCurrentUrl(artifact: Artifact): Artifact;
  /**
   * The file that this store has, or would have, at a URL's path; undefined for a path outside of it. The host does not count: after
   * a restart under another address consumers still hold the old URL. Only the digest tells that a file is the one meant.
   */
  localFile(url: string): string | undefined;
  remove(artifact: Artifact): Promise<void>;
  /** Removes everything of an owner; false when there was nothing. */
  removeAll(owner: ArtifactOwner): Promise<boolean>;
  /** Removes the owner's files beside the current one that are too old or too many; returns how many. */
  collectGarbage(current: Artifact): Promise<number>;
}

export async function openArtifactStore(options: ArtifactStoreOptions): Promise<ArtifactStore> {
  const root = resolve(options.directory);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const base = `http://${options.advertisedAddress}/`;
  const local = (path: string): string => {
    const file = resolve(root, path);
    if (!file.startsWith(root + sep)) throw new Error(`artifact path leaves the store: ${path}`);
    return file;
  };
  // Path -> what its file was when its digest was last found right.
  const verified = new Map<string, string>();
  const fingerprint = async (file: string): Promise<string | undefined> => {
    try {
      const { size, mtimeMs, ino } = await stat(file);
      return `${size}:${mtimeMs}:${ino}`;
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw cause;
    }
  };

  return {
    directory: root,

    async put(owner, file, revision, bytes, lost) {
      const digest = digestOf(bytes, options.digestAlgorithm);
      const path = choosePath(ownerPath(owner), fileName(file), digest, lost);
      const target = local(path);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeWhole(target, bytes);
      verified.set(path, `${digest} ${await fingerprint(target)}`);
      return {
        url: base + path,
        path,
        revision,
        digest,
        lastUpdateTime: `${new Date(options.clock.now()).toISOString().slice(0, 19)}Z`,
        size: bytes.length,
      };
    },

    async check(artifact) {
      const file = local(artifact.path);
      const seen = await fingerprint(file);
      if (seen === undefined) return 'missing';
      const mark = `${artifact.digest} ${seen}`;
      if (verified.get(artifact.path) === mark) return 'stored';
      if (!matchesDigest(await readFile(file), artifact.digest)) return 'corrupt';
      verified.set(artifact.path, mark);
      return 'stored';
    },

    read: (artifact) => readFile(local(artifact.path)),

    withCurrentUrl(artifact) {
      const url = base + artifact.path;
      return artifact.url === url ? artifact : { ...artifact, url };
    },

    localFile(url) {
      const path = /^https?:\/\/[^/]+\/([^?#]+)$/.exec(url)?.[1];
      if (path === undefined) return undefined;
      const file = resolve(root, path);
      return file.startsWith(root + sep) ? file : undefined;
    },

    async remove(artifact) {
      verified.delete(artifact.path);
      await rm(local(artifact.path), { force: true });
    },

    async removeAll(owner) {
      const path = ownerPath(owner);
      for (const known of verified.keys()) if (known.startsWith(`${path}/`)) verified.delete(known);
      const directory = local(path);
      if ((await fingerprint(directory)) === undefined) return false;
      await rm(directory, { recursive: true, force: true });
      return true;
    },

    async collectGarbage(current) {
      const directory = dirname(local(current.path));
      const keep = local(current.path);
      const ttl = options.retentionTtlMs ?? RETENTION_TTL_MS;
      const records = options.retentionRecords ?? RETENTION_RECORDS;
      const files: { readonly file: string; readonly time: number }[] = [];
      // What a process that was killed has left.
      const halves: typeof files = [];
      for (const name of (await listDirectory(directory)).slice(0, WALK_LIMIT)) {
        const file = join(directory, name);
        if (file === keep) continue;
        const found = await stat(file).catch(() => undefined);
        if (found?.isFile() !== true) continue;
        (name.endsWith(TEMPORARY) ? halves : files).push({ file, time: found.mtimeMs });
      }
      files.sort((a, b) => b.time - a.time);
      const now = options.clock.now();
      const old = ({ time }: { readonly time: number }): boolean => now - time > ttl;
      for (const { file } of halves.filter(old)) await rm(file, { force: true });
      const garbage = files.filter((file, index) => old(file) || index >= records - 1);
      for (const { file } of garbage) {
        verified.delete(file.slice(root.length + 1));
        await rm(file, { force: true });
      }
      return garbage.length;
    },
  };
}

function choosePath(directory: string, file: string, digest: string, lost: Artifact | undefined): string {
  const path = `${directory}/${file}`;
  if (lost === undefined) return path;
  const hex = digest.slice(digest.indexOf(':') + 1);
  // What a status says is no name to write to, unless it is one of ours.
  const other = `${directory}/${hex.slice(0, OTHER_NAME_LENGTH)}-${file}`;
  if (lost.digest === digest && lost.path === other) return other;
  return lost.digest !== digest && lost.path === path ? other : path;
}

function ownerPath({ kind, namespace, name }: ArtifactOwner): string {
  return [kind.toLowerCase(), namespace, name].map(fileName).join('/');
}

/** One step of a path; Kubernetes' names and hashes pass, nothing that could climb does. */
function fileName(step: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(step))
    throw new Error(`not a name for an artifact: ${JSON.stringify(step)}`);
  return step;
}

/** Writes beside the target, syncs, and renames: a reader or a crash sees the old file or the new one. */
async function writeWhole(target: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${target}.${randomBytes(6).toString('hex')}${TEMPORARY}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
    await handle.close();
    await rename(temporary, target);
  } catch (cause) {
    await handle.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw cause;
  }
}

async function listDirectory(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw cause;
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
}
