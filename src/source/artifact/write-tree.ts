import { createHash } from 'node:crypto';
import { link, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inParallel } from '../../base/in-parallel.ts';
import type { TarFile } from './tar.ts';

/** Files written at a time: one by one, most of the time would pass between the steps of each. */
const WRITES_AT_ONCE = 16;
/** Larger files are written rather than looked up: they are few, and hashing them takes as long. */
const MAX_SHARED_BYTES = 256 * 1024;
/** Files of earlier trees that are remembered; a quarter of a kilobyte each. */
const MAX_REMEMBERED = 20_000;

/** Files of a tree by what they hold. */
export type Contents = ReadonlyMap<string, string>;

/**
 * Writes trees of read-only files. A file that a tree before has just so is linked to it: what a new revision costs grows with what it
 * changes, not with the repository.
 */
export class TreeWriter {
  /** By root, the oldest first. */
  readonly #trees = new Map<string, Contents>();

  /** Writes files below `root`, which must not exist yet. Give the answer to {@link remember} once the tree is where it stays. */
  async write(root: string, files: readonly TarFile[]): Promise<Contents> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const directories = new Set(files.map((file) => (file.directory ? file.name : dirname(file.name))));
    await inParallel(directories, WRITES_AT_ONCE, async (directory) => {
      await mkdir(join(root, directory), { recursive: true, mode: 0o700 });
    });
    const contents = new Map<string, string>();
    const regular = files.filter((file) => !file.directory);
    // What was written last is the likeliest to be alike, and to be there still.
    const earlier = [...this.#trees].reverse();
    await inParallel(regular, WRITES_AT_ONCE, async (file) => {
      const place = join(root, file.name);
      const key = file.content.length > MAX_SHARED_BYTES ? undefined : keyOf(file);
      if (key !== undefined) {
        contents.set(key, file.name);
        const same = find(earlier, key);
        // Whatever stands in the way of a link, the file itself can be written, or says why not.
        if (same !== undefined && (await linked(same, place))) return;
      }
      await writeFile(place, file.content, { flag: 'wx', mode: file.executable ? 0o500 : 0o400 });
    });
    return contents;
  }

  remember(root: string, contents: Contents): void {
    this.#trees.delete(root);
    this.#trees.set(root, contents);
    let count = [...this.#trees.values()].reduce((sum, tree) => sum + tree.size, 0);
    for (const [oldest, tree] of this.#trees) {
      if (count <= MAX_REMEMBERED) break;
      this.#trees.delete(oldest);
      count -= tree.size;
    }
  }

  /** The tree at `root` is gone, or not whole. */
  forget(root: string): void {
    this.#trees.delete(root);
  }
}

function find(trees: readonly (readonly [root: string, contents: Contents])[], key: string): string | undefined {
  for (const [root, contents] of trees) {
    const name = contents.get(key);
    if (name !== undefined) return join(root, name);
  }
  return undefined;
}

function keyOf({ content, executable }: TarFile): string {
  return `${executable ? 'x' : '-'}${createHash('sha256').update(content).digest('base64')}`;
}

function linked(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    () => false,
  );
}
