import type { KubeObject } from '../../api/object.ts';
import { equal } from '../../base/json.ts';
import { json } from '../apiserver/draft.ts';
import type { Reinvocation } from '../apiserver/operation.ts';

/** What is remembered between the two rounds of one request. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/webhook/mutating/reinvocationcontext.go, and plugin/policy/mutating/reinvocationcontext.go. */
export class Round {
  second: boolean = false;
  /** Called so far, and willing to be called again. */
  called: Set<string> = new Set();
  /** To be called again, since the object changed after their call. */
  readonly again: Set<string> = new Set();
  output: KubeObject | undefined;
  readonly #reinvocation: Reinvocation;

  constructor(reinvocation: Reinvocation) {
    this.#reinvocation = reinvocation;
  }

  changed(): void {
    this.require();
    this.#reinvocation.wanted = true;
  }

  require(): void {
    for (const id of this.called) this.again.add(id);
    this.called = new Set();
  }

  finish(object: KubeObject | undefined): void {
    this.output = object;
  }
}

/** The round of the plugin that keeps its notes at `key`. */
export function roundOf(
  reinvocation: Reinvocation | undefined,
  key: string,
  object: KubeObject | undefined,
): Round | undefined {
  if (reinvocation === undefined) return undefined;
  const known = reinvocation.notes.get(key);
  if (!(known instanceof Round)) {
    const made = new Round(reinvocation);
    reinvocation.notes.set(key, made);
    return made;
  }
  known.second = reinvocation.second;
  const same = known.output !== undefined && object !== undefined && equal(json(known.output), json(object));
  if (known.second && !same) known.require();
  return known;
}
