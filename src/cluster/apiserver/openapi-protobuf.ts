import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
import { printYaml } from '../../engine/yaml/print.ts';

/**
 * Writes an OpenAPI v2 document as `openapi.v2.Document`, which is what kubectl and older clients ask for.
 * Source: gnostic-models@0.7.0 openapiv2/OpenAPIv2.proto; extensions and defaults are kept there as YAML text.
 */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const writer = new Writer();
  writer.text(1, document['swagger']);
  writer.message(2, document['info'], writeInfo);
  writer.message(8, document['paths'], writePaths);
  writer.message(9, document['definitions'], (out, definitions) => writeNamed(out, 1, definitions, writeSchema));
  writer.message(10, document['parameters'], (out, all) => writeNamed(out, 1, all, writeParameter));
  for (const one of items(document['security']))
    writer.message(12, one, (out, scheme) => writeNamed(out, 1, scheme, (list, scopes) => list.texts(1, scopes)));
  writer.message(13, document['securityDefinitions'], (out, all) =>
    writeNamed(out, 1, all, (item, definition) => item.message(2, definition, writeApiKey)),
  );
  return writer.bytes();
}

type Write = (out: Writer, value: Json) => void;

/** Fields of one message; lengths are known when a message is whole, so inner ones are written first. */
class Writer {
  #buffer = Buffer.alloc(256);
  #length = 0;

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  text(number: number, value: Json | undefined): void {
    if (typeof value === 'string' && value !== '') this.#block(number, Buffer.from(value));
  }

  texts(number: number, value: Json | undefined): void {
    for (const item of items(value)) if (typeof item === 'string') this.#block(number, Buffer.from(item));
  }

  flag(number: number, value: Json | undefined): void {
    if (value === true) this.integer(number, 1);
  }

  integer(number: number, value: Json | undefined): void {
    if (typeof value !== 'number' && typeof value !== 'bigint') return;
    if (BigInt(value) === 0n) return;
    this.#varint(number << 3);
    this.#varint(BigInt.asUintN(64, BigInt(value)));
  }

  double(number: number, value: Json | undefined): void {
    if ((typeof value !== 'number' && typeof value !== 'bigint') || Number(value) === 0) return;
    this.#varint((number << 3) | 1);
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(Number(value));
    this.#append(bytes);
  }

  message(number: number, value: Json | undefined, write: Write): void {
    if (value === undefined) return;
    const inner = new Writer();
    write(inner, value);
    this.#block(number, inner.bytes());
  }

  #block(number: number, bytes: Buffer): void {
    this.#varint((number << 3) | 2);
    this.#varint(bytes.length);
    this.#append(bytes);
  }

  #varint(value: number | bigint): void {
    const bytes: number[] = [];
    let left = BigInt(value);
    do {
      const low = Number(left & 0x7fn);
      left >>= 7n;
      bytes.push(left === 0n ? low : low | 0x80);
    } while (left !== 0n);
    this.#append(Buffer.from(bytes));
  }

  #append(bytes: Buffer): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown);
      this.#buffer = grown;
    }
    bytes.copy(this.#buffer, this.#length);
    this.#length = needed;
  }
}

function items(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

/** A map is a list of pairs. */
function writeNamed(out: Writer, number: number, map: Json, write: Write): void {
  if (!isObject(map)) return;
  for (const name of Object.keys(map))
    out.message(number, map[name], (pair, value) => {
      pair.text(1, name);
      pair.message(2, value, write);
    });
}

const writeAny: Write = (out, value) => out.text(2, printYaml(value));

function writeExtensions(out: Writer, number: number, value: Json): void {
  if (!isObject(value)) return;
  for (const name of Object.keys(value).filter((key) => key.startsWith('x-')))
    out.message(number, value[name], (pair, any) => {
      pair.text(1, name);
      pair.message(2, any, writeAny);
    });
}

const writeInfo: Write = (out, info) => {
  out.text(1, field(info, 'title'));
  out.text(2, field(info, 'version'));
};

const writePaths: Write = (out, paths) => writeNamed(out, 2, paths, writePath);

const OPERATIONS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];

const writePath: Write = (out, path) => {
  OPERATIONS.forEach((name, index) => out.message(index + 2, field(path, name), writeOperation));
  for (const parameter of items(field(path, 'parameters'))) out.message(9, parameter, writeParameterItem);
};

const writeOperation: Write = (out, operation) => {
  out.texts(1, field(operation, 'tags'));
  out.text(3, field(operation, 'description'));
  out.text(5, field(operation, 'operationId'));
  out.texts(6, field(operation, 'produces'));
  out.texts(7, field(operation, 'consumes'));
  for (const parameter of items(field(operation, 'parameters'))) out.message(8, parameter, writeParameterItem);
  out.message(9, field(operation, 'responses'), (all, responses) => writeNamed(all, 1, responses, writeResponse));
  out.texts(10, field(operation, 'schemes'));
  out.flag(11, field(operation, 'deprecated'));
  writeExtensions(out, 13, operation);
};

const writeParameterItem: Write = (out, item) => {
  const reference = stringAt(item, '$ref');
  if (reference === undefined) out.message(1, item, writeParameter);
  else out.message(2, item, (inner) => inner.text(1, reference));
};

const writeParameter: Write = (out, parameter) => {
  const place = stringAt(parameter, 'in');
  if (place === 'body')
    out.message(1, parameter, (body) => {
      body.text(1, field(parameter, 'description'));
      body.text(2, field(parameter, 'name'));
      body.text(3, place);
      body.flag(4, field(parameter, 'required'));
      body.message(5, field(parameter, 'schema'), writeSchema);
    });
  // In the path, fields after the name come one earlier: there is no empty value.
  else
    out.message(2, parameter, (other) =>
      other.message(place === 'path' ? 4 : 3, parameter, (inner) => {
        const shift = place === 'path' ? 0 : 1;
        inner.flag(1, field(parameter, 'required'));
        inner.text(2, place);
        inner.text(3, field(parameter, 'description'));
        inner.text(4, field(parameter, 'name'));
        inner.text(5 + shift, field(parameter, 'type'));
        inner.text(6 + shift, field(parameter, 'format'));
        inner.flag(19 + shift, field(parameter, 'uniqueItems'));
      }),
    );
};

const writeResponse: Write = (out, response) =>
  out.message(1, response, (inner) => {
    inner.text(1, field(response, 'description'));
    inner.message(2, field(response, 'schema'), (item, schema) => item.message(1, schema, writeSchema));
  });

const writeSchema: Write = (out, schema) => {
  const get = (key: string): Json | undefined => field(schema, key);
  out.text(1, get('$ref'));
  out.text(2, get('format'));
  out.text(3, get('title'));
  out.text(4, get('description'));
  out.message(5, get('default'), writeAny);
  out.double(6, get('multipleOf'));
  out.double(7, get('maximum'));
  out.flag(8, get('exclusiveMaximum'));
  out.double(9, get('minimum'));
  out.flag(10, get('exclusiveMinimum'));
  out.integer(11, get('maxLength'));
  out.integer(12, get('minLength'));
  out.text(13, get('pattern'));
  out.integer(14, get('maxItems'));
  out.integer(15, get('minItems'));
  out.flag(16, get('uniqueItems'));
  out.integer(17, get('maxProperties'));
  out.integer(18, get('minProperties'));
  out.texts(19, get('required'));
  for (const value of items(get('enum'))) out.message(20, value, writeAny);
  out.message(21, get('additionalProperties'), (inner, value) => {
    if (typeof value === 'boolean') inner.flag(2, value);
    else inner.message(1, value, writeSchema);
  });
  const type = get('type');
  out.message(22, type, (inner) => (isArray(type) ? inner.texts(1, type) : inner.text(1, type)));
  out.message(23, get('items'), (inner, value) => inner.message(1, value, writeSchema));
  for (const part of items(get('allOf'))) out.message(24, part, writeSchema);
  out.message(25, get('properties'), (inner, value) => writeNamed(inner, 1, value, writeSchema));
  writeExtensions(out, 31, schema);
};

const writeApiKey: Write = (out, definition) => {
  out.text(1, field(definition, 'type'));
  out.text(2, field(definition, 'name'));
  out.text(3, field(definition, 'in'));
  out.text(4, field(definition, 'description'));
};
