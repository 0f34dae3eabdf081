import { at, field, isArray, isObject, type Json, parseJson, stringAt } from '../base/json.ts';
import { err, ok } from '../base/result.ts';
import type { KubeResult, ResourceInfo } from './client.ts';

/** A GET of discovery: status 304 has no body. */
export type DiscoveryGet = (
  path: string,
  headers: Readonly<Record<string, string>>,
) => Promise<KubeResult<{ readonly status: number; readonly etag: string | undefined; readonly text: string }>>;

const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,' +
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
/** Groups and versions read one by one from a server without aggregated discovery. */
const MAX_LEGACY_VERSIONS = 500;

interface Found {
  readonly resources: readonly ResourceInfo[];
  /** API versions whose own server does not answer: what they hold is not known. */
  readonly silent: readonly string[];
}

interface Kept extends Found {
  readonly etag: string | undefined;
}

/** What the server serves, read once and again when asked; unchanged answers (ETag) cost no parsing. */
export class Discovery {
  readonly #get: DiscoveryGet;
  readonly #kept = new Map<string, Kept>();
  #byKind: ReadonlyMap<string, ResourceInfo> | undefined;
  #all: readonly ResourceInfo[] = [];
  #silent: ReadonlySet<string> = new Set();
  #refreshing: Promise<KubeResult<void>> | undefined;

  constructor(get: DiscoveryGet) {
    this.#get = get;
  }

  /**
   * The kind, looked up anew once when it is unknown. Errors: `NoMatch` (404), `ServiceUnavailable` (503) where the aggregated server
   * that may have the kind is down, and those of the discovery request.
   */
  async find(kind: { readonly apiVersion: string; readonly kind: string }): Promise<KubeResult<ResourceInfo>> {
    const key = `${kind.apiVersion}|${kind.kind}`;
    const known = this.#byKind?.get(key);
    if (known !== undefined) return ok(known);
    const refreshed = await this.refresh();
    const found = this.#byKind?.get(key);
    if (found !== undefined) return ok(found);
    if (!refreshed.ok) return refreshed;
    if (this.#silent.has(kind.apiVersion)) {
      const message = `the server of ${kind.apiVersion} is not available`;
      return err({ code: 503, reason: 'ServiceUnavailable', message });
    }
    return err({
      code: 404,
      reason: 'NoMatch',
      message: `no matches for kind ${JSON.stringify(kind.kind)} in version ${JSON.stringify(kind.apiVersion)}`,
    });
  }

  async all(): Promise<KubeResult<readonly ResourceInfo[]>> {
    if (this.#byKind === undefined) {
      const refreshed = await this.refresh();
      if (!refreshed.ok) return refreshed;
    }
    return ok(this.#all);
  }

  /** Reads discovery anew; callers at the same time share one reading. */
  refresh(): Promise<KubeResult<void>> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #read(): Promise<KubeResult<void>> {
    const all: ResourceInfo[] = [];
    const silent: string[] = [];
    for (const root of ['/api', '/apis']) {
      const part = await this.#root(root);
      if (!part.ok) return part;
      all.push(...part.value.resources);
      silent.push(...part.value.silent);
    }
    // The core group comes first and a group's preferred version before its others, so the first of a kind is the preferred one.
    const byKind = new Map<string, ResourceInfo>();
    for (const info of all) {
      // A kind in lower case is found, too, as client-go's mapper does: the server then says what is wrong with it.
      for (const kind of [info.kind, info.kind.toLowerCase()]) {
        const key = `${info.apiVersion}|${kind}`;
        if (!byKind.has(key)) byKind.set(key, info);
      }
    }
    this.#all = all;
    this.#silent = new Set(silent);
    this.#byKind = byKind;
    return ok(undefined);
  }

  async #root(root: string): Promise<KubeResult<Found>> {
    const kept = this.#kept.get(root);
    const answer = await this.#get(root, {
      accept: AGGREGATED,
      ...(kept?.etag === undefined ? {} : { 'if-none-match': kept.etag }),
    });
    if (!answer.ok) return answer;
    if (answer.value.status === 304 && kept !== undefined) return ok(kept);
    const body = parse(answer.value.text);
    if (!body.ok) return body;
    if (stringAt(body.value, 'kind') !== 'APIGroupDiscoveryList') return this.#legacy(root, body.value);
    const found = aggregatedResources(body.value);
    this.#kept.set(root, { etag: answer.value.etag, ...found });
    return ok(found);
  }

  async #legacy(root: string, body: Json): Promise<KubeResult<Found>> {
    const versions =
      root === '/api'
        ? items(body, 'versions').filter((version) => typeof version === 'string')
        : items(body, 'groups').flatMap((group) => {
            const preferred = stringAt(group, 'preferredVersion', 'groupVersion');
            const all = items(group, 'versions').map((version) => stringAt(version, 'groupVersion') ?? '');
            return [
              ...all.filter((version) => version === preferred),
              ...all.filter((version) => version !== preferred),
            ];
          });
    const resources: ResourceInfo[] = [];
    const silent: string[] = [];
    for (const version of versions.slice(0, MAX_LEGACY_VERSIONS)) {
      if (version === '') continue;
      const answer = await this.#get(`${root}/${version}`, { accept: 'application/json' });
      // An aggregated API server that is down must not hide the other groups (client-go: ErrGroupDiscoveryFailed).
      const list = answer.ok ? parse(answer.value.text) : answer;
      if (list.ok) resources.push(...legacyResources(version, list.value));
      else silent.push(version);
    }
    return ok({ resources, silent });
  }
}

function parse(text: string): KubeResult<Json> {
  try {
    return ok(parseJson(text));
  } catch {
    return err({ code: 0, reason: 'InvalidAnswer', message: 'discovery: the answer is not JSON' });
  }
}

function items(value: Json | undefined, key: string): readonly Json[] {
  const found = field(value, key);
  return isArray(found) ? found : [];
}

function strings(value: Json | undefined, key: string): readonly string[] {
  return items(value, key).filter((item) => typeof item === 'string');
}

function aggregatedResources(body: Json): Found {
  const all: ResourceInfo[] = [];
  const silent: string[] = [];
  for (const group of items(body, 'items')) {
    const name = stringAt(group, 'metadata', 'name') ?? '';
    for (const version of items(group, 'versions')) {
      const label = stringAt(version, 'version') ?? '';
      const apiVersion = name === '' ? label : `${name}/${label}`;
      // What is told of it is what was known last, or nothing. Source: kubernetes@1.34 api/apidiscovery/v2 types.go.
      if (stringAt(version, 'freshness') === 'Stale') silent.push(apiVersion);
      for (const resource of items(version, 'resources')) {
        const plural = stringAt(resource, 'resource');
        const kind = stringAt(resource, 'responseKind', 'kind');
        if (plural === undefined || kind === undefined || kind === '') continue;
        all.push({
          apiVersion,
          kind,
          plural,
          namespaced: stringAt(resource, 'scope') === 'Namespaced',
          verbs: strings(resource, 'verbs'),
          shortNames: strings(resource, 'shortNames'),
          categories: strings(resource, 'categories'),
        });
      }
    }
  }
  return { resources: all, silent };
}

function legacyResources(apiVersion: string, body: Json): readonly ResourceInfo[] {
  const all: ResourceInfo[] = [];
  for (const resource of items(body, 'resources')) {
    const plural = stringAt(resource, 'name');
    const kind = stringAt(resource, 'kind');
    // `pods/log` and the like are subresources.
    if (!isObject(resource) || plural === undefined || kind === undefined || plural.includes('/')) continue;
    all.push({
      apiVersion,
      kind,
      plural,
      namespaced: at(resource, 'namespaced') === true,
      verbs: strings(resource, 'verbs'),
      shortNames: strings(resource, 'shortNames'),
      categories: strings(resource, 'categories'),
    });
  }
  return all;
}
