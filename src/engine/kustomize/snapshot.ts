import { type FileTree, realPath } from '../../base/files.ts';

const MAX_PATH = 4096;
/** Of files, in case another overlay reads them again: bases are small. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** `files` as they are during one build: what is asked of a path twice (each overlay asks for its base) is looked up once. */
export function snapshot(files: FileTree): FileTree {
  const kinds = new Map<string, ReturnType<FileTree['kind']>>();
  const places = new Map<string, string | undefined>([['', realPath(files, '')]]);
  const kind = (path: string): ReturnType<FileTree['kind']> => {
    if (kinds.has(path)) return kinds.get(path);
    const found = files.kind(path);
    kinds.set(path, found);
    return found;
  };
  const locate = (path: string): string | undefined => {
    if (places.has(path)) return places.get(path);
    // No file system has such a path; a step per call must not fill the stack.
    if (path.length > MAX_PATH) return realPath(files, path);
    const slash = path.lastIndexOf('/');
    const parent = locate(slash < 0 ? '' : path.slice(0, slash));
    const found = parent === undefined ? undefined : step(parent, path.slice(slash + 1));
    places.set(path, found);
    return found;
  };
  /** Only a link needs the tree to follow it; it says where that leads, or that it leads out. */
  const step = (parent: string, name: string): string | undefined => {
    const path = parent === '' ? name : `${parent}/${name}`;
    const found = kind(path);
    return found === 'symlink' ? realPath(files, path) : found === undefined ? undefined : path;
  };
  const contents = new Map<string, Uint8Array>();
  let kept = 0;
  const read = (path: string): Uint8Array | undefined => {
    const known = contents.get(path);
    if (known !== undefined) return known;
    const found = files.read(path);
    if (found !== undefined && kept + found.length <= MAX_KEPT_BYTES) {
      kept += found.length;
      contents.set(path, found);
    }
    return found;
  };
  return { kind, read, list: (directory) => files.list(directory), realPath: locate };
}
