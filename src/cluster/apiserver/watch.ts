import type { KubeObject } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Cancellation } from '../../base/http.ts';
import type { Json } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';
import type { StoreEvent } from '../store/window.ts';
import { LIST_OPTIONS, parseVersion, validateListOptions } from './list.ts';
import type { ResourceType } from './resource-type.ts';
import type { Selection } from './selection.ts';
import { matches, parseSelection } from './selection.ts';
import { expired, invalid, statusBody, tooLargeVersion } from './status.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  /** An object in its storage version, or a Status for ERROR. */
  readonly object: KubeObject;
  /** The bookmark that ends the initial events. */
  readonly initialEnd?: true;
}

export interface WatchRequest {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
  /** Only this object, for `/watch/.../NAME`. */
  readonly name: string | undefined;
  readonly query: URLSearchParams;
  readonly signal: Cancellation | undefined;
}

const DEFINITIONS = 'apiextensions.k8s.io/customresourcedefinitions';
/** As kube-apiserver: without a timeout a watch ends after half an hour to an hour. */
const MIN_TIMEOUT_MS = 1800_000;
const BOOKMARK_EVERY_MS = 60_000;
/** A last bookmark goes out this long before a watch ends. */
const LAST_BOOKMARK_MS = 2_000;
/** What one watcher may have in memory of its own: the rest waits in the history that all share. */
const BATCH = 500;
const BATCH_BYTES = 1024 * 1024;
/** A watcher that takes nothing for so long is closed: its client has to begin anew. */
export const STALL_MS = 30_000;

/** Events in batches, until the timeout, the client's end, or an expired version. */
export function watch(
  store: Store,
  clock: Clock,
  random: (below: number) => number,
  { type, namespace, name, query, signal }: WatchRequest,
  ended: (listener: () => void) => () => void,
): Result<AsyncIterable<readonly WatchEvent[]>, StatusError> {
  const causes = validateListOptions(query, true);
  if (causes.length > 0) return err(invalid(LIST_OPTIONS, '', causes));
  const selection = parseSelection(type, query);
  if (!selection.ok) return selection;
  const asked = parseVersion(query.get('resourceVersion'));
  if (!asked.ok) return err({ code: 500, reason: '', message: asked.error });
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  // One that is over before it begins ends at once.
  const timeoutMs = seconds !== 0 ? Math.max(0, seconds) * 1000 : MIN_TIMEOUT_MS + random(MIN_TIMEOUT_MS);
  const send = query.get('sendInitialEvents');
  const version = asked.value ?? 0;
  const initial = send === null ? version === 0 : send === 'true' || send === '1';
  return ok(
    run({
      store,
      clock,
      type,
      prefix: namespace === undefined ? '' : `${namespace}/`,
      only: name === undefined ? undefined : namespace === undefined ? name : `${namespace}/${name}`,
      selection: selection.value,
      from: version,
      initial,
      initialEnd: initial && (send !== null || version === 0),
      bookmarks: ['true', '1'].includes(query.get('allowWatchBookmarks') ?? ''),
      timeoutMs,
      signal,
      ended,
    }),
  );
}

interface Running {
  readonly store: Store;
  readonly clock: Clock;
  readonly type: ResourceType;
  readonly prefix: string;
  readonly only: string | undefined;
  readonly selection: Selection;
  readonly from: number;
  readonly initial: boolean;
  readonly initialEnd: boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
  readonly signal: Cancellation | undefined;
  readonly ended: (listener: () => void) => () => void;
}

async function* run(watch: Running): AsyncGenerator<readonly WatchEvent[]> {
  const { store, clock, type, signal } = watch;
  if (watch.timeoutMs === 0) return;
  let wake: (() => void) | undefined;
  let stopped = signal?.aborted === true;
  let timedOut = false;
  let bookmarkDue = false;
  const awaken = (): void => {
    wake?.();
    wake = undefined;
  };
  const stop = (): void => {
    stopped = true;
    awaken();
  };
  const cancels: (() => void)[] = [];
  const unlisten = store.listen(type.storage, awaken);
  signal?.addEventListener('abort', stop, { once: true });
  cancels.push(
    watch.ended(stop),
    clock.after(watch.timeoutMs, () => {
      timedOut = true;
      awaken();
    }),
  );
  const definition = type.definition?.metadata.name;
  if (definition !== undefined)
    cancels.push(
      // With its definition a kind's watches end, after their last events: clients look again, and find nothing.
      store.listen(DEFINITIONS, () => {
        if (store.get(DEFINITIONS, definition) !== undefined) return;
        timedOut = true;
        awaken();
      }),
    );
  if (watch.bookmarks) {
    const again = (delay: number): void => {
      let cancel = (): void => undefined;
      cancel = clock.after(delay, () => {
        bookmarkDue = true;
        awaken();
        again(BOOKMARK_EVERY_MS);
      });
      cancels.push(() => cancel());
    };
    const last = watch.timeoutMs - LAST_BOOKMARK_MS;
    // As on the real server (measured with 1.34.1) a watch shorter than that has none.
    again(last > 0 ? Math.min(last, BOOKMARK_EVERY_MS) : BOOKMARK_EVERY_MS);
  }
  try {
    let cursor = watch.from;
    if (watch.initial && watch.from > store.revision) {
      yield [failed(tooLargeVersion(watch.from, store.revision))];
      return;
    }
    if (watch.initial) {
      cursor = store.revision;
      let batch: WatchEvent[] = [];
      let bytes = 0;
      const keys = store.keys(type.storage, watch.prefix);
      for (const [index, entry] of store.listEntries(type.storage, watch.prefix).entries()) {
        if (watch.only !== undefined && keys[index] !== watch.only) continue;
        if (!matches(watch.selection, entry.object)) continue;
        batch.push({ type: 'ADDED', object: entry.object });
        bytes += entry.bytes;
        if (batch.length < BATCH && bytes < BATCH_BYTES) continue;
        yield batch;
        if (stopped) return;
        batch = [];
        bytes = 0;
      }
      if (watch.initialEnd && watch.bookmarks) batch.push(bookmark(type, cursor, true));
      // An empty first batch still opens the stream.
      yield batch;
    } else {
      if (cursor === 0) cursor = store.revision;
      if (cursor > store.revision) cursor = watch.from;
      yield [];
    }
    let sent = cursor;
    while (!stopped) {
      const events = store.window.after(type.storage, cursor, BATCH);
      if (events === undefined) {
        yield [failed(expired(`too old resource version: ${cursor} (${store.window.oldest})`))];
        return;
      }
      if (events.length > 0) {
        const out: WatchEvent[] = [];
        let bytes = 0;
        for (const event of events) {
          if (bytes > BATCH_BYTES) break;
          cursor = event.revision;
          if (!event.key.startsWith(watch.prefix)) continue;
          if (watch.only !== undefined && event.key !== watch.only) continue;
          const seen = translate(event, watch.selection);
          if (seen === undefined) continue;
          out.push(seen);
          bytes += event.bytes;
        }
        sent = cursor;
        if (out.length > 0) yield out;
        continue;
      }
      if (timedOut) return;
      if (bookmarkDue) {
        bookmarkDue = false;
        // Nothing of this kind happened up to the store's revision: the client may start again from there.
        sent = Math.max(sent, store.revision);
        yield [bookmark(type, sent, false)];
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (stopped || timedOut) awaken();
      });
    }
  } finally {
    unlisten();
    signal?.removeEventListener('abort', stop);
    for (const cancel of cancels) cancel();
  }
}

/** An event as a client with this selection sees it. Source: kubernetes@1.34 apiserver/pkg/storage/etcd3/watcher.go. */
function translate(event: StoreEvent, selection: Selection): WatchEvent | undefined {
  const { object, previous } = event;
  if (selection.empty) return { type: event.type, object };
  const now = event.type !== 'DELETED' && matches(selection, object);
  const before = previous !== undefined && matches(selection, previous);
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object };
  if (!before || previous === undefined) return undefined;
  const version = object.metadata.resourceVersion as string;
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion: version } } };
}

function bookmark(type: ResourceType, revision: number, initialEnd: boolean): WatchEvent {
  const object = {
    kind: type.kind,
    apiVersion: type.storageApiVersion,
    metadata: {
      resourceVersion: String(revision),
      ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  } as unknown as KubeObject;
  return { type: 'BOOKMARK', object, ...(initialEnd ? { initialEnd: true as const } : {}) };
}

function failed(error: StatusError): WatchEvent {
  return { type: 'ERROR', object: statusBody(error) as Json as unknown as KubeObject };
}
