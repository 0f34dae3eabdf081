import { err, ok, type Result } from '../../base/result.ts';
import type { ObjectReader } from './objects.ts';

/** What lies at a path of a commit. */
export interface TreeEntry {
  readonly path: string;
  readonly kind: 'file' | 'executable' | 'directory' | 'symlink' | 'submodule';
  readonly hash: string;
}

/** Limits of one repository's tree: far above real ones, low enough that a hostile one ends soon. */
export const MAX_TREE_ENTRIES = 250_000;
const MAX_TREE_DEPTH = 128;
const MAX_PATH_BYTES = 4096;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Lists everything below a tree object, without a working tree: nothing of git's checkout machinery runs. */
export async function listTree(reader: ObjectReader, root: string): Promise<Result<readonly TreeEntry[], string>> {
  const entries: TreeEntry[] = [];
  let level: readonly { readonly path: string; readonly hash: string }[] = [{ path: '', hash: root }];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_TREE_DEPTH) return err(`directories are nested more than ${MAX_TREE_DEPTH} deep`);
    const trees = await Promise.all(level.map(({ hash }) => reader.read(hash)));
    const next: TreeEntry[] = [];
    for (const [index, tree] of trees.entries()) {
      const { path, hash } = level[index] as { path: string; hash: string };
      if (tree?.type !== 'tree') return err(`object ${hash} is not a tree`);
      const parsed = parseTree(tree.content, path, root.length / 2);
      if (!parsed.ok) return parsed;
      entries.push(...parsed.value);
      next.push(...parsed.value.filter(({ kind }) => kind === 'directory'));
      if (entries.length > MAX_TREE_ENTRIES) return err(`the tree has more than ${MAX_TREE_ENTRIES} entries`);
    }
    level = next;
  }
  return ok(entries);
}

/** `<octal mode> <name>\0<binary hash>`, repeated. Source: git Documentation/gitformat-tree. */
function parseTree(content: Buffer, parent: string, hashBytes: number): Result<readonly TreeEntry[], string> {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const zero = content.indexOf(0, space + 1);
    const end = zero + 1 + hashBytes;
    if (space < 0 || zero < 0 || end > content.length) return err(`tree '${parent}' is broken`);
    const kind = kindOf(content.toString('latin1', at, space));
    let name: string;
    try {
      name = UTF8.decode(content.subarray(space + 1, zero));
    } catch {
      return err(`'${parent}' has a name that is not UTF-8`);
    }
    const path = parent === '' ? name : `${parent}/${name}`;
    if (kind === undefined) return err(`'${path}' has an unknown file mode`);
    if (isForbiddenName(name) || path.length > MAX_PATH_BYTES)
      return err(`the name ${JSON.stringify(path.slice(0, 200))} is not allowed`);
    entries.push({ path, kind, hash: content.toString('hex', zero + 1, end) });
    at = end;
  }
  return ok(entries);
}

function kindOf(mode: string): TreeEntry['kind'] | undefined {
  const value = Number.parseInt(mode, 8);
  switch (value >> 12) {
    case 0o4:
      return 'directory';
    case 0o10:
      return (value & 0o100) === 0 ? 'file' : 'executable';
    case 0o12:
      return 'symlink';
    case 0o16:
      return 'submodule';
    default:
      return undefined;
  }
}

/** Code points that HFS+ leaves out when it compares names. Source: git utf8.c next_hfs_char. */
const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Names that climb, or that some file system takes for `.git`. Source: git read-cache.c verify_path, path.c is_ntfs_dotgit. */
export function isForbiddenName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return true;
  if (name.split('\\').includes('..')) return true;
  const plain = name.replace(HFS_IGNORED, '').toLowerCase();
  return /^(?:\.git|git~1)[ .]*(?::.*)?$/.test(plain) || plain.startsWith('.git\\');
}

/** Whether `path` is `directory` or lies in it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
