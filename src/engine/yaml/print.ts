import { stringify } from 'yaml';
import type { Json } from '../../base/json.ts';

export interface PrintOptions {
  /** Keep the order of the objects' own keys instead of sorting them. */
  readonly keepOrder?: boolean;
}

/** `value` as sigs.k8s.io/yaml prints it, with keys in Go's natural order and a final line break. */
export function printYaml(value: Json, options: PrintOptions = {}): string {
  return stringify(value, { sortMapEntries: options.keepOrder !== true, indentSeq: false });
}
