import { groupOf, type KubeObject } from '../../api/object.ts';
import { field, isObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import { HIDDEN } from './hide-encrypted.ts';

interface Wanted {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Objects that the builds hold, and beside them those of the cluster, where there is one. */
export class KnownObjects {
  readonly client: KubeClient | undefined;
  private readonly built = new Map<string, KubeObject>();

  constructor(built: readonly KubeObject[], client: KubeClient | undefined) {
    this.client = client;
    for (const object of built) {
      const { apiVersion, kind, metadata } = object;
      this.built.set(keyOf({ apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name }), object);
    }
  }

  /** All objects of the builds. */
  values(): Iterable<KubeObject> {
    return this.built.values();
  }

  /** An object of the builds in any version, else the cluster's; undefined where neither has it. */
  async find(wanted: Wanted): Promise<Result<KubeObject | undefined, string>> {
    const built = this.built.get(keyOf(wanted));
    // The cluster has what sops encrypted in plain text.
    if (built !== undefined && !(this.client !== undefined && isHidden(built))) return ok(built);
    if (this.client === undefined) return ok(built);
    const live = await this.client.get(wanted);
    if (live.ok) return ok(live.value);
    return live.error.code === 404 ? ok(built) : err(live.error.message);
  }
}

/** Whether an object holds what sops encrypted, and so nothing that can be used. */
export function isHidden(object: KubeObject): boolean {
  const { data, stringData } = object as unknown as { readonly data?: unknown; readonly stringData?: unknown };
  const hidden = (text: unknown): boolean =>
    typeof text === 'string' && (text.includes(HIDDEN) || Buffer.from(text, 'base64').includes(HIDDEN));
  return [data, stringData].some((values) => isObject(values) && Object.values(values).some(hidden));
}

/** The entries of a Secret or a ConfigMap as texts. */
export function dataOf(object: KubeObject): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const { data, stringData } = object as unknown as { readonly data?: unknown; readonly stringData?: unknown };
  for (const [key, value] of isObject(data) ? Object.entries(data) : []) {
    if (typeof value !== 'string') continue;
    texts.set(key, object.kind === 'Secret' ? Buffer.from(value, 'base64').toString() : value);
  }
  for (const key of isObject(stringData) ? Object.keys(stringData) : []) {
    const value = field(stringData as never, key);
    if (typeof value === 'string') texts.set(key, value);
  }
  return texts;
}

function keyOf({ apiVersion, kind, namespace, name }: Wanted): string {
  return `${groupOf(apiVersion)}/${kind}/${namespace}/${name}`;
}
