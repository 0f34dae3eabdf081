import { lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { FileTree } from '../base/files.ts';

/** The files under directory `root` (absolute) of the disk. A symbolic link that leaves `root` leads nowhere. */
export function diskFiles(root: string): FileTree {
  const top = realpathSync.native(root);
  /** The place that `path` leads to. @throws when there is none inside `root` */
  const inside = (path: string): string => {
    const found = realpathSync.native(join(top, path));
    const below = relative(top, found);
    if (below === '..' || below.startsWith(`..${sep}`)) throw new Error(`${path} is outside`);
    return found;
  };
  return {
    kind: (path) => {
      try {
        const stat = lstatSync(join(top, path), { throwIfNoEntry: false });
        return stat === undefined
          ? undefined
          : stat.isSymbolicLink()
            ? 'symlink'
            : stat.isDirectory()
              ? 'directory'
              : stat.isFile()
                ? 'file'
                : undefined;
      } catch {
        return undefined;
      }
    },
    read: (path) => {
      try {
        const file = inside(path);
        // A device or a pipe could be read for ever.
        return statSync(file).isFile() ? readFileSync(file) : undefined;
      } catch {
        return undefined;
      }
    },
    list: (directory) => {
      try {
        return readdirSync(inside(directory)).sort();
      } catch {
        return [];
      }
    },
    realPath: (path) => {
      try {
        return relative(top, inside(path)).split(sep).join('/');
      } catch {
        return undefined;
      }
    },
  };
}
