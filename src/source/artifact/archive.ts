import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type TarFile, writeTar } from './tar.ts';

const zip = promisify(gzip);

/** Offset of the operating system's number in a gzip header; 255 says "unknown", so that every platform writes the same. */
const GZIP_OS = 9;

/** The reproducible `.tar` of a tree: entries sorted by name below a root entry, no times, owners or other traces. */
export function packTree(files: readonly TarFile[]): Uint8Array {
  const root: TarFile = { name: '.', directory: true, executable: false, content: new Uint8Array() };
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return writeTar([root, ...sorted]);
}

/** The `.tar.gz` of a `.tar`: the same bytes for the same bytes. */
export async function compress(tar: Uint8Array): Promise<Uint8Array> {
  const bytes = await zip(tar);
  bytes[GZIP_OS] = 255;
  return bytes;
}
