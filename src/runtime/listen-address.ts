import { err, ok, type Result } from '../base/result.ts';

export interface ListenAddress {
  /** Undefined: every interface. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Reads Go's listen address: `:8080`, `127.0.0.1:0`, `[::1]:80`. Undefined for `0` and the empty text: do not listen. */
export function parseListenAddress(text: string): Result<ListenAddress | undefined, string> {
  if (text === '' || text === '0') return ok(undefined);
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    return err(`${JSON.stringify(text)} is not an address like ":8080" or "127.0.0.1:8080"`);
  return ok({ host: match[1] ?? (match[2] || undefined), port });
}
