import type { Result } from '../base/result.ts';
import type { ByteStream } from './pod-program.ts';

/** One POST of JSON to a webhook. */
export interface OutgoingPost {
  /** `https://host[:port]/path?query`; the host is what the certificate must name. */
  readonly url: string;
  /** PEM of the authorities to trust; the system's when undefined. */
  readonly authorities?: string;
  /** Where the bytes go when that is not the URL's host: an address, or a stream into a simulated pod. */
  readonly via?: { readonly host: string; readonly port: number } | { readonly open: () => ByteStream | undefined };
  readonly body: string;
  /** Answers above this many bytes are refused. */
  readonly maxBytes: number;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * How the API server reaches programs outside of it. Fails with what went wrong on the way, in the words of Go's net/http and without
 * the URL: `dial tcp 127.0.0.1:9443: connect: connection refused`.
 */
export type SendOutgoing = (post: OutgoingPost) => Promise<Result<OutgoingAnswer, string>>;
