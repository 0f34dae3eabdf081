import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import {
  type KustomizationFile,
  parseKustomizationFile,
  printKustomizationFile,
} from '../engine/kustomize/kustomization-file.ts';
import { FILE_NAMES, type Kustomization } from '../engine/kustomize/kustomization-type.ts';

/** The kustomization file of a folder, read for editing. */
export interface OpenFile {
  readonly path: string;
  readonly name: string;
  readonly file: KustomizationFile;
}

/** Which kustomization file `folder` has; the error is kustomize's. */
export function findFile(folder: string): Result<string, string> {
  const found = FILE_NAMES.filter((name) => existsSync(join(folder, name)));
  const [name] = found;
  if (name === undefined) return err("Missing kustomization file 'kustomization.yaml'.\n");
  if (found.length > 1) return err(`Found multiple kustomization file: [${found.join(' ')}]\n`);
  return statSync(join(folder, name)).isDirectory() ? err(`${name} should be a file`) : ok(name);
}

export function openFile(folder: string): Result<OpenFile, string> {
  const name = findFile(folder);
  if (!name.ok) return name;
  const path = join(folder, name.value);
  const file = parseKustomizationFile(readFileSync(path, 'utf8'));
  return file.ok ? ok({ path, name: name.value, file: file.value }) : file;
}

export function saveFile({ path, file }: OpenFile, kustomization: Kustomization): void {
  writeFileSync(path, printKustomizationFile({ ...file, kustomization }));
}

/** Paths below `folder` that fit a shell pattern, as Go's filepath.Glob finds them, hidden ones left out. */
export function glob(folder: string, pattern: string): readonly string[] {
  const found = globPaths(folder, pattern);
  const base = pattern.slice(pattern.lastIndexOf('/') + 1);
  return base.startsWith('.') ? found : found.filter((path) => !path.slice(path.lastIndexOf('/') + 1).startsWith('.'));
}

function globPaths(folder: string, pattern: string): readonly string[] {
  const exists = (path: string): boolean => lstatSync(resolve(folder, path), { throwIfNoEntry: false }) !== undefined;
  if (!/[*?[\\]/.test(pattern)) return exists(pattern) ? [pattern] : [];
  const slash = pattern.lastIndexOf('/');
  const directory = slash < 0 ? '' : pattern.slice(0, slash);
  const last = compilePattern(pattern.slice(slash + 1));
  const directories = slash < 0 ? [''] : globPaths(folder, directory === '' ? '/' : directory);
  return directories.flatMap((one) => {
    const full = resolve(folder, one === '' ? '.' : one);
    if (statSync(full, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    return readdirSync(full)
      .sort()
      .filter((name) => last.test(name))
      .map((name) => (one === '' ? name : `${one.replace(/\/$/, '')}/${name}`));
  });
}

/** Go's filepath.Match for one step or a whole path. */
export function compilePattern(pattern: string): RegExp {
  let out = '';
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index] as string;
    if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '[') {
      const close = pattern.indexOf(']', index + 2);
      if (close < 0) return /(?!)/;
      out += `[${pattern.slice(index + 1, close).replace(/[\\[\]]/g, '\\$&')}]`;
      index = close;
    } else if (char === '\\') out += escape(pattern[++index] ?? '');
    else out += escape(char);
  }
  return new RegExp(`^${out}$`);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** `key:value` pairs of a flag; a value may stand in double quotes. */
export function parsePairs(inputs: readonly string[], kind: string): Result<Readonly<Record<string, string>>, string> {
  const pairs = new Map<string, string>();
  for (const input of inputs) {
    const colon = input.indexOf(':');
    if (colon === 0) return err(`invalid ${kind}: '${input}' (need k:v pair where v may be quoted)`);
    if (colon < 0) pairs.set(input, '');
    else pairs.set(input.slice(0, colon), input.slice(colon + 1).replace(/^"(.*)"$/s, '$1'));
  }
  return ok(Object.fromEntries(pairs));
}
