import type { KubeObject } from '../../api/object.ts';
import { at, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseOciUrl } from '../../source/oci/reference.ts';
import { credentialsOf } from './chart-credentials.ts';
import type { KnownObjects } from './known-objects.ts';

/** What charts are looked for with. */
export interface ChartPorts {
  readonly objects: KnownObjects;
  /** Folders of sources by `Kind/namespace/name`. */
  readonly folders: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/** The packed chart of a HelmRepository. */
export async function fetchFrom(
  repository: KubeObject,
  chart: string,
  version: string,
  { objects, signal }: ChartPorts,
): Promise<Result<Uint8Array, string>> {
  const { spec } = repository;
  const url = stringAt(spec, 'url') ?? '';
  const provider = stringAt(spec, 'provider') ?? 'generic';
  if (provider !== 'generic') return err(`provider '${provider}' is not supported`);
  if (stringAt(spec, 'type') === 'oci' || url.startsWith('oci://')) {
    const place = parseOciUrl(`${url.replace(/\/+$/, '')}/${chart}`);
    if (place === undefined) return err(`'${url}' is no OCI URL`);
    const credentials = await credentialsOf(repository, place.registry, objects);
    if (!credentials.ok) return credentials;
    const access = { credentials: credentials.value, plainHttp: at(spec, 'insecure') === true, signal };
    const { pullChart } = await import('../../source/oci/pull-chart.ts');
    return pullChart(place, version, access);
  }
  const credentials = await credentialsOf(repository, '', objects);
  if (!credentials.ok) return credentials;
  const how = { url, credentials: credentials.value, passCredentials: at(spec, 'passCredentials') === true };
  const { fetchChart } = await import('../../source/helm/fetch-chart.ts');
  const fetched = await fetchChart(how, chart, version, signal);
  return fetched.ok ? ok(fetched.value.archive) : fetched;
}
