import type { Json, JsonObject } from '../../base/json.ts';
import { field, isObject, parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import { jsonSyntaxError } from '../../base/json-syntax.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { decodeProtobuf } from '../../engine/protobuf/decode.ts';
import { inMapOrder } from '../../engine/schema/go-order.ts';
import { printYamlError } from '../../engine/yaml/error.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import { protobufMessages } from '../data/builtins.ts';
import type { StatusError } from '../registry.ts';
import { duplicateFields, fieldPositions, mergeDuplicates, wholeFractions } from './duplicate-fields.ts';
import { badRequest } from './status.ts';

/** As the real server: `--max-request-body-bytes`, 3 MiB. */
export const MAX_BODY_BYTES: number = 3 * 1024 * 1024;

export interface DecodedBody {
  readonly value: JsonObject;
  /** Fields that the text holds twice: `metadata.name`. */
  readonly duplicates: readonly string[];
  /** What a typed reader makes of a text with duplicates: a field that comes again is read into what the first left. */
  readonly merged?: JsonObject;
  /** Where the text holds what; see {@link fieldPositions}. */
  readonly positions?: ReadonlyMap<string, number>;
  /** Whole numbers that are not written as such; see {@link wholeFractions}. */
  readonly fractions?: ReadonlyMap<string, string>;
}

const ACCEPTED = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
/** Aliases may multiply a small document; the real server allows as much. */
const MAX_YAML_GROWTH = 10;

export function unsupportedMediaType(message: string, details?: { readonly [key: string]: Json }): StatusError {
  return {
    code: 415,
    reason: 'UnsupportedMediaType',
    message,
    ...(details === undefined ? {} : { details }),
  };
}

/** The object in a request's body. Errors are worded as kubernetes@1.34 apimachinery/pkg/runtime/serializer says them. */
export function decodeBody(
  contentType: string | undefined,
  body: Uint8Array,
  kind: string,
): Result<DecodedBody, StatusError> {
  const type = mediaType(contentType);
  if (type === 'application/vnd.kubernetes.protobuf') return decodeBinary(body, kind);
  const text = new TextDecoder().decode(body);
  if (type === '' || type === 'application/json') return decodeJson(text, kind, body);
  if (type === 'application/yaml') return decodeYaml(text, kind, body);
  return err(
    unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${ACCEPTED}`,
    ),
  );
}

export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** A body that holds no object of a kind. */
export function unrecognized(kind: string, why: string, body: Uint8Array): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${excerpt(body)})`);
}

function decodeJson(text: string, kind: string, body: Uint8Array): Result<DecodedBody, StatusError> {
  let value: Json;
  try {
    value = wellFormed(parseJson(text));
  } catch (cause) {
    const why = cause instanceof RangeError ? 'exceeded max depth' : jsonSyntaxError(text);
    return err(unrecognized(kind, `couldn't get version/kind; json parse error: ${why}`, body));
  }
  if (value === null) return ok({ value: {}, duplicates: [] });
  const wrong = wrongTypeMeta(value);
  if (wrong !== undefined || !isObject(value)) return err(unrecognized(kind, wrong ?? '', body));
  const duplicates = duplicateFields(text);
  const fractions = wholeFractions(text);
  return ok(
    duplicates.length === 0
      ? { value, duplicates, fractions }
      : { value, duplicates, fractions, merged: mergeDuplicates(text), positions: fieldPositions(text) },
  );
}

/** Why a server cannot tell what kind an object is of; undefined when it can. */
export function wrongTypeMeta(value: Json): string | undefined {
  const unreadable = (what: Json, into: string): string =>
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${goKind(what)} into Go ${into}`;
  if (!isObject(value)) return unreadable(value, `value of type ${TYPE_META}`);
  for (const key of ['apiVersion', 'kind']) {
    const found = field(value, key);
    if (found !== undefined && found !== null && typeof found !== 'string')
      return unreadable(found, `struct field .${key} of type string`);
  }
  const apiVersion = stringAt(value, 'apiVersion') ?? '';
  return apiVersion.split('/').length > 2 ? `unexpected GroupVersion string: ${apiVersion}` : undefined;
}

/** What a body is read as to learn its kind. */
export const TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** What encoding/json calls a value. */
export function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}

/** Bytes of a body that an error quotes. */
const EXCERPT_BYTES = 30;

/** The start of a body as the real server quotes it: text when it looks like JSON, else hexadecimal digits. */
function excerpt(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const start = Buffer.from(body.subarray(0, EXCERPT_BYTES)).toString(body[0] === 0x7b ? 'utf8' : 'hex');
  return body.length > EXCERPT_BYTES ? `${start} ...` : start;
}

function decodeYaml(text: string, kind: string, body: Uint8Array): Result<DecodedBody, StatusError> {
  const parsed = parseYaml(text);
  if (!parsed.ok) return err(unrecognized(kind, `yaml: ${printYamlError(parsed.error).replace(/^yaml: /, '')}`, body));
  const strict = parseYaml(text, { strict: true });
  const duplicates = strict.ok ? [] : [printYamlError(strict.error)];
  const { value } = parsed;
  if (value === null) return ok({ value: {}, duplicates: [] });
  const wrong = wrongTypeMeta(value);
  if (wrong !== undefined || !isObject(value)) return err(unrecognized(kind, wrong ?? '', body));
  if (text.length < 100_000 && stringifyJson(value).length > Math.max(1_000_000, text.length * MAX_YAML_GROWTH * 10))
    return err(badRequest('error converting YAML to JSON: yaml: document contains excessive aliasing'));
  // Converted to JSON on the way, by Go's maps.
  return ok({ value: inMapOrder(value) as JsonObject, duplicates });
}

function decodeBinary(body: Uint8Array, kind: string): Result<DecodedBody, StatusError> {
  const decoded = decodeProtobuf(body, protobufMessages());
  if (!decoded.ok) return err(unrecognized(kind, decoded.error.message, body));
  return ok({ value: decoded.value.object, duplicates: [] });
}

/** Go replaces lone surrogates; a store that kept them could not be written as UTF-8. */
function wellFormed(value: Json): Json {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? 0 : part));
  if (!/\\ud[89a-f]/i.test(text)) return value;
  return parseJson(stringifyJson(value).replace(/\\u(d[89a-f][0-9a-f]{2})/gi, '\ufffd'));
}
