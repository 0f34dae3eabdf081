/** `master@sha1:1a2b3c4d5e...` as people say it: `master@1a2b3c4`. */
export function shortRevision(revision: string): string {
  return revision.replace(/(?:sha\d+):([0-9a-f]{7})[0-9a-f]+/, '$1');
}

/** The time since `thenMs` in one unit: `12s`, `4m`, `3h`, `2d`. */
export function age(thenMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
