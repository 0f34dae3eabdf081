import { err, ok, type Result } from '../../base/result.ts';
import { MAX_ARCHIVE_BYTES } from '../helm/fetch-chart.ts';
import { pickVersion } from '../helm/repository-index.ts';
import { type OciAccess, OciClient, type OciLayer } from './pull.ts';
import type { OciRepository } from './reference.ts';

/** Layer of a chart. Source: helm@4.1.4 pkg/registry/constants.go. */
const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
/** Newer Helm wrote this before. */
const OLD_CHART_LAYER = 'application/tar+gzip';

/** What names an artifact in a repository; the digest wins over the range, the range over the tag. */
export interface OciReference {
  readonly tag: string;
  readonly semver: string | undefined;
  readonly digest: string | undefined;
}

export interface PulledArtifact {
  /** Of the manifest. */
  readonly digest: string;
  readonly content: Uint8Array;
}

/** The packed chart whose version `wanted` (a version or a range) names; a tag writes `_` for the `+` of a version. */
export async function pullChart(
  place: OciRepository,
  wanted: string,
  access: OciAccess,
): Promise<Result<Uint8Array, string>> {
  const client = new OciClient(place, access);
  const tag = await tagOf(client, place, wanted);
  if (!tag.ok) return tag;
  const pulled = await pull(client, tag.value, undefined);
  return pulled.ok ? ok(pulled.value.content) : pulled;
}

/** The layer of an artifact that holds the chart: the one of `mediaType`, Helm's, or the first. */
export async function pullArtifact(
  place: OciRepository,
  { tag, semver, digest }: OciReference,
  mediaType: string | undefined,
  access: OciAccess,
): Promise<Result<PulledArtifact, string>> {
  const client = new OciClient(place, access);
  if (digest !== undefined) return pull(client, digest, mediaType);
  if (semver === undefined) return pull(client, tag, mediaType);
  const picked = await tagOf(client, place, semver);
  return picked.ok ? pull(client, picked.value, mediaType) : picked;
}

async function tagOf(client: OciClient, place: OciRepository, wanted: string): Promise<Result<string, string>> {
  if (/^v?\d+\.\d+\.\d+[^\s,<>=|~^*]*$/.test(wanted)) return ok(wanted.replace('+', '_'));
  const tags = await client.tags();
  if (!tags.ok) return tags;
  const versions = tags.value.map((tag) => ({ tag, version: tag.replaceAll('_', '+') }));
  const picked = pickVersion(place.repository, versions, wanted);
  return picked.ok ? ok(picked.value.tag) : picked;
}

async function pull(
  client: OciClient,
  reference: string,
  mediaType: string | undefined,
): Promise<Result<PulledArtifact, string>> {
  const manifest = await client.manifest(reference);
  if (!manifest.ok) return manifest;
  const layer = pickLayer(manifest.value.layers, mediaType);
  if (layer === undefined) return err(`${reference} has no layer with a chart`);
  const content = await client.blob(layer, MAX_ARCHIVE_BYTES);
  return content.ok ? ok({ digest: manifest.value.digest, content: content.value }) : content;
}

function pickLayer(layers: readonly OciLayer[], mediaType: string | undefined): OciLayer | undefined {
  const of = (type: string): OciLayer | undefined => layers.find((layer) => layer.mediaType === type);
  return mediaType === undefined ? (of(CHART_LAYER) ?? of(OLD_CHART_LAYER) ?? layers[0]) : of(mediaType);
}
