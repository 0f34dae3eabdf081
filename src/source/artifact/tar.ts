import { err, ok, type Result } from '../../base/result.ts';

/** A file or a directory of an archive. Names use `/`, are relative, and a directory's does not end in `/`. */
export interface TarFile {
  readonly name: string;
  readonly directory: boolean;
  readonly executable: boolean;
  readonly content: Uint8Array;
}

const BLOCK = 512;
/** Flux@source-controller 1.9 storage.go: mode of every directory, file and executable file in an artifact. */
const DIRECTORY_MODE = 0o750;
const FILE_MODE = 0o600;
const EXECUTABLE_MODE = 0o700;

/** Limits of {@link readTar}. They hold for one archive. */
export interface TarLimits {
  readonly entries: number;
  /** Bytes of a name, and of a PAX or GNU header that carries one. */
  readonly nameBytes: number;
  /** Directories above a file. */
  readonly depth: number;
}
export const DEFAULT_TAR_LIMITS: TarLimits = { entries: 100_000, nameBytes: 4096, depth: 128 };

/** Writes a tar archive with no times, owners or other traces of this machine; the same files give the same bytes. */
export function writeTar(files: readonly TarFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const file of files) {
    const name = Buffer.from(file.directory ? `${file.name}/` : file.name);
    const mode = file.directory ? DIRECTORY_MODE : file.executable ? EXECUTABLE_MODE : FILE_MODE;
    const split = splitName(name);
    if (split === undefined) {
      const record = paxRecord('path', name);
      parts.push(header(Buffer.from('PaxHeaders.0/path'), undefined, FILE_MODE, record.length, 'x'), ...padded(record));
    }
    const [base, prefix] = split ?? [name.subarray(0, 100), undefined];
    parts.push(header(base, prefix, mode, file.content.length, file.directory ? '5' : '0'), ...padded(file.content));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

/** Splits a long name at a slash into ustar's name (100) and prefix (155); undefined when it does not fit. */
function splitName(name: Buffer): readonly [Buffer, Buffer | undefined] | undefined {
  // Only ASCII fits a ustar header by the standard; anything else is carried by a PAX record.
  if (name.some((byte) => byte >= 0x80)) return undefined;
  if (name.length <= 100) return [name, undefined];
  for (let at = Math.min(155, name.length - 2); at > 0; at--) {
    if (name[at] === 0x2f && name.length - at - 1 <= 100) return [name.subarray(at + 1), name.subarray(0, at)];
  }
  return undefined;
}

function header(name: Buffer, prefix: Buffer | undefined, mode: number, size: number, type: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0);
  octal(block, 100, 8, mode);
  octal(block, 108, 8, 0);
  octal(block, 116, 8, 0);
  octal(block, 124, 12, size);
  octal(block, 136, 12, 0);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  prefix?.copy(block, 345);
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) sum += block[index] as number;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(block: Buffer, at: number, length: number, value: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}

/** A PAX record's length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length++;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

function padded(content: Uint8Array): readonly Uint8Array[] {
  const rest = content.length % BLOCK;
  return rest === 0 ? [content] : [content, new Uint8Array(BLOCK - rest)];
}

/**
 * Reads an untrusted tar archive: regular files and directories only, names inside the root, no name twice.
 * Directories that the archive does not list are not invented. Contents are views into `archive`.
 * Errors are sentences that name the entry.
 */
export function readTar(
  archive: Uint8Array,
  limits: TarLimits = DEFAULT_TAR_LIMITS,
): Result<readonly TarFile[], string> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const files = new Map<string, TarFile>();
  let longName: Buffer | undefined;
  let entries = 0;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const block = bytes.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) return ok([...files.values()]);
    if (++entries > limits.entries) return err(`archive has more than ${limits.entries} entries`);
    if (!checksumHolds(block)) return err('archive has a header with a wrong checksum');
    const size = readNumber(block.subarray(124, 136));
    const end = size === undefined ? Number.NaN : at + BLOCK + size;
    if (size === undefined || !(end <= bytes.length)) return err('archive is cut short');
    const content = bytes.subarray(at + BLOCK, end);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(block[156] ?? 0);
    if (type === 'x' || type === 'L') {
      if (size > limits.nameBytes + 1024) return err(`archive has a header of ${size} bytes`);
      const name = type === 'L' ? cString(content) : readPaxPath(content);
      if (name === 'invalid') return err('archive has a broken PAX header');
      if (name !== undefined) longName = name;
      continue;
    }
    if (type === 'g') continue;
    const rawName = longName ?? ustarName(block);
    longName = undefined;
    const checked = checkName(rawName, limits);
    if (!checked.ok) return checked;
    const name = checked.value;
    const directory = type === '5' || ((type === '0' || type === '\0') && rawName.at(-1) === 0x2f);
    if (!directory && type !== '0' && type !== '\0') return err(`${name}: ${typeName(type)} not allowed`);
    if (name === '') continue;
    const earlier = files.get(name);
    if (earlier?.directory === true && directory) continue;
    if (earlier !== undefined) return err(`${name}: is in the archive twice`);
    const executable = ((readNumber(block.subarray(100, 108)) ?? 0) & 0o100) !== 0;
    files.set(name, {
      name,
      directory,
      executable: !directory && executable,
      content: directory ? new Uint8Array() : content,
    });
  }
  return err('archive is cut short');
}

function checksumHolds(block: Buffer): boolean {
  const want = readNumber(block.subarray(148, 156));
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) sum += index >= 148 && index < 156 ? 0x20 : (block[index] as number);
  return sum === want;
}

/** An octal field, or GNU's base-256 form; undefined when it is neither or does not fit a number. */
function readNumber(field: Buffer): number | undefined {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] as number) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = cString(field).toString('latin1').trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function cString(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

function ustarName(block: Buffer): Buffer {
  const name = cString(block.subarray(0, 100));
  // GNU archives (`ustar  `) use the prefix field for other things.
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return name;
  const prefix = cString(block.subarray(345, 500));
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]);
}

function readPaxPath(content: Buffer): Buffer | undefined | 'invalid' {
  let path: Buffer | undefined;
  for (let at = 0; at < content.length; ) {
    const [digits] = /^\d{1,7} /.exec(content.toString('latin1', at, at + 8)) ?? [];
    const length = Number(digits);
    if (digits === undefined || length <= digits.length || at + length > content.length) return 'invalid';
    const record = content.subarray(at + digits.length, at + length - 1);
    at += length;
    const equals = record.indexOf('=');
    const key = record.toString('latin1', 0, equals);
    // Sparse files and sizes kept in the header would make this reader and others see different files.
    if (equals < 0 || key.startsWith('GNU.sparse') || key === 'size') return 'invalid';
    if (key === 'path') path = record.subarray(equals + 1);
  }
  return path;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The cleaned relative name; '' for the root itself. */
function checkName(raw: Buffer, limits: TarLimits): Result<string, string> {
  let name: string;
  try {
    name = UTF8.decode(raw);
  } catch {
    return err('archive has a name that is not UTF-8');
  }
  const shown = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
  if (raw.length > limits.nameBytes) return err(`${shown}: name is longer than ${limits.nameBytes} bytes`);
  if (name.startsWith('/') || name.includes('\0')) return err(`${shown}: name not allowed`);
  const steps = name.split('/').filter((step) => step !== '' && step !== '.');
  // A backslash is an ordinary character here, but must not become a way up where it is none.
  if (name.split(/[/\\]/).includes('..')) return err(`${shown}: path leaves the archive`);
  if (steps.length > limits.depth) return err(`${shown}: is below more than ${limits.depth} directories`);
  return ok(steps.join('/'));
}

function typeName(type: string): string {
  const names: Readonly<Record<string, string>> = {
    '1': 'hard link',
    '2': 'symlink',
    '3': 'character device',
    '4': 'block device',
    '6': 'FIFO',
  };
  return names[type] ?? `entry of type ${JSON.stringify(type)}`;
}
