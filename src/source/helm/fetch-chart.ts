import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../../base/result.ts';
import { download, type HttpCredentials, parseHttpUrl, withoutUserInfo } from '../download.ts';
import { type ChartVersion, MAX_INDEX_BYTES, pickVersion, versionsOf } from './repository-index.ts';

/** Bytes of a packed chart. Source: source-controller@1.9 `--helm-chart-max-size`. */
export const MAX_ARCHIVE_BYTES: number = 10 * 1024 * 1024;

/** A Helm repository over HTTP. */
export interface HelmRepository {
  readonly url: string;
  readonly credentials?: HttpCredentials;
  /** Sends the credentials to whatever host a chart's URL names. */
  readonly passCredentials?: boolean;
}

/** A packed chart, and the version that it is. */
export interface FetchedChart {
  readonly version: string;
  readonly archive: Uint8Array;
}

/**
 * Gets the chart whose version `wanted` (a version or a range) names; its digest is checked where the index has one.
 * Errors are sentences without credentials.
 */
export async function fetchChart(
  repository: HelmRepository,
  chart: string,
  wanted: string,
  signal: AbortSignal,
): Promise<Result<FetchedChart, string>> {
  const base = parseHttpUrl(repository.url.endsWith('/') ? repository.url : `${repository.url}/`);
  if (base === undefined) return err(`'${withoutUserInfo(repository.url)}' is no http or https URL`);
  const indexUrl = new URL('index.yaml', base);
  // A query of the repository's URL may be what lets one in.
  indexUrl.search = base.search;
  const index = await fetchBody(indexUrl.href, repository.credentials, MAX_INDEX_BYTES, signal);
  if (!index.ok) return err(`failed to fetch the repository's index: ${index.error}`);
  const versions = versionsOf(new TextDecoder().decode(index.value), chart);
  if (!versions.ok) return versions;
  const picked = pickVersion(chart, versions.value, wanted);
  return picked.ok ? fetchVersion(repository, base, picked.value, signal) : picked;
}

async function fetchVersion(
  { credentials, passCredentials }: HelmRepository,
  base: URL,
  { version, url, digest }: ChartVersion,
  signal: AbortSignal,
): Promise<Result<FetchedChart, string>> {
  const target = parseHttpUrl(url, base);
  if (target === undefined) return err(`the index names '${withoutUserInfo(url)}', which is no http or https URL`);
  if (target.search === '') target.search = base.search;
  const mayKnow = passCredentials === true || target.origin === base.origin;
  const archive = await fetchBody(target.href, mayKnow ? credentials : undefined, MAX_ARCHIVE_BYTES, signal);
  if (!archive.ok) return err(`failed to fetch the chart: ${archive.error}`);
  const got = createHash('sha256').update(archive.value).digest('hex');
  if (digest !== undefined && got !== digest)
    return err(`the chart has the digest ${got}, but the index says ${digest}`);
  return ok({ version, archive: archive.value });
}

async function fetchBody(
  url: string,
  credentials: HttpCredentials | undefined,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Result<Uint8Array, string>> {
  const answer = await download({ url, maxBytes, signal, ...(credentials !== undefined && { credentials }) });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return err(`${withoutUserInfo(url)}: the server answered ${answer.value.status}`);
  return ok(answer.value.body);
}
