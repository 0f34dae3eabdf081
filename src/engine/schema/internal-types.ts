import { isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { INTERNAL_FIELDS } from './internal-fields.generated.ts';
import { unifiedDiff } from './unified-diff.ts';

type Fields = readonly (readonly [goName: string, name: string, kind: string])[];

let tables: { readonly [type: string]: Fields } | undefined;

function fieldsOf(type: string): Fields | undefined {
  tables ??= JSON.parse(INTERNAL_FIELDS) as { readonly [type: string]: Fields };
  return Object.hasOwn(tables, type) ? tables[type] : undefined;
}

/** Fields of a pod that the internal type keeps in its security context. */
const OF_THE_POD = ['HostNetwork', 'HostPID', 'HostIPC', 'ShareProcessNamespace', 'HostUsers'];

/** An object of `type` (`PodSpec`, `PersistentVolumeClaimSpec`, ...) as kube-apiserver's internal Go type prints it. */
export function internalObject(type: string, value: Json | undefined): JsonObject {
  const from = isObject(value) ? value : {};
  const out: { [key: string]: Json } = {};
  for (const [goName, name, kind] of fieldsOf(type) ?? []) {
    if (kind === 'meta') Object.assign(out, isObject(from[name]) ? from[name] : {});
    else out[goName] = internalValue(kind, from[name]);
  }
  if (type === 'PodSpec' && isObject(out['SecurityContext'])) {
    const context: { [key: string]: Json } = { ...out['SecurityContext'] };
    for (const key of OF_THE_POD) {
      const own = from[key.startsWith('Host') ? `host${key.slice(4)}` : 'shareProcessNamespace'];
      if (own !== undefined) context[key] = own;
    }
    out['SecurityContext'] = context;
  }
  return out;
}

function internalValue(kind: string, value: Json | undefined): Json {
  if (kind.startsWith('*')) return value === undefined || value === null ? null : internalValue(kind.slice(1), value);
  if (kind.startsWith('[]')) return isArray(value) ? value.map((item) => internalValue(kind.slice(2), item)) : null;
  switch (kind) {
    case 'map':
      return isObject(value) ? sorted(value) : null;
    case 'q':
      return value ?? '0';
    case 'i':
    case 'n':
      return value ?? 0;
    case 's':
      return value ?? '';
    case 'b':
      return value ?? false;
    case 'j':
      return value ?? {};
    default:
      return internalObject(kind, value);
  }
}

function sorted(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, value[key] as Json]),
  );
}

/** What changed between two objects of `type`, in the words in which the server says it. */
export function internalDiff(type: string, before: Json | undefined, after: Json | undefined): string {
  return unifiedDiff(printed(internalObject(type, before)), printed(internalObject(type, after)));
}

/** As Go's json.MarshalIndent, with one blank. */
function printed(value: Json): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part), 1).replace(
    /[<>&]/g,
    (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`,
  );
}
