/** The clock's time as Kubernetes writes it in metadata and status: RFC 3339, whole seconds. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The same with microseconds (Leases, eventTime). */
export function microTimeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}

/** Milliseconds of an RFC 3339 time; 0 (long ago) when it is absent or unreadable. */
export function timeMs(text: string | undefined): number {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? 0 : ms;
}
