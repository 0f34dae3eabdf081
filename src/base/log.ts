/** Structured logging. Values must never be secrets; keys follow Flux's zap fields (`controller`, `namespace`, `name`, `reconcileID`). */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields & { readonly error?: string }): void;
  /** A log that adds `fields` to each line. */
  with(fields: LogFields): Log;
}
export type LogFields = Readonly<
  Record<string, string | number | boolean | undefined | Readonly<Record<string, string>>>
>;

/** A log that says nothing: for tests and library use. */
export const silent: Log = {
  debug() {},
  info() {},
  error() {},
  with: () => silent,
};
