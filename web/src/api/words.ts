/** `master@sha1:1a2b3c4d5e...` as people say it, wherever it stands in a text: `master@1a2b3c4`. */
export function shortRevision(revision: string): string {
  return revision.replace(/(?:sha\d+):([0-9a-f]{7})[0-9a-f]+/g, '$1');
}

/** The time since `thenMs` in one unit: `12s`, `4m`, `3h`, `2d`. */
export function age(thenMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** Why a node is in its state, in one line. */
export function firstLine(message: string): string {
  return shortRevision(message.split('\n', 1)[0] ?? '');
}

/** `flux-cluster/flux-tenant`, or just the name of what is in no namespace. */
export function fullName({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}
