import { type FileTree, realPath } from '../../base/files.ts';
import { fail, KustomizeFailure, Pending } from './failure.ts';
import { parseRepoUrl, type RepoUrl } from './repo-url.ts';
import { snapshot } from './snapshot.ts';

/** What a build shares: the tree, where it lies, what may be read, what was read. */
export interface LoadContext {
  readonly restrict: boolean;
  /** Paths in the tree that were read. */
  readonly filesRead: Set<string>;
  /** Content of a URL, or undefined when it must be fetched first. */
  readonly remote: ((url: string) => RemoteContent | undefined) | undefined;
  /** Hears the path in the tree of each file that is read. */
  readonly onRead?: (path: string) => void;
  /** Hears that a path leads through what is above the tree: where that lies matters then. */
  readonly onOutside?: () => void;
}

/** Where the files of a remote base or resource come from. */
export type RemoteContent =
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  /** A clone; the kustomization's folder in it is as the URL names it. */
  | { readonly kind: 'tree'; readonly files: FileTree }
  | { readonly kind: 'failed'; readonly message: string };

/** Joins and cleans as Go's filepath.Join does; the result is absolute when `base` is. */
export function joinPath(base: string, path: string): string {
  const absolute = base.startsWith('/');
  const steps: string[] = [];
  for (const step of `${base}/${path}`.split('/')) {
    if (step === '' || step === '.') continue;
    if (step === '..') {
      if (steps.length > 0 && steps.at(-1) !== '..') steps.pop();
      else if (!absolute) steps.push('..');
    } else steps.push(step);
  }
  const joined = steps.join('/');
  return absolute ? `/${joined}` : joined === '' ? '.' : joined;
}

function hasPrefix(directory: string, prefix: string): boolean {
  return prefix === '/' || directory === prefix || directory.startsWith(`${prefix}/`);
}

export function isRemoteFile(path: string): boolean {
  return /^https?:\/\//i.test(path);
}

/** Deepest chain of kustomizations: what the default stack takes, several times over. */
const MAX_DEPTH = 500;

/**
 * Loads the files of one kustomization (api/internal/loader). `root` is its directory, absolute, with links followed; `base` is
 * where the tree lies.
 */
export class Loader {
  readonly root: string;
  private readonly files: FileTree;
  private readonly base: string;
  private readonly context: LoadContext;
  private readonly referrer: Loader | undefined;
  private readonly repo: RepoUrl | undefined;
  /** How many kustomizations lead here, this one included. */
  readonly depth: number;
  private readonly restrict: boolean;
  /** Path in the tree of the file that was read last. */
  lastRead = '';

  private constructor(
    files: FileTree,
    base: string,
    root: string,
    context: LoadContext,
    referrer: Loader | undefined,
    repo: RepoUrl | undefined,
  ) {
    this.files = files;
    this.base = base;
    this.root = root;
    this.context = context;
    this.referrer = referrer;
    this.depth = (referrer?.depth ?? 0) + 1;
    if (this.depth > MAX_DEPTH) fail(`kustomizations are nested more than ${MAX_DEPTH} deep`);
    this.repo = repo;
    this.restrict = context.restrict || repo !== undefined;
  }

  /**
   * A loader at `directory` of the tree that lies at `base` (absolute, '' for the file system's root).
   * @param shown the directory as the user named it, for messages
   */
  static at(files: FileTree, base: string, directory: string, context: LoadContext, shown?: string): Loader {
    const tree = snapshot(files);
    const loader = new Loader(tree, base, base === '' ? '/' : base, context, undefined, undefined);
    const root = loader.confirmDirectory(joinPath(loader.root, directory), shown);
    return new Loader(tree, base, root, context, undefined, undefined);
  }

  /** A loader for a clone of the repository that `url` names. */
  static atRepo(url: string, context: LoadContext): Loader | undefined {
    const repo = parseRepoUrl(url);
    return repo === undefined ? undefined : Loader.clone(repo, context, undefined);
  }

  private static clone(repo: RepoUrl, context: LoadContext, referrer: Loader | undefined): Loader {
    const content = fetched(repo.raw, context);
    if (content.kind === 'failed') throw new KustomizeFailure(content.message);
    if (content.kind === 'file') fail(`'${repo.raw}' is not a git repository`);
    const clone = new Loader(content.files, '/clone', '/clone', context, referrer, repo);
    const path = joinPath('/clone', repo.directory);
    const found = clone.resolve(path);
    if (found.file !== '') fail(`'${path}' refers to file '${found.file}'; expecting directory`);
    return new Loader(content.files, '/clone', found.directory, context, referrer, repo);
  }

  /** Loader for a base or component: a directory below or beside, or a repository. */
  enter(path: string): Loader {
    if (path === '') fail('new root cannot be empty');
    const repo = path.startsWith('/') ? undefined : parseRepoUrl(path);
    if (repo !== undefined) {
      this.refuseRepoCycle(repo);
      return Loader.clone(repo, this.context, this);
    }
    if (path.startsWith('/')) fail(`new root '${path}' cannot be absolute`);
    if (this.leadsOutside(path)) this.context.onOutside?.();
    const root = this.confirmDirectory(joinPath(this.root, path));
    const containing = this.containingRepo();
    if (containing !== undefined && !hasPrefix(root, '/clone')) {
      fail(
        `security; bases in kustomizations found in cloned git repos must be within the repo, but base '${root}' is outside '/clone'`,
      );
    }
    this.refuseCycle(root);
    return new Loader(this.files, this.base, root, this.context, this, undefined);
  }

  /** Whether kustomizations at `roots` in the tree, each so many levels `below` this one, are neither a cycle nor too deep. */
  mayEnterAll(roots: readonly { readonly root: string; readonly below: number }[]): boolean {
    if (roots.some(({ below }) => this.depth + below > MAX_DEPTH)) return false;
    for (let at = this.referrer; at !== undefined; at = at.referrer) {
      const above = at.rootInTree;
      if (roots.some(({ root }) => hasPrefix(above, root))) return false;
    }
    return true;
  }

  private containingRepo(): RepoUrl | undefined {
    return this.repo ?? this.referrer?.containingRepo();
  }

  private refuseCycle(candidate: string): void {
    if (hasPrefix(this.root, candidate)) {
      fail(`cycle detected: candidate root '${candidate}' contains visited root '${this.root}'`);
    }
    if (this.referrer?.files === this.files) this.referrer.refuseCycle(candidate);
  }

  private refuseRepoCycle(repo: RepoUrl): void {
    if (this.repo?.raw.startsWith(repo.raw) === true) {
      fail(`cycle detected: URI '${repo.raw}' referenced by previous URI '${this.repo.raw}'`);
    }
    this.referrer?.refuseRepoCycle(repo);
  }

  private confirmDirectory(path: string, shown: string = path): string {
    let found: { directory: string; file: string };
    try {
      found = this.resolve(path, shown);
    } catch (failure) {
      if (failure instanceof KustomizeFailure)
        fail(`must build at directory: not a valid directory: ${failure.message}`);
      throw failure;
    }
    if (found.file !== '') fail(`must build at directory: '${shown}': file is not directory`);
    return found.directory;
  }

  /** The directory and file that absolute `path` is, links followed. */
  private resolve(path: string, shown: string = path): { directory: string; file: string } {
    const inTree = this.inTree(path);
    const real = inTree === undefined ? undefined : realPath(this.files, inTree);
    if (real === undefined) fail(`evalsymlink failure on '${shown}' : ${this.missing(path)}`);
    const full = this.absolute(real);
    if (this.files.kind(real) === 'directory') return { directory: full, file: '' };
    const slash = full.lastIndexOf('/');
    return { directory: slash <= 0 ? '/' : full.slice(0, slash), file: full.slice(slash + 1) };
  }

  /** What Go's EvalSymlinks says of a path that leads nowhere: the first step that is not there. */
  private missing(path: string): string {
    let at = '';
    const steps = path.split('/').slice(1);
    for (let index = 0; index < steps.length; index++) {
      at += `/${steps[index]}`;
      // Above the tree nothing is known; Go would have found those directories.
      if (at.length <= this.base.length && this.base.startsWith(at)) continue;
      const inTree = this.inTree(at);
      const real = inTree === undefined ? undefined : realPath(this.files, inTree);
      if (real === undefined) break;
      if (index < steps.length - 1 && this.files.kind(real) === 'file') return 'not a directory';
    }
    return `lstat ${at}: no such file or directory`;
  }

  private inTree(path: string): string | undefined {
    if (this.base === '') return path.slice(1);
    if (path === this.base) return '';
    return path.startsWith(`${this.base}/`) ? path.slice(this.base.length + 1) : undefined;
  }

  private absolute(inTree: string): string {
    if (inTree === '') return this.base === '' ? '/' : this.base;
    return `${this.base}/${inTree}`;
  }

  /** `root` in the tree, wherever that lies. */
  get rootInTree(): string {
    return this.root.slice(this.base.length);
  }

  private leadsOutside(path: string): boolean {
    if (path.startsWith('/')) return true;
    let depth = this.rootInTree.split('/').filter((step) => step !== '').length;
    for (const step of path.split('/')) {
      if (step === '..') depth--;
      else if (step !== '' && step !== '.') depth++;
      if (depth < 0) return true;
    }
    return false;
  }

  /** Bytes of a file by its path from the kustomization, or of a URL. */
  load(path: string): Uint8Array {
    if (isRemoteFile(path)) {
      const content = fetched(path, this.context);
      if (content.kind === 'file') return content.bytes;
      if (parseRepoUrl(path) !== undefined) fail('URL is a git repository');
      throw new KustomizeFailure(
        content.kind === 'failed' ? content.message : 'URL is a git repository',
        content.kind === 'failed' && content.message.startsWith('HTTP Error') ? 'http' : 'build',
      );
    }
    if (this.leadsOutside(path)) this.context.onOutside?.();
    const full = path.startsWith('/') ? path : joinPath(this.root, path);
    if (!this.restrict) return this.read(full, full);
    const { directory, file } = this.resolve(full);
    if (file === '') fail(`'${full}' must resolve to a file`);
    if (!hasPrefix(directory, this.root)) fail(`security; file '${full}' is not in or below '${this.root}'`);
    const real = directory === '/' ? `/${file}` : `${directory}/${file}`;
    return this.read(real, full);
  }

  private read(path: string, shown: string): Uint8Array {
    const inTree = this.inTree(path);
    const real = inTree === undefined ? undefined : realPath(this.files, inTree);
    if (real === undefined) fail(`open ${shown}: no such file or directory`);
    if (this.files.kind(real) === 'directory') fail(`read ${shown}: is a directory`);
    const bytes = this.files.read(real);
    if (bytes === undefined) fail(`open ${shown}: permission denied`);
    this.context.filesRead.add(real);
    this.context.onRead?.(real);
    this.lastRead = real;
    return bytes;
  }

  exists(path: string): boolean {
    const inTree = this.inTree(joinPath(this.root, path));
    return inTree !== undefined && realPath(this.files, inTree) !== undefined;
  }

  /** Files of the tree and the place of `path` in it, for a port that reads a whole folder. */
  folder(path: string): { files: FileTree; path: string } | undefined {
    const inTree = this.inTree(path.startsWith('/') ? path : joinPath(this.root, path));
    return inTree === undefined ? undefined : { files: this.files, path: inTree };
  }
}

function fetched(url: string, context: LoadContext): RemoteContent {
  if (context.remote === undefined) fail(`remote content is not available here: ${withoutCredentials(url)}`);
  const content = context.remote(url);
  if (content === undefined) throw new Pending('remote', `${withoutCredentials(url)} is not fetched yet`, [url]);
  return content;
}

/** `url` without user and password. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, '$1');
}
