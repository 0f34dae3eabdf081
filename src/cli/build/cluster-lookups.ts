import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Lookup } from '../../engine/helm/render-templates.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { SecretTexts } from './helm-secrets.ts';
import { dataOf } from './known-objects.ts';

/** Things that the templates of one chart may ask the cluster for. */
const MAX_LOOKUPS = 500;

interface Asked {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Answers `lookup` from memory, and remembers what it did not know: templates run at once, a cluster answers later. */
export class ClusterLookups {
  private readonly client: KubeClient | undefined;
  private readonly secrets: SecretTexts;
  private readonly known = new Map<string, Json>();
  private missing = new Map<string, Asked>();

  constructor(client: KubeClient | undefined, secrets: SecretTexts) {
    this.client = client;
    this.secrets = secrets;
  }

  readonly lookup: Lookup = (apiVersion, kind, namespace, name) => {
    const key = [apiVersion, kind, namespace, name].join('|');
    const found = this.known.get(key);
    if (found !== undefined) return found;
    this.missing.set(key, { apiVersion, kind, namespace, name });
    return {};
  };

  /** Asks the cluster for what was missing; whether nothing was. */
  async fetchMissing(): Promise<Result<boolean, string>> {
    const { missing, client } = this;
    if (missing.size === 0 || client === undefined) return ok(true);
    this.missing = new Map();
    if (this.known.size + missing.size > MAX_LOOKUPS)
      return err(`its templates look up more than ${MAX_LOOKUPS} things`);
    for (const [key, asked] of missing) {
      const found = await this.fetch(client, asked);
      if (!found.ok) return found;
      this.known.set(key, found.value);
    }
    return ok(false);
  }

  private async fetch(client: KubeClient, { apiVersion, kind, namespace, name }: Asked): Promise<Result<Json, string>> {
    const place = namespace === '' ? {} : { namespace };
    if (name !== '') {
      const found = await client.get({ apiVersion, kind, name, ...place });
      if (found.ok) return ok(this.seen(found.value));
      return found.error.code === 404 ? ok({}) : err(`lookup of ${kind} ${name}: ${found.error.message}`);
    }
    const found = await client.list({ apiVersion, kind }, place);
    if (found.ok)
      return ok({ apiVersion, kind: `${kind}List`, items: found.value.items.map((item) => this.seen(item)) });
    return found.error.code === 404 ? ok({}) : err(`lookup of ${kind}: ${found.error.message}`);
  }

  private seen(object: KubeObject): Json {
    if (object.kind === 'Secret') for (const text of dataOf(object).values()) this.secrets.add(text);
    return object as unknown as Json;
  }
}
