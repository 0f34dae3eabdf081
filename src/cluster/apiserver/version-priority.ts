/** v2 before v1 before v1beta1 before anything else. Source: kubernetes@1.34 apimachinery/pkg/version/helpers.go. */
export function byPriority(a: string, b: string): number {
  const [pa, pb] = [priority(a), priority(b)];
  if (pa === undefined || pb === undefined) return pa === pb ? (a < b ? -1 : 1) : pa === undefined ? 1 : -1;
  for (let index = 0; index < pa.length; index++) {
    const difference = (pb[index] as number) - (pa[index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function priority(version: string): readonly number[] | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return undefined;
  const stability = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}
