const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

/** Whether `text` is a strict semantic version, without a `v`. */
export function isSemver(text: string): boolean {
  return SEMVER.test(text);
}

/** Major (0), minor (1) or patch (2). */
export function semverPart(text: string, index: 0 | 1 | 2): bigint {
  return BigInt(SEMVER.exec(text)?.[index + 1] ?? '0');
}

/** By precedence of semver 2.0.0 (build metadata does not count). */
export function compareSemver(a: string, b: string): number {
  for (const index of [0, 1, 2] as const) {
    const [x, y] = [semverPart(a, index), semverPart(b, index)];
    if (x !== y) return x < y ? -1 : 1;
  }
  const [left, right] = [SEMVER.exec(a)?.[4], SEMVER.exec(b)?.[4]];
  if (left === right) return 0;
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  return comparePrerelease(left.split('.'), right.split('.'));
}

function comparePrerelease(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [x, y] = [a[index], b[index]];
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    if (x === y) continue;
    const [numberX, numberY] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (numberX && numberY) return BigInt(x) < BigInt(y) ? -1 : 1;
    if (numberX !== numberY) return numberX ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

/** Why `text` is no semantic version. (blang/semver@4 semver.go Parse) */
export function semverProblem(text: string): string {
  if (text === '') return 'Version string empty';
  const [major = '', minor, ...rest] = text.split('.');
  if (minor === undefined || rest.length === 0) return 'No Major.Minor.Patch elements found';
  const patch = /^[^-+]*/.exec(rest.join('.'))?.[0] ?? '';
  for (const [name, part] of [
    ['major', major],
    ['minor', minor],
    ['patch', patch],
  ] as const) {
    const shown = JSON.stringify(part);
    if (!/^\d+$/.test(part)) return `Invalid character(s) found in ${name} number ${shown}`;
    if (part.length > 1 && part.startsWith('0'))
      return `${name.charAt(0).toUpperCase()}${name.slice(1)} number must not contain leading zeroes ${shown}`;
  }
  return `Invalid character(s) found in prerelease or build of ${JSON.stringify(text)}`;
}
