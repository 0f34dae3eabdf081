import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, put, stringAt, stringifyJson } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { labelValue, qualifiedName } from '../../engine/schema/names.ts';
import { checkKind } from '../admission/admission-review.ts';
import type { StatusError } from '../registry.ts';
import { json, kube } from './draft.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import { goQuote, invalidValue } from './status.ts';

/** POSTs a review and resolves to the answer. */
export type PostReview = (
  clientConfig: Json | undefined,
  body: string,
  timeoutSeconds: number,
) => Promise<Result<Json, string>>;

const TIMEOUT_SECONDS = 30;
const VERSIONS = ['v1', 'v1beta1'];
/** Conversions kept while requests run; above that all are forgotten. */
const MAX_KEPT = 2000;
/** Conversions that one request may need one after the other. */
const MAX_ROUNDS = 50;

/** Stops a request until its object is converted: everything before the commit is done again then. */
class ConversionNeeded extends Error {
  readonly type: ResourceType;
  readonly object: KubeObject;
  readonly apiVersion: string;

  constructor(type: ResourceType, object: KubeObject, apiVersion: string) {
    super(`a conversion to ${apiVersion} is needed`);
    this.type = type;
    this.object = object;
    this.apiVersion = apiVersion;
  }
}

/**
 * Conversion webhooks of CRDs. Reading and writing are synchronous, calls are not: what is not converted yet stops the request, is
 * converted, and the request runs again. Source: kubernetes@1.34 apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go.
 */
export class Conversions {
  readonly #post: PostReview;
  readonly #uuid: () => string;
  readonly #kept = new Map<string, KubeObject>();
  #running = 0;

  constructor(post: PostReview, uuid: () => string) {
    this.#post = post;
    this.#uuid = uuid;
  }

  /** The object in another version, by whatever its definition says. Throws to the {@link run} around it when a webhook has to be asked. */
  convert(type: ResourceType, object: KubeObject, apiVersion: string): KubeObject {
    if (object.apiVersion === apiVersion) return object;
    if (!isByWebhook(type)) return { ...object, apiVersion };
    const known = this.#kept.get(keyOf(type, object, apiVersion));
    if (known === undefined) throw new ConversionNeeded(type, object, apiVersion);
    return withOwnMeta(object, known);
  }

  /** Runs a request, again after each conversion that it needs. Nothing may be committed before what has to be shown is converted. */
  async run<T>(attempt: () => Promise<Result<T, StatusError>>): Promise<Result<T, StatusError>> {
    this.#running++;
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        try {
          return await attempt();
        } catch (cause) {
          if (!(cause instanceof ConversionNeeded)) throw cause;
          const failed = await this.prepare(cause.type, [cause.object], cause.apiVersion);
          if (failed !== undefined) return err(failed);
        }
      }
      return err({ code: 500, reason: '', message: 'the conversion webhook never gives the same answer' });
    } finally {
      this.#running--;
      if (this.#running === 0) this.#kept.clear();
    }
  }

  /** Converts objects with one call, so that {@link convert} has them. */
  async prepare(
    type: ResourceType,
    objects: readonly KubeObject[],
    apiVersion: string = apiVersionOf(type),
  ): Promise<StatusError | undefined> {
    if (!isByWebhook(type)) return undefined;
    const wanted = objects.filter(
      (object) => object.apiVersion !== apiVersion && !this.#kept.has(keyOf(type, object, apiVersion)),
    );
    const [first] = wanted;
    if (first === undefined) return undefined;
    const subject = `conversion webhook for ${first.apiVersion}, Kind=${type.kind}`;
    const converted = await this.#call(type, wanted, apiVersion);
    if (!converted.ok) return { code: 500, reason: '', message: `${subject} failed: ${converted.error}` };
    if (converted.value.length !== wanted.length)
      return {
        code: 500,
        reason: '',
        message: `${subject} returned ${converted.value.length} objects, expected ${wanted.length}`,
      };
    for (const [index, object] of wanted.entries()) {
      const out = converted.value[index] ?? null;
      const wrong = checkConverted(object, out, apiVersion);
      if (wrong !== undefined) return { code: 500, reason: '', message: `${subject} returned ${wrong}` };
      if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
      this.#kept.set(keyOf(type, object, apiVersion), kube(out as JsonObject));
    }
    return undefined;
  }

  /** The events of a watch, each once its object is converted; an event that cannot be is left out. */
  async *ahead<E extends { readonly object: KubeObject }>(
    type: ResourceType,
    batches: AsyncIterable<readonly E[]>,
  ): AsyncGenerator<readonly E[]> {
    if (!isByWebhook(type)) {
      yield* batches;
      return;
    }
    this.#running++;
    try {
      for await (const batch of batches) {
        const ready: E[] = [];
        for (const event of batch) {
          const custom = event.object.kind === type.kind;
          if (!custom || (await this.prepare(type, [event.object])) === undefined) ready.push(event);
        }
        if (ready.length > 0) yield ready;
      }
    } finally {
      this.#running--;
    }
  }

  async #call(
    type: ResourceType,
    objects: readonly KubeObject[],
    apiVersion: string,
  ): Promise<Result<readonly Json[], string>> {
    const webhook = at(type.definition?.spec, 'conversion', 'webhook');
    const accepted = field(webhook, 'conversionReviewVersions');
    const version = (isArray(accepted) ? accepted : []).find(
      (one) => typeof one === 'string' && VERSIONS.includes(one),
    );
    if (typeof version !== 'string') return err('no supported conversion review versions');
    const uid = this.#uuid();
    const review: JsonObject = {
      kind: 'ConversionReview',
      apiVersion: `apiextensions.k8s.io/${version}`,
      request: { uid, desiredAPIVersion: apiVersion, objects: objects.map(json) },
    };
    const answer = await this.#post(field(webhook, 'clientConfig'), stringifyJson(review), TIMEOUT_SECONDS);
    if (!answer.ok) return answer;
    const malformed = checkKind(answer.value, version, 'apiextensions.k8s.io', 'ConversionReview');
    if (malformed !== undefined) return err(malformed);
    const response = field(answer.value, 'response');
    if (version === 'v1' && stringAt(answer.value, 'apiVersion') !== 'apiextensions.k8s.io/v1')
      return err(
        `expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got ${stringAt(answer.value, 'apiVersion') ?? '/'}, Kind=${stringAt(answer.value, 'kind') ?? ''}`,
      );
    if (!isObject(response)) return err('no response provided');
    const own = stringAt(response, 'uid') ?? '';
    if (version === 'v1' && own !== uid) return err(`expected response.uid=${goQuote(uid)}, got ${goQuote(own)}`);
    const status = stringAt(response, 'result', 'status') ?? '';
    if (status !== 'Success') {
      const message = stringAt(response, 'result', 'message') ?? '';
      return err(message === '' ? `response.result.status was '${status}', not 'Success'` : message);
    }
    const converted = field(response, 'convertedObjects');
    return ok(isArray(converted) ? converted : []);
  }
}

function isByWebhook(type: ResourceType): boolean {
  return stringAt(type.definition?.spec, 'conversion', 'strategy') === 'Webhook';
}

/** What of an object a conversion may depend on. */
function keyOf(type: ResourceType, object: KubeObject, apiVersion: string): string {
  // A uid and a generated name are other ones each time that a request runs.
  const { name, generateName, namespace, labels, annotations } = object.metadata;
  const meta = { ...(generateName === undefined ? { name } : {}), namespace, labels, annotations } as unknown as Json;
  return `${type.definition?.metadata.resourceVersion ?? ''} ${apiVersion} ${stringifyJson({ ...json(object), metadata: meta })}`;
}

/** What is wrong with a converted object. */
function checkConverted(object: KubeObject, out: Json, apiVersion: string): string | undefined {
  const got = stringAt(out, 'apiVersion') ?? '';
  if (got !== apiVersion)
    return `invalid object at index 0: invalid groupVersion (expected ${apiVersion}, received ${got})`;
  const kind = stringAt(out, 'kind') ?? '';
  if (kind !== object.kind)
    return `invalid object at index 0: invalid kind (expected ${object.kind}, received ${kind})`;
  for (const [key, what] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [before, after] = [object.metadata[key] ?? '', stringAt(out, 'metadata', key) ?? ''];
    if (before !== after) return `invalid object: must have the same ${what}: ${before} != ${after}`;
  }
  if (!isObject(field(out, 'metadata'))) return 'invalid metadata: missing metadata in converted object';
  const labels = at(out, 'metadata', 'labels');
  for (const [key, value] of isObject(labels) ? Object.entries(labels) : []) {
    const bad = [
      ...qualifiedName(key).map((message) => invalidValue('metadata.labels', key, message)),
      ...labelValue(typeof value === 'string' ? value : '').map((message) =>
        invalidValue('metadata.labels', value, message),
      ),
    ];
    const [first] = bad;
    if (first !== undefined) return `invalid metadata: ${first.field}: ${first.message}`;
  }
  return undefined;
}

/** Of the metadata a webhook may change labels and annotations only. */
function withOwnMeta(object: KubeObject, converted: KubeObject): KubeObject {
  const { labels: _labels, annotations: _annotations, ...kept } = object.metadata;
  const metadata: MutableJsonObject = { ...(kept as unknown as JsonObject) };
  for (const key of ['labels', 'annotations']) {
    const value = field(converted.metadata as unknown as Json, key);
    if (isObject(value)) put(metadata, key, value);
  }
  return kube({ ...json(converted), metadata });
}
