import { field, isArray, isObject, type Json, stringAt, stringifyJson } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseConstraint, satisfies } from '../../engine/semver/constraint.ts';
import { compareVersions, parseTagVersion, type Version } from '../../engine/semver/version.ts';
import { printYamlError } from '../../engine/yaml/error.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';

/** Bytes of an `index.yaml`. Source: source-controller@1.9 `--helm-index-max-size`. */
export const MAX_INDEX_BYTES: number = 50 * 1024 * 1024;

/** A chart as a repository offers it. */
export interface ChartVersion {
  readonly version: string;
  readonly url: string;
  /** SHA-256 in hex, where the index tells it. */
  readonly digest?: string;
}

/** The versions of one chart in an index; entries that are no chart versions are passed over. */
export function versionsOf(index: string, chart: string): Result<readonly ChartVersion[], string> {
  const parsed = parseYaml(index);
  if (!parsed.ok) return err(`the index cannot be read: ${printYamlError(parsed.error)}`);
  if (!isObject(parsed.value) || stringAt(parsed.value, 'apiVersion') === undefined)
    return err('no API version specified');
  const entries = field(field(parsed.value, 'entries'), chart);
  if (!isArray(entries)) return err('no chart name found');
  return ok(entries.flatMap((entry) => readEntry(entry) ?? []));
}

function readEntry(entry: Json): ChartVersion | undefined {
  const version = stringAt(entry, 'version');
  const urls = field(entry, 'urls');
  const url = isArray(urls) ? urls[0] : undefined;
  if (version === undefined || typeof url !== 'string') return undefined;
  // One of digits alone reads as a number, and must not pass for none.
  const said = field(entry, 'digest') ?? '';
  const digest = (typeof said === 'string' ? said : stringifyJson(said)).replace(/^sha256:/, '');
  return { version, url, ...(digest !== '' && { digest }) };
}

/**
 * The version that `wanted` names: exactly, or as the newest in a range; a release where it is empty or `*`.
 * Source: source-controller@1.9 internal/helm/repository/chart_repository.go.
 */
export function pickVersion<T extends { readonly version: string }>(
  chart: string,
  versions: readonly T[],
  wanted: string,
): Result<T, string> {
  if (versions.length === 0) return err('no chart version found');
  const exact = wanted === '' ? undefined : versions.find(({ version }) => version === wanted);
  if (exact !== undefined) return ok(exact);
  const constraint = parseConstraint(wanted === '' ? '*' : wanted);
  if (!constraint.ok) return err(constraint.error);
  let best: { readonly item: T; readonly version: Version } | undefined;
  for (const item of versions) {
    const version = parseTagVersion(item.version);
    if (!version.ok || !satisfies(version.value, constraint.value)) continue;
    if (best === undefined || compareVersions(version.value, best.version) > 0) best = { item, version: version.value };
  }
  return best === undefined ? err(`no '${chart}' chart with version matching '${wanted}' found`) : ok(best.item);
}
