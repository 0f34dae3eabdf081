import type { KubeObject } from '../api/object.ts';
import { field, isObject, type Json, parseJson, stringAt } from '../base/json.ts';
import { readLines } from './body.ts';
import type { WatchEvent } from './client.ts';
import { statusError } from './errors.ts';

/** Reads the events of a watch's body: one JSON document a line. Ends quietly when `signal` is aborted. */
export async function* readWatch(
  body: AsyncIterable<Uint8Array>,
  kind: { readonly apiVersion: string; readonly kind: string },
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  try {
    for await (const line of readLines(body)) {
      if (signal.aborted) return;
      const event = watchEvent(line, kind);
      yield event;
      if (event.type === 'ERROR') return;
    }
  } catch (cause) {
    if (signal.aborted) return;
    const message = cause instanceof Error ? cause.message : String(cause);
    yield { type: 'ERROR', error: { code: 0, reason: 'ConnectionFailed', message: `watch: ${message}` } };
  }
}

function watchEvent(line: string, kind: { readonly apiVersion: string; readonly kind: string }): WatchEvent {
  let event: Json;
  try {
    event = parseJson(line);
  } catch {
    return invalid('watch: an event is not JSON');
  }
  const type = stringAt(event, 'type');
  const object = field(event, 'object');
  if (!isObject(object)) return invalid('watch: an event has no object');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: { apiVersion: kind.apiVersion, kind: kind.kind, ...object } as unknown as KubeObject };
    case 'BOOKMARK': {
      const end = stringAt(object, 'metadata', 'annotations', 'k8s.io/initial-events-end') === 'true';
      return {
        type,
        resourceVersion: stringAt(object, 'metadata', 'resourceVersion') ?? '',
        ...(end ? { initialEventsEnd: true } : {}),
      };
    }
    case 'ERROR':
      return { type, error: statusError(500, object) };
    default:
      return invalid(`watch: unknown event type ${JSON.stringify(type)}`);
  }
}

function invalid(message: string): WatchEvent {
  return { type: 'ERROR', error: { code: 0, reason: 'InvalidAnswer', message } };
}
