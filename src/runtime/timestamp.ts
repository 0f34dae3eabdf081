/** RFC 3339 with whole seconds, as Kubernetes writes times (metav1.Time). */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
