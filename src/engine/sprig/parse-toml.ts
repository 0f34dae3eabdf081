import { err, ok, type Result } from '../../base/result.ts';
import { ANY, mapOf, sliceOf } from '../gotemplate/go-type.ts';
import { typedList } from '../gotemplate/make-value.ts';
import type { TypedList, Value } from '../gotemplate/value.ts';
import { toValidUtf8 } from './cast.ts';
import { MAX_NESTING } from './limits.ts';
import { keyText } from './print-toml.ts';
import { readScalar } from './toml-scalar.ts';
import { readString, shown, TomlProblem, TomlText } from './toml-text.ts';

type Table = Map<string, Value>;
/** What `[[name]]` makes. */
const TABLES = sliceOf(mapOf(ANY));

/** Reads TOML 1.1; fails with the text of BurntSushi/toml. Source: BurntSushi/toml@1.6.0 lex.go, parse.go. */
export function parseToml(text: string): Result<Table, string> {
  const reader = new Reader(new TomlText(toValidUtf8(text.replace(/^\ufeff/, ''))));
  try {
    return ok(reader.document());
  } catch (problem) {
    if (problem instanceof TomlProblem) return err(problem.message);
    throw problem;
  }
}

class Reader {
  private readonly source: TomlText;
  private readonly root: Table = new Map();
  /** Tables that are only there because something in them is, and that may still be defined. */
  private readonly implicit = new Set<Value>();
  private context: readonly string[] = [];
  private currentKey = '';
  private depth = 0;

  constructor(source: TomlText) {
    this.source = source;
    source.lastKey = () => {
      const path = this.context.map(keyText).join('.');
      if (this.currentKey === '') return path;
      return path === '' ? this.currentKey : `${path}.${this.currentKey}`;
    };
  }

  document(): Table {
    let table = this.root;
    for (;;) {
      this.source.skipLines();
      if (this.source.peek() === '') return this.root;
      if (this.source.accept('[')) table = this.header();
      else this.pair(table);
      this.endOfItem();
    }
  }

  private endOfItem(): void {
    this.source.skipBlanks();
    if (this.source.accept('#')) this.source.comment();
    const line = this.source.line;
    if (this.source.take(/\r?\n/y) !== '' || this.source.peek() === '') return;
    const found = shown(this.source.next());
    this.source.fail(
      `expected a top-level item to end with a newline, comment, or EOF, but got ${found} instead`,
      line,
    );
  }

  private header(): Table {
    const isList = this.source.accept('[');
    const line = this.source.line;
    const key: string[] = [];
    do key.push(this.tableName());
    while (this.nameGoesOn());
    if (isList) {
      const found = this.source.next();
      if (found !== ']') {
        this.source.fail(`expected end of table array name delimiter ']', but got ${shown(found)} instead`);
      }
    }
    const parent = this.descend(this.root, key.slice(0, -1), line);
    this.context = key.slice(0, -1);
    const name = key.at(-1) as string;
    const table = isList ? this.append(parent, name, key, line) : this.define(parent, name, key, line);
    this.context = key;
    return table;
  }

  private tableName(): string {
    this.source.skipBlanks();
    const next = this.source.peek();
    if (next === ']' || next === '') this.source.fail('unexpected end of table name (table names cannot be empty)');
    if (next === '.') this.source.fail('unexpected table separator (table names cannot be empty)');
    return this.name();
  }

  private nameGoesOn(): boolean {
    this.source.skipBlanks();
    const found = this.source.next();
    if (found !== '.' && found !== ']') {
      this.source.fail(`expected '.' or ']' to end table name, but got ${shown(found)} instead`);
    }
    return found === '.';
  }

  private name(): string {
    const mark = this.source.peek();
    if (mark === '"' || mark === "'") {
      this.source.next();
      return readString(this.source, mark, false);
    }
    return this.source.take(/[A-Za-z0-9_-]*/y);
  }

  /** The table at `path` under `table`; what is missing on the way is made. */
  private descend(table: Table, path: readonly string[], line: number): Table {
    let current = table;
    for (const [index, name] of path.entries()) {
      const found = current.get(name);
      if (found === undefined) {
        const made: Table = new Map();
        this.implicit.add(made);
        current.set(name, made);
        current = made;
        continue;
      }
      const next = isTables(found) ? found.at(-1) : found;
      if (!(next instanceof Map)) {
        this.source.fail(`Key '${this.path(path.slice(0, index + 1))}' was already created as a hash.`, line);
      }
      current = next;
    }
    return current;
  }

  private define(parent: Table, name: string, key: readonly string[], line: number): Table {
    const found = parent.get(name);
    if (found === undefined) {
      const made: Table = new Map();
      parent.set(name, made);
      return made;
    }
    if (!(found instanceof Map) || !this.implicit.delete(found)) this.defined(key, line);
    return found as Table;
  }

  private append(parent: Table, name: string, key: readonly string[], line: number): Table {
    const made: Table = new Map();
    const found = parent.get(name);
    if (found === undefined) parent.set(name, typedList(TABLES, [made]));
    else if (isTables(found)) found.push(made);
    else this.source.fail(`Key '${this.path(key)}' was already created and cannot be used as an array.`, line);
    return made;
  }

  private defined(key: readonly string[], line: number): never {
    return this.source.fail(`Key '${this.path(key)}' has already been defined.`, line);
  }

  private path(key: readonly string[]): string {
    return key.map(keyText).join('.');
  }

  /** `a.b = value`, in a table or in braces; gives the last part of the key. */
  private pair(table: Table): string {
    const outer = this.context;
    this.source.skipBlanks();
    const next = this.source.peek();
    if (next === '=' || next === '') this.source.fail("unexpected '=': key name appears blank");
    if (next === '.') this.source.fail("unexpected '.': keys cannot start with a '.'");
    const line = this.source.line;
    const key: string[] = [];
    do {
      this.source.skipBlanks();
      const first = this.source.peek();
      if (first === '=' || first === '') this.source.fail("unexpected '='");
      if (first === '.') this.source.fail("unexpected '.'");
      key.push(this.name());
    } while (this.keyGoesOn());
    this.currentKey = key.at(-1) as string;
    const parents = key.slice(0, -1);
    this.context = [...outer, ...parents];
    const value = this.value();
    const into = this.dotted(table, parents, outer, line);
    const before = into.get(this.currentKey);
    if (before === undefined) into.set(this.currentKey, value);
    // Go lets the value of a key that is a table already fall under the table.
    else if (!this.implicit.delete(before)) this.defined([...this.context, this.currentKey], line);
    const name = this.currentKey;
    this.context = outer;
    this.currentKey = '';
    return name;
  }

  /** The table that a dotted key leads to. Any table on the way may be added to, and is no longer open to a header. */
  private dotted(table: Table, path: readonly string[], outer: readonly string[], line: number): Table {
    let current = table;
    for (const [index, name] of path.entries()) {
      const found = current.get(name);
      // Go lets a table take the place of a list of values.
      if (found === undefined || (Array.isArray(found) && !isTables(found))) {
        const made: Table = new Map();
        if (found === undefined) this.implicit.add(made);
        current.set(name, made);
        current = made;
        continue;
      }
      const next = isTables(found) ? found.at(-1) : found;
      if (!(next instanceof Map)) return this.defined([...outer, ...path.slice(0, index + 1)], line);
      this.implicit.delete(next);
      current = next;
    }
    return current;
  }

  private keyGoesOn(): boolean {
    this.source.skipBlanks();
    const line = this.source.line;
    const found = this.source.next();
    if (found === '') this.source.fail("unexpected EOF; expected key separator '='");
    if (found !== '.' && found !== '=') this.source.fail(`expected '.' or '=', but got ${shown(found)} instead`, line);
    return found === '.';
  }

  private value(): Value {
    this.source.skipBlanks();
    if (++this.depth > MAX_NESTING) this.source.fail(`values are nested more than ${MAX_NESTING} levels deep`);
    const value = this.anyValue();
    this.depth--;
    return value;
  }

  private anyValue(): Value {
    const mark = this.source.peek();
    if (mark === '"' || mark === "'") {
      this.source.next();
      const isMultiline = this.source.text.startsWith(mark + mark, this.source.at);
      if (isMultiline) this.source.at += 2;
      return readString(this.source, mark, isMultiline);
    }
    if (this.source.accept('[')) return this.array();
    return this.source.accept('{') ? this.inlineTable() : readScalar(this.source);
  }

  private array(): Value {
    const items: Value[] = [];
    for (;;) {
      this.source.skipLines();
      if (this.source.accept(']')) return items;
      if (this.source.accept(',')) this.source.fail('unexpected comma');
      items.push(this.value());
      this.source.skipLines();
      if (this.source.accept(']')) return items;
      const found = this.source.next();
      if (found !== ',') this.source.fail(`expected a comma (',') or array terminator (']'), but got ${named(found)}`);
    }
  }

  private inlineTable(): Value {
    const table: Table = new Map();
    const [context, key] = [this.context, this.currentKey];
    this.context = [...context, key];
    this.currentKey = '';
    for (;;) {
      this.source.skipLines();
      if (this.source.accept('}')) break;
      if (this.source.accept(',')) this.source.fail('unexpected comma');
      this.currentKey = this.pair(table);
      this.source.skipLines();
      if (this.source.accept('}')) break;
      const found = this.source.next();
      if (found !== ',')
        this.source.fail(`expected a comma or an inline table terminator '}', but got ${named(found)} instead`);
    }
    this.context = context;
    this.currentKey = key;
    return table;
  }
}

function isTables(value: Value): value is TypedList {
  return Array.isArray(value) && 'type' in value && (value as TypedList).type === TABLES;
}

function named(character: string): string {
  return character === '' ? 'end of file' : `'${character}'`;
}
