import { err, ok, type Result } from '../../base/result.ts';
import { parseConstraint, satisfies } from '../../engine/semver/constraint.ts';
import { compareVersions, parseTagVersion, type Version } from '../../engine/semver/version.ts';

/** References of a server: name -> hash, and for an annotated tag the commit behind it. */
export type RemoteRefs = ReadonlyMap<string, { readonly hash: string; readonly peeled?: string }>;

/** Reads `git ls-remote`'s output. */
export function parseRemoteRefs(output: string): RemoteRefs {
  const refs = new Map<string, { hash: string; peeled?: string }>();
  for (const line of output.split('\n')) {
    const match = /^([0-9a-f]{40}|[0-9a-f]{64})\t(.+?)(\^\{\})?$/.exec(line);
    if (match === null) continue;
    const [, hash = '', name = '', peeled] = match;
    const known = refs.get(name);
    if (peeled === undefined) refs.set(name, { hash });
    else if (known !== undefined) known.peeled = hash;
  }
  return refs;
}

/**
 * The tags of the highest version in a range; more than one where they differ in build metadata or spelling only.
 * Source: fluxcd/pkg git/gogit clone.go cloneSemVer.
 */
export function highestTags(refs: RemoteRefs, range: string): Result<readonly string[], string> {
  const constraint = parseConstraint(range);
  if (!constraint.ok) return err(`semver parse error: ${constraint.error}`);
  let best: Version[] = [];
  for (const name of refs.keys()) {
    if (!name.startsWith('refs/tags/')) continue;
    const version = parseTagVersion(name.slice('refs/tags/'.length));
    if (!version.ok || !satisfies(version.value, constraint.value)) continue;
    const order = best[0] === undefined ? 1 : compareVersions(version.value, best[0]);
    if (order > 0) best = [version.value];
    else if (order === 0) best.push(version.value);
  }
  if (best.length === 0) return err(`no match found for semver: ${range}`);
  return ok(best.map(({ original }) => original));
}
