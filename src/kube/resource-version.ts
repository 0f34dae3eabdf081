/** Versions are numbers wherever they can be compared; of others nothing is assumed. Source: kubernetes KEP-5504. */
export function isOlder(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
