import { lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { FileTree } from '../base/files.ts';

/** The files under directory `root` (absolute) of the disk. A symbolic link that leaves `root` leads nowhere. */
export function diskFiles(root: string): FileTree {
  const top = realpathSync(root);
  return {
    kind: (path) => {
      try {
        const stat = lstatSync(join(top, path));
        return stat.isSymbolicLink()
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
        const file = join(top, path);
        // A device or a pipe could be read for ever.
        return statSync(file).isFile() ? readFileSync(file) : undefined;
      } catch {
        return undefined;
      }
    },
    list: (directory) => {
      try {
        return readdirSync(join(top, directory)).sort();
      } catch {
        return [];
      }
    },
    realPath: (path) => {
      try {
        const found = relative(top, realpathSync(join(top, path)));
        return found === '..' || found.startsWith(`..${sep}`) ? undefined : found.split(sep).join('/');
      } catch {
        return undefined;
      }
    },
  };
}
