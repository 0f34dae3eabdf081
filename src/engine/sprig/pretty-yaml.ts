import { formatFloat } from '../gotemplate/float.ts';
import { hasEscapes, toBytes } from '../gotemplate/go-string.ts';
import { typeOf } from '../gotemplate/type-of.ts';
import { Complex, Func, isList, isMap, isNil, Struct, Typed, type Value } from '../gotemplate/value.ts';
import { encodeBase64 } from '../schema/base64.ts';
import { compareKeys } from '../yaml/key-order.ts';
import {
  BINARY_TAG,
  DOUBLE_QUOTED,
  LITERAL,
  mapNode,
  STR_TAG,
  scalarNode,
  seqNode,
  type YamlNode,
} from '../yaml/node.ts';
import { printNode } from '../yaml/print-node.ts';
import { resolveTag } from '../yaml/resolve.ts';
import { DURATION, printDuration } from './duration.ts';
import { GoTime } from './go-time.ts';
import { jsonFormOf } from './json-form.ts';
import { checkTextBytes, NodeMeter } from './limits.ts';

const NAME = 'toYamlPretty';

/**
 * A template's value as sigs.k8s.io/yaml/goyaml.v3 writes it, with sequences indented by two. It sees Go's types themselves, not
 * JSON made of them as `toYaml` does. What it cannot write is nothing. Source: helm@4.1.4 pkg/engine/funcs.go, toYAMLPretty.
 */
export function printPrettyYaml(value: Value): string {
  const node = new Tree().node(value, 0);
  return node === undefined ? '' : printNode(node, { stock: true });
}

class Tree {
  private readonly meter = new NodeMeter(NAME);
  private bytes = 0;

  /** Undefined when there is something in it that YAML cannot hold. */
  node(value: Value, depth: number): YamlNode | undefined {
    this.meter.visit(depth);
    if (typeof value === 'string') this.bytes += value.length;
    checkTextBytes(NAME, this.bytes);
    if (isMap(value)) return this.mapping(Array.from(value), depth);
    if (isNil(value)) return isList(value) ? seqNode() : scalarNode('null');
    if (isList(value)) return this.sequence(value, depth);
    if (value instanceof Uint8Array) return this.sequence(Array.from(value, BigInt), depth);
    if (value instanceof Struct) {
      const form = jsonFormOf(value);
      // A time is a scalar of its own; other texts are strings.
      if (typeof form === 'string') return value.data instanceof GoTime ? scalarNode(form) : text(form);
      return this.mapping(
        Array.from(value.fields, ([name, item]) => [name.toLowerCase(), item] as const),
        depth,
      );
    }
    return value instanceof Complex || value instanceof Func ? undefined : scalar(value);
  }

  private mapping(entries: readonly (readonly [string, Value])[], depth: number): YamlNode | undefined {
    const content: YamlNode[] = [];
    for (const [key, value] of entries.toSorted(([a], [b]) => compareKeys(a, b, 'v3'))) {
      const node = this.node(value, depth + 1);
      if (node === undefined) return undefined;
      content.push(text(key), node);
    }
    return mapNode(content);
  }

  private sequence(items: readonly Value[], depth: number): YamlNode | undefined {
    const content: YamlNode[] = [];
    for (const item of items) {
      const node = this.node(item, depth + 1);
      if (node === undefined) return undefined;
      content.push(node);
    }
    return seqNode(content);
  }
}

function scalar(value: Value): YamlNode {
  const plain = value instanceof Typed ? value.value : value;
  switch (typeof plain) {
    case 'string':
      return text(plain);
    case 'number':
      return scalarNode(float(plain, typeOf(value).kind === 'float32' ? 32 : 64));
    case 'bigint': {
      const isDuration = value instanceof Typed && value.type.name === DURATION.name;
      return scalarNode(isDuration ? printDuration(plain) : plain.toString());
    }
    default:
      return scalarNode(plain === true ? 'true' : 'false');
  }
}

function float(value: number, bits: 32 | 64): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return formatFloat(value, 'g', -1, bits);
}

/** Words that YAML 1.1 takes for booleans, and numbers to the base of 60, are quoted though YAML 1.2 takes neither. */
const OLD_BOOLEAN = /^(?:[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF)$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

function text(value: string): YamlNode {
  if (hasEscapes(value)) return scalarNode(encodeBase64(toBytes(value)), BINARY_TAG);
  if (value.includes('\n')) return scalarNode(value, STR_TAG, LITERAL);
  const plain = resolveTag(value, 'v3') === STR_TAG && !OLD_BOOLEAN.test(value) && !BASE_60.test(value);
  return scalarNode(value, STR_TAG, plain ? 0 : DOUBLE_QUOTED);
}
