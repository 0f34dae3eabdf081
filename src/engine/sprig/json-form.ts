import type { Struct, Value } from '../gotemplate/value.ts';

/** What a struct's hidden data offers when JSON has other parts than its fields: tags, or a MarshalJSON method. */
export interface JsonForm {
  /** The value that is written in its place. @throws GoError */
  jsonForm(): Value;
}

/** The value that JSON shows of a struct: its fields by name, unless its data say otherwise. */
export function jsonFormOf(struct: Struct): Value {
  const { data } = struct;
  return hasJsonForm(data) ? data.jsonForm() : new Map(struct.fields);
}

function hasJsonForm(data: unknown): data is JsonForm {
  return typeof data === 'object' && data !== null && 'jsonForm' in data && typeof data.jsonForm === 'function';
}
