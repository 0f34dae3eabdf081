import { protobufMessages } from './builtins.ts';

const fieldOrders = new Map<string, readonly string[] | undefined>();

/** Names of a built-in definition's fields as its Go struct declares them: protobuf files keep that order. */
export function goFieldOrder(definition: string): readonly string[] | undefined {
  if (!fieldOrders.has(definition)) {
    const message = definition.replace(/^io\.k8s\./, 'k8s.io.').replaceAll('-', '_');
    fieldOrders.set(definition, fieldNames(message));
  }
  return fieldOrders.get(definition);
}

/** Rows without a name are embedded structs: their fields stand in their place. */
function fieldNames(message: string): readonly string[] | undefined {
  const rows = protobufMessages()[message];
  return rows?.flatMap(([, name, type]) => (name === '' ? (fieldNames(type) ?? []) : [name]));
}
