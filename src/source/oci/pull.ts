import { createHash } from 'node:crypto';
import { field, isArray, isObject, type Json, parseJson, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type Downloaded, download, type HttpCredentials } from '../download.ts';
import { isDigest, isTag, type OciRepository } from './reference.ts';

/** How a registry is reached. */
export interface OciAccess {
  readonly credentials?: HttpCredentials;
  /** Speaks http, for registries on the own machine and in tests. */
  readonly plainHttp?: boolean;
  readonly signal: AbortSignal;
}

export interface OciLayer {
  readonly mediaType: string;
  readonly digest: string;
}

export interface OciManifest {
  readonly digest: string;
  readonly layers: readonly OciLayer[];
}

/** Bytes of a manifest, as registries bound them; a list of tags and a token are taken no larger. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Layers that are looked at: a chart has two, an artifact one. */
const MAX_LAYERS = 1000;
/** Pages of tags. */
const MAX_PAGES = 100;
const MANIFEST_TYPES =
  'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json';

/** Reads a registry with the token that it grants. Errors are sentences without credentials. */
export class OciClient {
  private readonly repository: OciRepository;
  private readonly access: OciAccess;
  private token: string | undefined;

  constructor(repository: OciRepository, access: OciAccess) {
    this.repository = repository;
    this.access = access;
  }

  /** All tags, in the registry's order. */
  async tags(): Promise<Result<readonly string[], string>> {
    const tags: string[] = [];
    let path = 'tags/list';
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await this.get(path, 'application/json', MAX_MANIFEST_BYTES);
      if (!answer.ok) return answer;
      const body = json(answer.value);
      const names = field(body, 'tags');
      if (isArray(names)) tags.push(...names.filter((name) => typeof name === 'string').filter(isTag));
      const next = /<[^>]*(\?[^>]*)>;\s*rel="?next"?/.exec(answer.value.headers['link'] ?? '');
      if (next === null) return ok(tags);
      path = `tags/list${next[1]}`;
    }
    return err(`the registry lists more than ${MAX_PAGES} pages of tags`);
  }

  /** The manifest that a tag or a digest names. */
  async manifest(reference: string): Promise<Result<OciManifest, string>> {
    if (!isTag(reference) && !isDigest(reference)) return err(`'${reference}' is neither tag nor digest`);
    const answer = await this.get(`manifests/${reference}`, MANIFEST_TYPES, MAX_MANIFEST_BYTES);
    if (!answer.ok) return answer;
    const digest = digestOf(answer.value.body);
    if (isDigest(reference) && digest !== reference)
      return err(`the manifest has the digest ${digest}, not ${reference}`);
    const layers = field(json(answer.value), 'layers');
    if (!isArray(layers) || layers.length > MAX_LAYERS) return err(`${reference} is no manifest of an artifact`);
    return ok({ digest, layers: layers.flatMap((layer) => readLayer(layer) ?? []) });
  }

  /** The bytes of a layer, checked against its digest. */
  async blob({ digest }: OciLayer, maxBytes: number): Promise<Result<Uint8Array, string>> {
    const answer = await this.get(`blobs/${digest}`, '*/*', maxBytes);
    if (!answer.ok) return answer;
    const got = digestOf(answer.value.body);
    return got === digest ? ok(answer.value.body) : err(`the layer has the digest ${got}, not ${digest}`);
  }

  private async get(path: string, accept: string, maxBytes: number): Promise<Result<Downloaded, string>> {
    const { credentials, plainHttp, signal } = this.access;
    const { registry, repository } = this.repository;
    const url = `${plainHttp === true ? 'http' : 'https'}://${registry}/v2/${repository}/${path}`;
    const ask = (how: HttpCredentials | undefined): Promise<Result<Downloaded, string>> =>
      download({ url, headers: { accept }, maxBytes, signal, ...(how !== undefined && { credentials: how }) });
    const bearer = (): HttpCredentials => ({ ...tlsOnly(credentials), bearerToken: this.token as string });
    let answer = await ask(this.token === undefined ? tlsOnly(credentials) : bearer());
    if (answer.ok && answer.value.status === 401) {
      const challenge = answer.value.headers['www-authenticate'] ?? '';
      if (/^bearer /i.test(challenge)) {
        const token = await this.fetchToken(challenge);
        if (!token.ok) return token;
        this.token = token.value;
        answer = await ask(bearer());
      } else if (/^basic/i.test(challenge) && credentials?.username !== undefined) answer = await ask(credentials);
    }
    if (!answer.ok || answer.value.status === 200) return answer;
    const said = stringAt(first(field(json(answer.value), 'errors')), 'code');
    return err(`${url}: the registry answered ${answer.value.status}${said === undefined ? '' : ` (${said})`}`);
  }

  /** Asks the server that the registry names for a token. Source: distribution-spec, token authentication. */
  private async fetchToken(challenge: string): Promise<Result<string, string>> {
    const parts = new Map(
      [...challenge.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, key = '', value = '']) => [key, value]),
    );
    const realm = parts.get('realm') ?? '';
    if (!URL.canParse(realm)) return err('the registry names no server for tokens');
    const url = new URL(realm);
    // Credentials go out readable only where the registry itself is spoken to so.
    if (url.protocol !== 'https:' && this.access.plainHttp !== true)
      return err('the registry names a token server without TLS');
    url.searchParams.set('service', parts.get('service') ?? '');
    url.searchParams.set('scope', `repository:${this.repository.repository}:pull`);
    const { credentials, signal } = this.access;
    const answer = await download({
      url: url.href,
      maxBytes: MAX_MANIFEST_BYTES,
      signal,
      ...(credentials !== undefined && { credentials }),
    });
    if (!answer.ok) return answer;
    if (answer.value.status !== 200) return err(`the token server answered ${answer.value.status}`);
    const body = json(answer.value);
    const token = stringAt(body, 'token') ?? stringAt(body, 'access_token');
    return token === undefined ? err('the token server gave no token') : ok(token);
  }
}

/** The credentials without what they would tell a registry that did not ask. */
function tlsOnly(credentials: HttpCredentials | undefined): HttpCredentials | undefined {
  if (credentials === undefined) return undefined;
  const { username: _, password: __, bearerToken: ___, ...rest } = credentials;
  return rest;
}

function readLayer(layer: Json): OciLayer | undefined {
  const mediaType = stringAt(layer, 'mediaType');
  const digest = stringAt(layer, 'digest');
  return mediaType !== undefined && digest !== undefined && isDigest(digest) ? { mediaType, digest } : undefined;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function json({ body }: Downloaded): Json {
  try {
    const value = parseJson(new TextDecoder().decode(body));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function first(list: Json | undefined): Json | undefined {
  return isArray(list) ? list[0] : undefined;
}
