import { err, ok, type Result } from '../../base/result.ts';
import { IGNORE_FILE, type IgnorePattern, MAX_IGNORE_BYTES, readIgnorePatterns, sourceIgnore } from './ignore.ts';
import type { TarFile } from './tar.ts';

/** A file or a directory of a source, before it is packed. Names use `/` and are relative. */
export interface SourceFile {
  readonly name: string;
  readonly directory: boolean;
  readonly executable: boolean;
  read(): Promise<Uint8Array>;
}

/** Bytes that one artifact may hold before compression. Its consumers stop at this too. */
export const MAX_ARTIFACT_BYTES: number = 100 * 1024 * 1024;
/** What an entry takes in an archive beside its content: a header and padding. */
const ENTRY_BYTES = 1024;

/**
 * Reads what an artifact is made of: all files but those that `.sourceignore` files and `spec.ignore` leave out.
 * Errors are sentences that name the file.
 */
export async function selectFiles(
  files: readonly SourceFile[],
  ignore: string | undefined,
): Promise<Result<readonly TarFile[], string>> {
  const patterns: IgnorePattern[] = [];
  for (const file of ignoreFiles(files)) {
    const text = Buffer.from(await file.read()).toString('utf8');
    if (text.length > MAX_IGNORE_BYTES) return err(`${file.name} is larger than ${MAX_IGNORE_BYTES} bytes`);
    patterns.push(...readIgnorePatterns(text, file.name.slice(0, -(IGNORE_FILE.length + 1))));
  }
  // An empty spec.ignore has no pattern, so the defaults stay on. Source: sourceignore.go ReadPatterns.
  if (ignore !== undefined) patterns.push(...readIgnorePatterns(ignore));
  const ignored = sourceIgnore(patterns);
  const kept = files.filter(({ name, directory }) => !ignored(name, directory));
  let bytes = 0;
  const contents = await readAll(kept, (size) => (bytes += size + ENTRY_BYTES) <= MAX_ARTIFACT_BYTES);
  if (contents === undefined) return err(`the files are larger than ${MAX_ARTIFACT_BYTES} bytes together`);
  return ok(
    kept.map(({ name, directory, executable }, index) => ({
      name,
      directory,
      executable,
      content: contents[index] as Uint8Array,
    })),
  );
}

/** Root first, then depth first by name, as Flux reads them: later patterns win. */
function ignoreFiles(files: readonly SourceFile[]): readonly SourceFile[] {
  const found = files.filter(
    ({ name, directory }) => !directory && (name === IGNORE_FILE || name.endsWith(`/${IGNORE_FILE}`)),
  );
  const key = ({ name }: SourceFile): string => name.slice(0, -IGNORE_FILE.length);
  return [...found].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Files read at a time: enough to keep git's pipe full, few enough to stop early. */
const READ_AHEAD = 256;

async function readAll(
  files: readonly SourceFile[],
  mayHold: (size: number) => boolean,
): Promise<readonly Uint8Array[] | undefined> {
  const contents: Uint8Array[] = [];
  for (let at = 0; at < files.length; at += READ_AHEAD) {
    const batch = files.slice(at, at + READ_AHEAD);
    const read = await Promise.all(batch.map(async (file) => (file.directory ? new Uint8Array() : file.read())));
    for (const content of read) {
      if (!mayHold(content.length)) return undefined;
      contents.push(content);
    }
  }
  return contents;
}

/**
 * Puts the files below `from` of one tree at `to` of another, over what is there. Errors are sentences; `undefined` files
 * mean that `from` does not exist.
 */
export function overlay(
  base: readonly SourceFile[],
  added: readonly SourceFile[],
  from: string,
  to: string,
): readonly SourceFile[] | undefined {
  if (from !== '' && !added.some(({ name }) => name === from)) return undefined;
  const merged = new Map(base.map((file) => [file.name, file]));
  const put = (file: SourceFile): void => {
    const earlier = merged.get(file.name);
    if (earlier !== undefined && earlier.directory && !file.directory) {
      for (const name of merged.keys()) if (name.startsWith(`${file.name}/`)) merged.delete(name);
    }
    merged.set(file.name, file);
  };
  const steps = to === '' ? [] : to.split('/');
  for (let depth = 1; depth <= steps.length; depth++) put(directory(steps.slice(0, depth).join('/')));
  for (const file of added) {
    const below =
      from === ''
        ? file.name
        : file.name === from
          ? ''
          : file.name.startsWith(`${from}/`)
            ? file.name.slice(from.length + 1)
            : undefined;
    if (below === undefined) continue;
    const name = [to, below].filter((part) => part !== '').join('/');
    if (name !== '') put({ ...file, name, read: () => file.read() });
  }
  return [...merged.values()];
}

function directory(name: string): SourceFile {
  return { name, directory: true, executable: false, read: async () => new Uint8Array() };
}
