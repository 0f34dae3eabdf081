import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { stringifyJson } from '../../base/json.ts';
import type { Presenter } from './present.ts';
import type { WatchEvent } from './watch.ts';

const MAX_TEXTS = 512;
const MAX_TEXT_LENGTH = 8 * 1024 * 1024;

/** The watches of one server: how many are open, and the last objects as text, which many of them send at the same time. */
export class Watches {
  readonly #texts = new Map<string, WeakMap<KubeObject, string>>();
  #recent: string[] = [];
  #length = 0;
  #open = 0;

  get open(): number {
    return this.#open;
  }

  /** Counts a watch until the returned function is called. */
  begin(): () => void {
    this.#open++;
    return () => {
      this.#open--;
    };
  }

  /** `write`s an object, or gives what it wrote before; `shape` names how it is shown. */
  text(shape: string, object: KubeObject, write: () => string): string {
    let texts = this.#texts.get(shape);
    const known = texts?.get(object);
    if (known !== undefined) return known;
    const text = write();
    this.#length += text.length;
    if (this.#recent.length >= MAX_TEXTS || this.#length > MAX_TEXT_LENGTH) {
      // All at once: which of them are still needed is not worth knowing.
      this.#texts.clear();
      this.#recent = [];
      this.#length = text.length;
      texts = undefined;
    }
    this.#recent.push(text);
    if (texts === undefined) this.#texts.set(shape, (texts = new WeakMap()));
    texts.set(object, text);
    return text;
  }
}

/** The events of a watch as its body: one JSON document a line, each batch a piece. */
export async function* encodeEvents(
  batches: AsyncIterable<readonly WatchEvent[]>,
  shown: Presenter,
  watches: Watches,
): AsyncGenerator<Uint8Array> {
  const end = watches.begin();
  try {
    let first = true;
    for await (const batch of batches) {
      let lines = '';
      for (const { type, object } of batch) {
        if (type === 'ERROR') lines += line(type, stringifyJson(object as unknown as Json));
        else if (type === 'BOOKMARK') lines += line(type, stringifyJson(shown.bookmark(object)));
        else {
          const { shape } = shown;
          const write = (): string => stringifyJson(shown.event(object, first));
          lines += line(type, shape === undefined ? write() : watches.text(shape, object, write));
          first = false;
        }
      }
      // An empty chunk opens the stream: the headers go out before anything happens.
      yield new TextEncoder().encode(lines);
    }
  } finally {
    end();
  }
}

function line(type: string, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}
