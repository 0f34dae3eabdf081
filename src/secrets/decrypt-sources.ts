import { type FileTree, realPath, utf8Text } from '../base/files.ts';
import { field, isArray, type Json, type JsonObject, stringAt } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { parseYaml } from '../engine/yaml/parse.ts';
import type { KeyRing } from './sops/data-key.ts';
import { decryptFile, MAX_ENCRYPTED_BYTES } from './sops/decrypt.ts';
import { type Format, formatForPath, isEncryptedAs } from './sops/formats.ts';

const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * Decrypts the files that secret generators and patches of a kustomization refer to, and of all those below it: path -> plain
 * content. Nothing is written anywhere. Where the ring has requested keys, files are left out and the rest counts for nothing.
 * Source: kustomize-controller@1.9 DecryptSources.
 * @param rootPath what stands for the tree's root in the files themselves and in messages
 */
export async function decryptSources(
  files: FileTree,
  directory: string,
  rootPath: string,
  ring: KeyRing,
): Promise<Result<ReadonlyMap<string, Uint8Array>, string>> {
  const sources = new Sources(files, rootPath, ring);
  const problem = await sources.visit(directory);
  return problem === undefined || problem.ignored ? ok(sources.plain) : err(problem.message);
}

interface Problem {
  readonly message: string;
  /** A resource that is no folder: a file, or something elsewhere. */
  readonly ignored: boolean;
}

class Sources {
  readonly plain: Map<string, Uint8Array> = new Map();
  readonly #files: FileTree;
  readonly #rootPath: string;
  readonly #ring: KeyRing;
  readonly #visited = new Set<string>();

  constructor(files: FileTree, rootPath: string, ring: KeyRing) {
    this.#files = files;
    this.#rootPath = rootPath;
    this.#ring = ring;
  }

  async visit(path: string): Promise<Problem | undefined> {
    const directory = realPath(this.#files, path);
    if (directory === undefined) return { message: `lstat ${path}: no such file or directory`, ignored: true };
    if (this.#visited.has(directory)) return undefined;
    this.#visited.add(directory);
    if (this.#files.kind(directory) !== 'directory') return { message: 'not a directory', ignored: true };
    const loaded = this.#load(directory);
    if (!loaded.ok) return { message: loaded.error, ignored: false };
    const problem = await this.#decryptAll(directory, loaded.value);
    if (problem !== undefined) return { message: problem, ignored: false };
    for (const name of ['resources', 'components']) {
      for (const reference of texts(field(loaded.value, name))) {
        const below = await this.visit(this.#jailed(directory, reference));
        if (below !== undefined && !below.ignored) return below;
      }
    }
    return undefined;
  }

  #load(directory: string): Result<JsonObject, string> {
    const found = NAMES.map((name) => join(directory, name)).filter((path) => this.#files.kind(path) !== undefined);
    const [path] = found;
    if (path === undefined) return err('no kustomization file found');
    if (found.length > 1) return err('found multiple kustomization files');
    const real = realPath(this.#files, path);
    const bytes = real === undefined ? undefined : this.#files.read(real);
    if (bytes === undefined) return err(`expected ${path} to be a regular file`);
    const parsed = parseYaml(utf8Text(bytes) ?? '');
    if (!parsed.ok) return err(`failed to unmarshal kustomization file from '${this.#rootPath}/${path}'`);
    return ok((parsed.value ?? {}) as JsonObject);
  }

  async #decryptAll(directory: string, kustomization: JsonObject): Promise<string | undefined> {
    for (const generator of objects(field(kustomization, 'secretGenerator'))) {
      for (const source of texts(field(generator, 'files'))) {
        const equals = source.indexOf('=');
        const key = equals < 0 ? source : source.slice(0, equals);
        const problem = await this.#decrypt(directory, source.slice(equals + 1), formatForPath(key));
        if (problem !== undefined) return problem;
      }
      // Not of the old `env`: Flux applies what it names as it is.
      for (const source of texts(field(generator, 'envs'))) {
        const format = formatForPath(source);
        const problem = await this.#decrypt(directory, source, format === 'binary' ? 'dotenv' : format);
        if (problem !== undefined) return problem;
      }
    }
    for (const patch of objects(field(kustomization, 'patches'))) {
      const path = stringAt(patch, 'path') ?? '';
      if (path === '' || /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(path)) continue;
      const problem = await this.#decrypt(directory, path, formatForPath(path));
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  async #decrypt(directory: string, reference: string, format: Format): Promise<string | undefined> {
    const wanted = this.#jailed(directory, reference);
    const path = realPath(this.#files, wanted);
    if (path === undefined) return `lstat ${wanted}: no such file or directory`;
    if (this.plain.has(path)) return undefined;
    const content = this.#files.read(path);
    if (content === undefined) return 'cannot decrypt irregular file as it has file mode type bits set';
    // Flux refuses large files here whether they are encrypted or not.
    if (content.length > MAX_ENCRYPTED_BYTES) {
      return `cannot decrypt file with size (${content.length} bytes) exceeding limit (${MAX_ENCRYPTED_BYTES})`;
    }
    const text = utf8Text(content);
    if (text === undefined || !isEncryptedAs(text, format)) return undefined;
    const plain = await decryptFile(content, this.#ring, { input: format, output: format, checkMac: true });
    // The files after this one may need keys of services as well: all are asked for at once.
    if (!plain.ok && this.#ring.requested.length > 0) return undefined;
    if (!plain.ok) return `${path}: ${plain.error}`;
    this.plain.set(path, plain.value);
    return undefined;
  }

  /** A path below the root, as `SecureJoin` makes it. */
  #jailed(directory: string, reference: string): string {
    const root = `${this.#rootPath}/`;
    const path = reference.startsWith(root) ? reference.slice(root.length) : reference;
    const steps: string[] = reference.startsWith('/') ? [] : directory.split('/').filter(Boolean);
    for (const step of path.split('/')) {
      if (step === '..') steps.pop();
      else if (step !== '' && step !== '.') steps.push(step);
    }
    return steps.join('/');
  }
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

function texts(value: Json | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function objects(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}
