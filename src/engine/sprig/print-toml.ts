import { sortedKeys } from '../gotemplate/go-string.ts';
import { Complex, Func, GoError, isList, isMap, isNil, Struct, Typed, type Value } from '../gotemplate/value.ts';
import { formatG } from '../yaml/value.ts';
import { printDuration } from './duration.ts';
import { formatTime, GoTime } from './go-time.ts';
import { itemsOf } from './items.ts';
import { checkTextBytes, NodeMeter } from './limits.ts';

const NAME = 'toToml';

/** A value as TOML. @throws GoError with the text of BurntSushi/toml. Source: BurntSushi/toml@1.6.0 encode.go. */
export function printToml(value: Value): string {
  if (value === null || value === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  const printer = new Printer();
  printer.encode([], value);
  return printer.out;
}

/** What the encoder hands out as the text, instead of failing. */
export class TomlError extends GoError {}

type Entries = readonly (readonly [string, Value])[];

class Printer {
  out = '';
  private readonly meter = new NodeMeter(NAME);

  encode(key: readonly string[], value: Value): void {
    this.meter.visit(key.length);
    if (isNil(value)) return;
    const entries = entriesOf(value);
    if (entries !== undefined) this.table(key, entries);
    else if (this.isTableList(value, 0)) this.tables(key, value as readonly Value[]);
    else this.pair(key, value, false);
  }

  private table(key: readonly string[], entries: Entries): void {
    if (key.length === 1) this.newline();
    if (key.length > 0) this.write(`${margin(key)}[${key.map(keyText).join('.')}]\n`);
    this.map(key, entries);
  }

  private tables(key: readonly string[], items: readonly Value[]): void {
    if (key.length === 0) throw new TomlError('toml: top-level values must be Go maps or structs');
    for (const item of items) {
      if (isNil(item)) continue;
      this.newline();
      this.write(`${margin(key)}[[${key.map(keyText).join('.')}]]\n`);
      this.map(key, entriesOf(item) ?? []);
    }
  }

  /** Plain values before tables, which would otherwise take them in. */
  private map(key: readonly string[], entries: Entries): void {
    const [direct, sub] = this.parted(entries);
    for (const [name, value] of [...direct, ...sub]) this.encode([...key, name], value);
  }

  private inlineMap(entries: Entries, depth: number): void {
    const [direct, sub] = this.parted(entries);
    const write = (some: Entries, moreFollow: boolean): void => {
      for (const [index, [name, value]] of some.entries()) {
        if (isNil(value)) continue;
        this.write(`${keyText(name)} = `);
        this.element(value, depth + 1);
        if (moreFollow || index !== some.length - 1) this.write(', ');
      }
    };
    this.write('{');
    write(direct, sub.length > 0);
    write(sub, false);
    this.write('}');
  }

  private pair(key: readonly string[], value: Value, inline: boolean): void {
    const name = key.at(-1);
    if (name === undefined) return this.element(value, 0);
    this.write(`${margin(key)}${keyText(name)} = `);
    this.element(value, key.length);
    if (!inline) this.newline();
  }

  private element(value: Value, depth: number): void {
    this.meter.visit(depth);
    const entries = entriesOf(value);
    if (entries !== undefined) return this.inlineMap(entries, depth);
    if (isList(value) || value instanceof Uint8Array) {
      this.write('[');
      for (const [index, item] of itemsOf(value).entries()) {
        if (index > 0) this.write(', ');
        this.element(item, depth + 1);
      }
      return this.write(']');
    }
    this.write(scalarText(value));
  }

  private parted(entries: Entries): readonly [direct: Entries, sub: Entries] {
    const isSub = ([, value]: readonly [string, Value]): boolean =>
      !isNil(value) && (entriesOf(value) !== undefined || this.isTableList(value, 0));
    const isNested = entries.map(isSub);
    return [entries.filter((_, index) => !isNested[index]), entries.filter((_, index) => isNested[index])];
  }

  /** Whether all of a list's elements are tables; no element may be nil. */
  private isTableList(value: Value, depth: number): boolean {
    this.meter.visit(depth);
    if (value instanceof Complex || value instanceof Func) {
      throw new TomlError(`unsupported type: ${value instanceof Complex ? 'complex128' : 'func'}`);
    }
    if (!isList(value) || value.length === 0) return false;
    let all = true;
    for (const item of value) {
      if (isNil(item)) throw new TomlError('toml: cannot encode array with nil element');
      const isTable = entriesOf(item) !== undefined;
      // Looks for nil inside, too.
      if (!isTable) this.isTableList(item, depth + 1);
      all &&= isTable;
    }
    return all;
  }

  private newline(): void {
    if (this.out !== '') this.write('\n');
  }

  private write(text: string): void {
    this.out += text;
    checkTextBytes(NAME, this.out.length);
  }
}

function margin(key: readonly string[]): string {
  return '  '.repeat(key.length - 1);
}

/** The entries of a map or struct, by key; undefined for what is no table. */
function entriesOf(value: Value): Entries | undefined {
  if (isMap(value)) return sortedKeys(value).map((key) => [key, value.get(key)] as const);
  if (!(value instanceof Struct) || value.data instanceof GoTime) return undefined;
  if (value.type.kind !== 'struct' && value.fields.size === 0) return undefined;
  return Array.from(value.fields);
}

/** Layouts of times that have no zone, by what `fromToml` puts for one. */
const LOCAL_LAYOUTS: { readonly [zone: string]: string } = {
  'datetime-local': '2006-01-02T15:04:05.999999999',
  'date-local': '2006-01-02',
  'time-local': '15:04:05.999999999',
};

function scalarText(value: Value): string {
  if (value instanceof Struct) {
    return value.data instanceof GoTime
      ? formatTime(value.data, LOCAL_LAYOUTS[value.data.zone.name] ?? '2006-01-02T15:04:05.999999999Z07:00')
      : quoted(String(value.type.text?.(value) ?? ''));
  }
  const plain = value instanceof Typed ? value.value : value;
  if (value instanceof Typed && value.type.name === 'time.Duration')
    return quoted(printDuration(value.value as bigint));
  switch (typeof plain) {
    case 'string':
      return quoted(plain);
    case 'number':
      return floatText(plain);
    case 'bigint':
      return plain.toString();
    default:
      return plain === true ? 'true' : 'false';
  }
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const text = formatG(value);
  return /[e.]/.test(text) ? text : `${text}.0`;
}

/** A key, quoted where it has to be. */
export function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key);
}

const SHORT: { readonly [character: string]: string } = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

function quoted(text: string): string {
  let out = '"';
  for (const character of text) {
    const isControl = character < ' ' || character === '\x7f';
    const code = isControl ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character;
    out += SHORT[character] ?? code;
  }
  return `${out}"`;
}
