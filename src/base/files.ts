/**
 * A tree of files, read synchronously. Paths use `/`, are relative to the tree's root (`''` is the root itself) and hold
 * no `.` or `..`. Unless a path comes from {@link FileTree.realPath}, the last step may be a symbolic link.
 */
export interface FileTree {
  /** What is at `path`, not following a symbolic link there; undefined when nothing is. */
  kind(path: string): 'file' | 'directory' | 'symlink' | undefined;
  /** Bytes of the file at `path`; undefined when there is no readable file. */
  read(path: string): Uint8Array | undefined;
  /** Names in a directory, sorted bytewise; empty when it is none. */
  list(directory: string): readonly string[];
  /**
   * `path` with every symbolic link followed; undefined when it does not exist, loops, or leaves the tree. A tree without
   * this method holds no links.
   */
  realPath?(path: string): string | undefined;
}

/** `path` with links followed, or undefined when nothing is there. */
export function realPath(files: FileTree, path: string): string | undefined {
  if (files.realPath !== undefined) return files.realPath(path);
  return files.kind(path) === undefined ? undefined : path;
}

/** A tree held in memory: path -> content. Directories exist by the files in them. */
export function memoryFiles(record: Readonly<Record<string, Uint8Array | string>>): FileTree {
  const contents = new Map<string, Uint8Array | string>();
  const directories = new Map<string, Set<string>>([['', new Set()]]);
  for (const name of Object.keys(record)) {
    const path = cleanPath(name);
    if (path === undefined || path === '') continue;
    contents.set(path, record[name] as Uint8Array | string);
    for (let child = path; child !== ''; ) {
      const slash = child.lastIndexOf('/');
      const parent = slash < 0 ? '' : child.slice(0, slash);
      const names = directories.get(parent);
      const base = child.slice(slash + 1);
      if (names !== undefined) {
        names.add(base);
        break;
      }
      directories.set(parent, new Set([base]));
      child = parent;
    }
  }
  return {
    kind: (path) => (contents.has(path) ? 'file' : directories.has(path) ? 'directory' : undefined),
    read: (path) => {
      const content = contents.get(path);
      return typeof content === 'string' ? utf8Bytes(content) : content;
    },
    list: (directory) => [...(directories.get(directory) ?? [])].sort(),
  };
}

/** `path` without `.`, `..` and doubled slashes, relative to the root; undefined when it climbs above the root. */
export function cleanPath(path: string): string | undefined {
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '' || step === '.') continue;
    if (step === '..') {
      if (steps.pop() === undefined) return undefined;
    } else steps.push(step);
  }
  return steps.join('/');
}

/** UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let end = 0;
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index);
    if (code < 0x80) {
      bytes[end++] = code;
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const low = text.charCodeAt(index + 1);
      if (code < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        index++;
      } else code = 0xfffd;
    }
    if (code < 0x800) bytes[end++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) bytes[end++] = 0xe0 | (code >> 12);
      else {
        bytes[end++] = 0xf0 | (code >> 18);
        bytes[end++] = 0x80 | ((code >> 12) & 63);
      }
      bytes[end++] = 0x80 | ((code >> 6) & 63);
    }
    bytes[end++] = 0x80 | (code & 63);
  }
  return bytes.subarray(0, end);
}

/** Text of UTF-8 `bytes`; undefined when they are not valid UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  const parts: string[] = [];
  const codes: number[] = [];
  for (let index = 0; index < bytes.length; ) {
    const first = bytes[index++] as number;
    if (first < 0x80) codes.push(first);
    else {
      const more =
        first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xc2 && first < 0xe0 ? 1 : 0;
      if (more === 0) return undefined;
      let code = first & (0x3f >> more);
      for (let step = 0; step < more; step++) {
        const next = bytes[index++];
        if (next === undefined || (next & 0xc0) !== 0x80) return undefined;
        code = (code << 6) | (next & 63);
      }
      if (
        (more === 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
        (more === 3 && (code < 0x10000 || code > 0x10ffff))
      ) {
        return undefined;
      }
      if (code < 0x10000) codes.push(code);
      else codes.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
    }
    // Arguments of one call go on the stack: keep the pieces small.
    if (codes.length >= 8192) parts.push(String.fromCharCode(...codes.splice(0)));
  }
  parts.push(String.fromCharCode(...codes));
  return parts.join('');
}
