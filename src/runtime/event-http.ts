import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { sleep } from '../kube/send.ts';
import type { EventSink, ReadyEvent } from './event-sink.ts';
import { timestamp } from './timestamp.ts';

/** Posts a JSON body and tells the HTTP status; rejects when there is no answer. */
export type PostJson = (url: string, body: string, signal: AbortSignal) => Promise<number>;

export interface HttpEventsOptions {
  /** `--events-addr`. */
  readonly address: string;
  readonly post: PostJson;
  readonly clock: Clock;
  readonly log: Log;
  readonly instance: string;
  readonly observe?: (code: number, durationMs: number) => void;
}

/** Flux gives a request 5 s and the retrying client 4 more attempts. Source: fluxcd/pkg runtime/events, go-retryablehttp. */
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 1_000;

/** Sends events to the notification controller. `trace` events are not sent; 429 says that it has the event already. */
export function httpEvents(options: HttpEventsOptions): EventSink {
  const { address, post, clock, log, observe } = options;
  return {
    async send(event, signal) {
      if (event.severity === 'trace' || event.only === 'cluster') return;
      const body = JSON.stringify(payload(event, options.instance));
      for (let attempt = 1; ; attempt++) {
        const startedMs = clock.now();
        const status = await post(
          address,
          body,
          AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
        ).catch(() => 0);
        observe?.(status, clock.now() - startedMs);
        if ((status >= 200 && status < 300) || status === 429) return;
        const mayRepeat = status === 0 || status >= 500;
        if (!mayRepeat || attempt === MAX_ATTEMPTS || signal.aborted) {
          const why = status === 0 ? 'no answer' : `HTTP status ${status}`;
          log.error('unable to record event', { name: event.object.name, reason: event.reason, error: why });
          return;
        }
        await sleep(clock, FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
      }
    },
  };
}

/** Source: fluxcd/pkg apis/event/v1beta1. */
function payload(event: ReadyEvent, instance: string): object {
  const { object, severity, message, reason, annotations, component, atMs } = event;
  return {
    involvedObject: object,
    severity,
    timestamp: timestamp(atMs),
    message,
    reason,
    ...(Object.keys(annotations).length === 0 ? {} : { metadata: annotations }),
    reportingController: component,
    reportingInstance: instance,
  };
}
