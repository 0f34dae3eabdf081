import type { Kustomization } from '../../api/kinds/kustomization.ts';

/** What annotations of a Kustomization ask Weir for, beside Flux's; documented in docs/guide/kustomizations.md. */
export const ANNOTATIONS = {
  /** `enabled`: a build that is empty may prune everything that was there. */
  pruneEmpty: 'weir.dev/prune-empty',
  /** `enabled`: Namespaces, CustomResourceDefinitions and PersistentVolumeClaims are not pruned until they are allowed. */
  pruneGuard: 'weir.dev/prune-guard',
  /** Comma-separated `Kind/namespace/name` (or `Kind/name`) that the guard lets go; `*` for all. */
  pruneAllow: 'weir.dev/prune-allow',
  /** `enabled`: each pass builds and compares everything, whatever has changed. */
  fullReconcile: 'weir.dev/full-reconcile',
} as const;

export function isEnabled({ metadata }: Kustomization, annotation: string): boolean {
  return metadata.annotations?.[annotation]?.toLowerCase() === 'enabled';
}

/** Whether the guard lets `subject` (`Kind/namespace/name`) go. */
export function isAllowed({ metadata }: Kustomization, subject: string): boolean {
  const list = metadata.annotations?.[ANNOTATIONS.pruneAllow] ?? '';
  return list.split(',').some((item) => item.trim() === '*' || item.trim() === subject);
}
