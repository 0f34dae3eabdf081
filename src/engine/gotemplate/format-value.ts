import {
  bytesText,
  characterText,
  type Flags,
  floatText,
  integerText,
  noFlags,
  pad,
  stringText,
} from './format-basic.ts';
import { fromBytes, sortedKeys } from './go-string.ts';
import { UINT8 } from './go-type.ts';
import { typeOf } from './type-of.ts';
import {
  Complex,
  Func,
  GoError,
  type GoType,
  isList,
  isMap,
  isNil,
  NilPointer,
  Struct,
  Typed,
  TypedList,
  TypedMap,
  type Value,
} from './value.ts';

/*
 * Values under a verb. (go@1.26 fmt/print.go)
 */

/** Nesting at which printing stops: a map can hold itself, at which Go's stack overflows. */
const MAX_DEPTH = 1000;
/** Longest text that one call makes: a width is up to a million, and a value can be printed again and again. */
const MAX_LENGTH = 64 * 1024 * 1024;
/** What stands for a memory address, which no two runs of Go have alike. */
const ADDRESS = 0xc000000000n;

/** Prints values one after the other. */
export class Printer {
  out = '';
  flags: Flags = noFlags();
  /** While a bad verb is reported, no String method is called. */
  #isErroring = false;

  write(text: string): void {
    this.out += text;
    if (this.out.length > MAX_LENGTH) throw new GoError(`formatted text is longer than ${MAX_LENGTH} bytes`);
  }

  /** An argument: what `%VERB` prints of `value`. */
  argument(value: Value, verb: string): void {
    if (value === undefined || value === null) {
      if (verb === 'v' || verb === 'T') this.write(pad('<nil>', this.flags));
      else this.write(`%!${verb}(<nil>)`);
      return;
    }
    if (verb === 'T') this.write(stringText(typeOf(value).name, 's', this.flags));
    else if (verb === 'p') this.#pointer(value, verb);
    // %w is for errors alone, and is refused before a value is looked into.
    else if (verb === 'w' && typeof value === 'object' && !(value instanceof Uint8Array)) this.#badVerb(verb, value);
    else if (value instanceof Uint8Array) this.#bytes(value, verb, 0);
    else this.#value(value, verb, 0);
  }

  #badVerb(verb: string, value: Value): void {
    this.#isErroring = true;
    this.write(`%!${verb}(${typeOf(value).name}=`);
    this.#value(value, 'v', 0);
    this.write(')');
    this.#isErroring = false;
  }

  #value(value: Value, verb: string, depth: number): void {
    switch (typeof value) {
      case 'string':
        return this.#string(value, verb, value);
      case 'bigint':
        return this.#integer(value, verb, true, value);
      case 'number':
        return this.#float(value, 64, verb, value);
      case 'boolean':
        return this.#bool(value, verb, value);
      default:
    }
    if (value === null || value === undefined) return this.write(this.flags.sharpV ? 'interface {}(nil)' : '<nil>');
    if (depth > MAX_DEPTH) throw new GoError('value is nested too deeply to be printed');
    const { text } = typeOf(value);
    if (text !== undefined && !this.#isErroring && !this.flags.sharpV && 'vsxXq'.includes(verb) && !isNil(value)) {
      return this.#string(text(value), verb, value);
    }
    if (value instanceof Typed) return this.#typed(value, verb);
    if (isMap(value)) return this.#map(value, verb, depth);
    if (isList(value)) return this.#list(value, value instanceof TypedList && value.isNil, verb, depth);
    if (value instanceof Uint8Array) return this.#bytes(value, verb, depth);
    if (value instanceof Complex) return this.#complex(value, verb);
    if (value instanceof Struct) return this.#struct(value, verb, depth);
    this.#pointer(value, verb);
  }

  #typed(value: Typed, verb: string): void {
    const { kind } = value.type;
    if (typeof value.value === 'string') this.#string(value.value, verb, value);
    else if (typeof value.value === 'boolean') this.#bool(value.value, verb, value);
    else if (typeof value.value === 'bigint') this.#integer(value.value, verb, !kind.startsWith('u'), value);
    else this.#float(value.value, kind === 'float32' ? 32 : 64, verb, value);
  }

  #bool(value: boolean, verb: string, shown: Value): void {
    if (verb === 't' || verb === 'v') this.write(pad(String(value), this.flags));
    else this.#badVerb(verb, shown);
  }

  #string(value: string, verb: string, shown: Value): void {
    switch (verb) {
      case 'v':
        return this.write(stringText(value, this.flags.sharpV ? 'q' : 's', this.flags));
      case 's':
      case 'q':
      case 'x':
      case 'X':
        return this.write(stringText(value, verb, this.flags));
      default:
        this.#badVerb(verb, shown);
    }
  }

  #integer(value: bigint, verb: string, isSigned: boolean, shown: Value): void {
    switch (verb) {
      case 'v':
        if (this.flags.sharpV && !isSigned) return this.#hexadecimal(value, true);
        return this.write(integerText(value, 'd', this.flags));
      case 'd':
      case 'b':
      case 'o':
      case 'O':
      case 'x':
      case 'X':
        return this.write(integerText(value, verb, this.flags));
      case 'c':
      case 'q':
      case 'U':
        return this.write(characterText(value, verb, this.flags));
      default:
        this.#badVerb(verb, shown);
    }
  }

  #hexadecimal(value: bigint, prefix: boolean): void {
    this.write(integerText(value, 'x', { ...this.flags, sharp: prefix }));
  }

  #float(value: number, bits: 32 | 64, verb: string, shown: Value): void {
    if ('vbgGxXfFeE'.includes(verb)) this.write(floatText(value, bits, verb, this.flags));
    else this.#badVerb(verb, shown);
  }

  #complex(value: Complex, verb: string): void {
    if (!'vbgGxXfFeE'.includes(verb)) return this.#badVerb(verb, value);
    const real = floatText(value.real, 64, verb, this.flags);
    const imaginary = floatText(value.imaginary, 64, verb, { ...this.flags, plus: true });
    this.write(`(${real}${imaginary}i)`);
  }

  #bytes(value: Uint8Array, verb: string, depth: number): void {
    switch (verb) {
      case 's':
        return this.write(stringText(fromBytes(value), 's', this.flags));
      case 'q':
        return this.write(stringText(fromBytes(value), 'q', this.flags));
      case 'x':
      case 'X':
        return this.write(bytesText(value, verb, this.flags));
      default:
    }
    const name = depth === 0 && (verb === 'v' || verb === 'd') ? '[]byte' : '[]uint8';
    const { sharpV } = this.flags;
    this.#sequence(value.length, sharpV ? `${name}{` : '[', sharpV ? '}' : ']', (index) => {
      const byte = BigInt(value[index] as number);
      this.#integer(byte, verb, false, new Typed(UINT8, byte));
    });
  }

  #list(value: readonly Value[], isNilList: boolean, verb: string, depth: number): void {
    if (!this.flags.sharpV) {
      return this.#sequence(value.length, '[', ']', (index) => this.#value(value[index], verb, depth + 1));
    }
    const { name } = typeOf(value);
    if (isNilList) return this.write(`${name}(nil)`);
    this.#sequence(value.length, `${name}{`, '}', (index) => this.#value(value[index], verb, depth + 1));
  }

  #map(value: Map<string, Value>, verb: string, depth: number): void {
    const { name } = typeOf(value);
    if (this.flags.sharpV && value instanceof TypedMap && value.isNil) return this.write(`${name}(nil)`);
    const keys = sortedKeys(value);
    this.#sequence(keys.length, this.flags.sharpV ? `${name}{` : 'map[', this.flags.sharpV ? '}' : ']', (index) => {
      const key = keys[index] as string;
      this.#string(key, verb, key);
      this.write(':');
      this.#value(value.get(key), verb, depth + 1);
    });
  }

  #struct(value: Struct, verb: string, depth: number): void {
    const isPointer = value.type.kind === 'ptr';
    // Only at the top: a pointer inside may lead back.
    if (isPointer && depth > 0) return this.#pointer(value, verb);
    const elem: GoType = isPointer ? (value.type.elem ?? value.type) : value.type;
    const named = this.flags.plusV || this.flags.sharpV;
    const fields = [...value.fields];
    const open = `${isPointer ? '&' : ''}${this.flags.sharpV ? elem.name : ''}{`;
    this.#sequence(fields.length, open, '}', (index) => {
      const [name, field] = fields[index] as [string, Value];
      if (named) this.write(`${name}:`);
      this.#value(field, verb, depth + 1);
    });
  }

  #sequence(length: number, open: string, close: string, item: (index: number) => void): void {
    this.write(open);
    for (let index = 0; index < length; index++) {
      if (index > 0) this.write(this.flags.sharpV ? ', ' : ' ');
      item(index);
    }
    this.write(close);
  }

  #pointer(value: Value, verb: string): void {
    const isAddress = value instanceof Func || isMap(value) || isList(value) || value instanceof Uint8Array;
    const isPointer =
      isAddress || value instanceof NilPointer || (value instanceof Struct && value.type.kind === 'ptr');
    if (!isPointer) return this.#badVerb(verb, value);
    const address = isNil(value) ? 0n : ADDRESS;
    switch (verb) {
      case 'v':
        if (this.flags.sharpV) {
          this.write(`(${typeOf(value).name})(`);
          if (address === 0n) this.write('nil');
          else this.#hexadecimal(address, true);
          return this.write(')');
        }
        if (address === 0n) return this.write(pad('<nil>', this.flags));
        return this.#hexadecimal(address, !this.flags.sharp);
      case 'p':
        return this.#hexadecimal(address, !this.flags.sharp);
      case 'b':
      case 'o':
      case 'd':
      case 'x':
      case 'X':
        return this.write(integerText(address, verb, this.flags));
      default:
        this.#badVerb(verb, value);
    }
  }
}
