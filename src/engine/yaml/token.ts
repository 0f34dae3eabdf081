import type { YamlError } from './error.ts';

export const STREAM_END = 0;
export const VERSION_DIRECTIVE = 1;
export const TAG_DIRECTIVE = 2;
export const DOCUMENT_START = 3;
export const DOCUMENT_END = 4;
export const BLOCK_SEQUENCE_START = 5;
export const BLOCK_MAPPING_START = 6;
export const BLOCK_END = 7;
export const FLOW_SEQUENCE_START = 8;
export const FLOW_SEQUENCE_END = 9;
export const FLOW_MAPPING_START = 10;
export const FLOW_MAPPING_END = 11;
export const BLOCK_ENTRY = 12;
export const FLOW_ENTRY = 13;
export const KEY = 14;
export const VALUE = 15;
export const ALIAS = 16;
export const ANCHOR = 17;
export const TAG = 18;
export const SCALAR = 19;

export interface Token {
  readonly type: number;
  /** From 0. */
  readonly line: number;
  readonly value: string;
  /** Of a scalar: its style bit. */
  readonly style: number;
  /** Suffix of a tag, prefix of a %TAG directive. */
  readonly suffix: string;
}

/** Thrown by the scanner and the composer, and turned into a Result where the parse began. */
export class YamlFailure extends Error {
  readonly detail: YamlError;
  constructor(message: string, line: number, whole = false) {
    super(message);
    // Go's libraries print no line for a problem in the first one.
    this.detail = { message, line: Math.max(line, 1), column: 0, ...((whole || line < 1) && { whole: true }) };
  }
}

/**
 * Deepest nesting that is read. Go's library stops at 10,000; ours at the depth that every recursive filter behind it can
 * take on the default stack.
 */
export const MAX_NESTING = 1000;
