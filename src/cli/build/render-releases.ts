import { type KubeObject, printRef, refOf } from '../../api/object.ts';
import {
  at,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  parseJson,
  put,
  stringAt,
} from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { isHelmRelease, type ReleaseSpec, readRelease } from '../../build/helm/release-spec.ts';
import { type FoundValues, releaseValues } from '../../build/helm/release-values.ts';
import { type ReleaseObject, renderRelease } from '../../build/helm/render-release.ts';
import {
  type Capabilities,
  DEFAULT_API_VERSIONS,
  DEFAULT_KUBE_VERSION,
  parseKubeVersion,
} from '../../engine/helm/capabilities.ts';
import type { Chart } from '../../engine/helm/chart.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CliContext, type CliResult, failed } from '../command.ts';
import type { ChartPorts } from './chart-repository.ts';
import { ClusterLookups } from './cluster-lookups.ts';
import { SecretTexts } from './helm-secrets.ts';
import { HIDDEN, isEncryptedText } from './hide-encrypted.ts';
import { dataOf, isHidden, KnownObjects } from './known-objects.ts';
import { type LocalBuild, localSources, type MaybeClient, sourceKey } from './local-build.ts';
import { findChart } from './release-chart.ts';

/** A HelmRelease of a build, and what it would apply. */
export interface ReleaseBuild {
  readonly owner: KubeObject;
  readonly release: ReleaseSpec;
  readonly objects: readonly ReleaseObject[];
  /** What must not be printed of them. */
  readonly secrets: SecretTexts;
  /** The release as the cluster has it. */
  readonly live: KubeObject | undefined;
}

/** Renders the HelmReleases of builds; the first that cannot be rendered fails them all. */
export async function renderReleases(
  context: CliContext,
  client: MaybeClient,
  builds: readonly LocalBuild[],
): Promise<CliResult<ReadonlyMap<KubeObject, ReleaseBuild>>> {
  const sources = localSources(context);
  if (!sources.ok) return sources;
  const folders = new Map(builds.map(({ kustomization, sourceFolder }) => [sourceKey(kustomization), sourceFolder]));
  for (const [key, folder] of sources.value) folders.set(key, folder);
  const objects = new KnownObjects(
    builds.flatMap((build) => build.objects),
    client,
  );
  const ports: Omit<ChartPorts, 'warn'> = { objects, folders, signal: context.signal };
  let capabilities: Capabilities | undefined;
  const rendered = new Map<KubeObject, ReleaseBuild>();
  for (const owner of builds.flatMap((build) => build.objects.filter(isHelmRelease))) {
    const name = printRef(refOf(owner));
    if (capabilities === undefined) {
      const asked = await capabilitiesOf(client);
      if (!asked.ok) return failed(asked.error);
      capabilities = asked.value;
    }
    const warn = (message: string): void => context.progress.warning(`${name}: ${message}`);
    const one = await renderOne(owner, { ...ports, warn }, capabilities);
    if (!one.ok) return failed(`${name}: ${one.error}`);
    rendered.set(owner, one.value);
  }
  return ok(rendered);
}

async function renderOne(
  owner: KubeObject,
  ports: ChartPorts,
  capabilities: Capabilities,
): Promise<Result<ReleaseBuild, string>> {
  const written = readRelease(owner);
  if (written === undefined) return err('it names no chart');
  const { client } = ports.objects;
  const live = client === undefined ? ok(undefined) : await liveOf(client, owner);
  if (!live.ok) return live;
  const chart = await findChart(written, ports);
  if (!chart.ok) return chart;
  const secrets = new SecretTexts();
  const release = { ...written, values: revealed(written.values, live.value?.spec?.['values'], secrets) as JsonObject };
  const values = await releaseValues(release, (reference) => findValues(release, reference, ports, secrets));
  if (!values.ok) return values;
  if (client !== undefined) {
    const running = live.value === undefined ? undefined : readRelease(live.value);
    await addLiveSecrets(client, running === undefined ? [release] : [release, running], secrets);
  }
  const history = at(live.value?.status, 'history');
  const last = Array.isArray(history) ? at(history[0] as Json, 'version') : undefined;
  const revision = typeof last === 'number' ? last + 1 : 1;
  const objects = await render(chart.value, release, values.value, {
    capabilities,
    client,
    secrets,
    revision,
    isUpgrade: revision > 1,
    warn: ports.warn,
  });
  if (!objects.ok) return err(secrets.hideText(objects.error));
  return ok({ owner, release, objects: objects.value, secrets, live: live.value });
}

/** What sops encrypted in the inline values, as the cluster has it in plain text, and secret; hidden where it has none. */
function revealed(value: Json, live: Json | undefined, secrets: SecretTexts): Json {
  if (isArray(value))
    return value.map((item, index) => revealed(item, isArray(live) ? live[index] : undefined, secrets));
  if (isObject(value)) {
    const out: MutableJsonObject = {};
    for (const key of Object.keys(value)) put(out, key, revealed(value[key] as Json, field(live, key), secrets));
    return out;
  }
  if (typeof value !== 'string' || !isEncryptedText(value)) return value;
  if (live === undefined || isObject(live) || isArray(live)) return HIDDEN;
  secrets.add(live);
  return live;
}

async function liveOf(client: KubeClient, owner: KubeObject): Promise<Result<KubeObject | undefined, string>> {
  const live = await client.get(refOf(owner));
  if (live.ok) return ok(live.value);
  return live.error.code === 404 ? ok(undefined) : err(live.error.message);
}

/** Times that a chart is rendered, since what one lookup finds may lead to another. */
const MAX_LOOKUP_ROUNDS = 10;

interface RenderPorts {
  readonly capabilities: Capabilities;
  readonly client: KubeClient | undefined;
  readonly secrets: SecretTexts;
  readonly revision: number;
  readonly isUpgrade: boolean;
  readonly warn: (message: string) => void;
}

/** Renders, asks the cluster for what `lookup` wanted, and renders again until nothing is missing. */
async function render(
  chart: Chart,
  release: ReleaseSpec,
  values: Parameters<typeof renderRelease>[2],
  { client, secrets, warn, ...options }: RenderPorts,
): Promise<Result<readonly ReleaseObject[], string>> {
  const lookups = new ClusterLookups(client, secrets);
  for (let round = 0; ; round++) {
    const heard: string[] = [];
    const objects = renderRelease(chart, release, values, {
      ...options,
      ...(client !== undefined && { lookup: lookups.lookup }),
      warn: (message) => heard.push(message),
    });
    const complete = await lookups.fetchMissing();
    if (!complete.ok) return complete;
    if (complete.value || round === MAX_LOOKUP_ROUNDS) {
      for (const message of heard) warn(secrets.hideText(message));
      return objects;
    }
  }
}

async function findValues(
  { namespace }: ReleaseSpec,
  { kind, name, key }: { readonly kind: string; readonly name: string; readonly key: string },
  { objects, warn }: ChartPorts,
  secrets: SecretTexts,
): Promise<Result<FoundValues, string>> {
  if (kind !== 'ConfigMap' && kind !== 'Secret') return err('unsupported values reference kind');
  const found = await objects.find({ apiVersion: 'v1', kind, namespace, name });
  if (!found.ok) return found;
  const what = `${kind}/${namespace}/${name}`;
  if (found.value === undefined) {
    if (objects.client !== undefined) return ok({ found: 'nothing', what: 'resource' });
    warn(`the values of ${what} are left out: it is not in the build, and no cluster is read`);
    return ok({ found: 'unknown' });
  }
  if (isHidden(found.value)) {
    warn(`the values of ${what} are left out: they are encrypted, and no cluster has them`);
    return ok({ found: 'unknown' });
  }
  const text = dataOf(found.value).get(key);
  if (text === undefined) return ok({ found: 'nothing', what: 'key' });
  if (kind === 'Secret') addSecret(secrets, text);
  return ok({ found: 'text', text });
}

function addSecret(secrets: SecretTexts, text: string): void {
  const parsed = parseYaml(text);
  secrets.add(parsed.ok && isObject(parsed.value) ? parsed.value : text);
}

/** What the running release was rendered with is secret, too: a comparison shows what is there before. */
async function addLiveSecrets(
  client: KubeClient,
  releases: readonly ReleaseSpec[],
  secrets: SecretTexts,
): Promise<void> {
  for (const { namespace, valuesFrom } of releases) {
    for (const { kind, name, key } of valuesFrom) {
      if (kind !== 'Secret') continue;
      const live = await client.get({ apiVersion: 'v1', kind, namespace, name });
      const text = live.ok ? dataOf(live.value).get(key) : undefined;
      if (text !== undefined) addSecret(secrets, text);
    }
  }
}

/** What the cluster can do; Helm's own knowledge where none is asked. */
async function capabilitiesOf(client: MaybeClient): Promise<Result<Capabilities, string>> {
  if (client === undefined) return ok({ kubeVersion: DEFAULT_KUBE_VERSION, apiVersions: DEFAULT_API_VERSIONS });
  const answer = await client.raw('GET', '/version');
  if (!answer.ok) return err(`the cluster's version is unknown: ${answer.error.message}`);
  const resources = await client.resources();
  if (!resources.ok) return err(`the cluster's kinds are unknown: ${resources.error.message}`);
  const said = parseJson(answer.value);
  const version = parseKubeVersion(isObject(said) ? (stringAt(said, 'gitVersion') ?? '') : '');
  const apiVersions = resources.value.flatMap(({ apiVersion, kind }) => [apiVersion, `${apiVersion}/${kind}`]);
  return ok({ kubeVersion: version ?? DEFAULT_KUBE_VERSION, apiVersions: [...new Set(apiVersions)] });
}
