import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { equal, field, isArray, isObject, parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import { jsonSyntaxError } from '../../base/json-syntax.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { applyJsonPatch } from '../../engine/merge/json-patch.ts';
import { decodeBase64 } from '../../engine/schema/base64.ts';
import type { Authorizer } from '../apiserver/authorizer.ts';
import type { Codec } from '../apiserver/codec.ts';
import { json } from '../apiserver/draft.ts';
import type { Admission, Attributes, Outcome } from '../apiserver/operation.ts';
import type { ResourceTable } from '../apiserver/resource-table.ts';
import type { ResourceType } from '../apiserver/resource-type.ts';
import { badRequest, forbidden, goQuote, internal } from '../apiserver/status.ts';
import type { StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';
import { AdmissionCel, CONDITIONS_BUDGET, requestOf } from './admission-cel.ts';
import {
  type AdmissionResponse,
  checkReview,
  denial,
  REVIEW_GROUP,
  reviewVersion,
  verifyReview,
} from './admission-review.ts';
import { matchConditions } from './match-conditions.ts';
import { isExempt, listOf, matchResources } from './match-resources.ts';
import { roundOf } from './reinvocation-round.ts';
import { rescaled, shownObject } from './shown-object.ts';
import type { WebhookClient } from './webhook-client.ts';

const MUTATING = 'admissionregistration.k8s.io/mutatingwebhookconfigurations';
const VALIDATING = 'admissionregistration.k8s.io/validatingwebhookconfigurations';

export interface WebhooksOptions {
  readonly store: Store;
  readonly table: ResourceTable;
  readonly codec: Codec;
  readonly authorizer: Authorizer;
  readonly uuid: () => string;
  readonly client: WebhookClient;
}

interface Hook {
  readonly id: string;
  readonly name: string;
  readonly spec: Json;
}

/** `refused` is about the request; `unanswered` about the webhook, and its failurePolicy decides. */
type Failure =
  | { readonly kind: 'refused'; readonly status: StatusError }
  | { readonly kind: 'unanswered'; readonly why: string };

/** Admission webhooks. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/webhook. */
export class Webhooks {
  readonly #options: WebhooksOptions;

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  mutating(): Admission {
    return {
      name: 'MutatingAdmissionWebhook',
      mutate: (attributes) => this.#mutate(attributes) as Promise<Outcome> | Outcome,
      admit: async (attributes) => {
        const outcome = await this.#mutate(attributes);
        return outcome.ok ? undefined : outcome.error;
      },
    };
  }

  validating(): Admission {
    return { name: 'ValidatingAdmissionWebhook', validate: (attributes) => this.#validate(attributes) };
  }

  /** In the order of the configurations' names, then as listed. */
  #hooks(resource: string): readonly Hook[] {
    if (this.#options.store.count(resource) === 0) return [];
    return this.#options.store
      .list(resource)
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .flatMap((configuration) =>
        listOf(json(configuration), 'webhooks').map((spec, index) => ({
          id: `${configuration.metadata.name}/${index}`,
          name: stringAt(spec, 'name') ?? '',
          spec,
        })),
      );
  }

  async #validate(attributes: Attributes): Promise<StatusError | undefined> {
    if (isExempt(attributes)) return undefined;
    const calls: { readonly hook: Hook; readonly matched: ResourceType }[] = [];
    for (const hook of this.#hooks(VALIDATING)) {
      const matched = this.#matches(hook, attributes);
      if (!matched.ok) return matched.error;
      if (matched.value !== undefined) calls.push({ hook, matched: matched.value });
    }
    const results = await Promise.all(calls.map(({ hook, matched }) => this.#call(hook, matched, attributes, false)));
    for (const [index, { hook }] of calls.entries()) {
      const result = results[index] as Result<AdmissionResponse, Failure>;
      const refused = result.ok ? undefined : refusalOf(hook, result.error);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  async #mutate(attributes: Attributes): Promise<Result<KubeObject | undefined, StatusError>> {
    let object = attributes.object;
    if (isExempt(attributes)) return ok(object);
    const round = roundOf(attributes.reinvocation, MUTATING, object);
    for (const hook of this.#hooks(MUTATING)) {
      const now: Attributes = { ...attributes, object };
      const matched = this.#matches(hook, now);
      if (!matched.ok) return matched;
      if (matched.value === undefined || (round?.second === true && !round.again.has(hook.id))) continue;
      const result = await this.#call(hook, matched.value, now, true);
      if (!result.ok) {
        const refused = refusalOf(hook, result.error);
        if (refused !== undefined) return err(refused);
      } else {
        const patched = this.#patch(hook, matched.value, now, result.value);
        if (!patched.ok) return patched;
        if (
          patched.value !== undefined &&
          !equal(json(patched.value), object === undefined ? undefined : json(object))
        ) {
          object = patched.value;
          round?.changed();
        }
      }
      if (stringAt(hook.spec, 'reinvocationPolicy') === 'IfNeeded') round?.called.add(hook.id);
    }
    round?.finish(object);
    return ok(object);
  }

  #shown(matched: ResourceType, attributes: Attributes, object: KubeObject | undefined): KubeObject | undefined {
    return object === undefined ? undefined : shownObject(attributes, matched, object, this.#options.codec);
  }

  #matches(hook: Hook, attributes: Attributes): Result<ResourceType | undefined, StatusError> {
    const found = matchResources(hook.spec, attributes, this.#options, 'rules');
    if (!found.ok || found.value === undefined) return found.ok ? ok(undefined) : found;
    const { type } = found.value;
    const conditions = listOf(hook.spec, 'matchConditions');
    if (conditions.length === 0) return ok(type);
    const cel = new AdmissionCel(
      {
        attributes,
        matched: type,
        object: this.#shown(type, attributes, attributes.object),
        old: this.#shown(type, attributes, attributes.old),
        authorizer: this.#options.authorizer,
      },
      CONDITIONS_BUDGET,
    );
    const held = matchConditions(conditions, cel);
    if (held === 'match') return ok(type);
    if (held === 'no-match' || stringAt(hook.spec, 'failurePolicy') === 'Ignore') return ok(undefined);
    return err(forbidden(attributes.type, attributes.name, held.error));
  }

  async #call(
    hook: Hook,
    matched: ResourceType,
    attributes: Attributes,
    mutating: boolean,
  ): Promise<Result<AdmissionResponse, Failure>> {
    const { spec, name } = hook;
    const effects = stringAt(spec, 'sideEffects') ?? '';
    if (attributes.dryRun && effects !== 'None' && effects !== 'NoneOnDryRun')
      return err({
        kind: 'refused',
        status: badRequest(`admission webhook ${goQuote(name)} does not support dry run`),
      });
    const version = reviewVersion(listOf(spec, 'admissionReviewVersions'));
    if (version === undefined)
      return err({
        kind: 'unanswered',
        why: 'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
      });
    const uid = this.#options.uuid();
    const review: JsonObject = {
      kind: 'AdmissionReview',
      apiVersion: `${REVIEW_GROUP}/${version}`,
      request: {
        uid,
        ...requestOf({ attributes, matched }),
        object: this.#review(matched, attributes, attributes.object),
        oldObject: this.#review(matched, attributes, attributes.old),
      },
    };
    const timeout = Number(field(spec, 'timeoutSeconds') ?? 10);
    const answer = await this.#options.client.post(field(spec, 'clientConfig'), stringifyJson(review), timeout);
    if (!answer.ok) return err({ kind: 'unanswered', why: `failed to call webhook: ${answer.error}` });
    const malformed = checkReview(answer.value, version);
    if (malformed !== undefined) return err({ kind: 'unanswered', why: `failed to call webhook: ${malformed}` });
    const verified = verifyReview(answer.value, version, uid, mutating);
    if (!verified.ok) return err({ kind: 'unanswered', why: `received invalid webhook response: ${verified.error}` });
    for (const warning of verified.value.warnings) attributes.warn(warning);
    if (!verified.value.allowed) return err({ kind: 'refused', status: denial(name, verified.value.result) });
    return verified;
  }

  #review(matched: ResourceType, attributes: Attributes, object: KubeObject | undefined): Json {
    const shown = this.#shown(matched, attributes, object);
    return shown === undefined ? null : json(shown);
  }

  /** The object after a webhook's patch, in the storage version; undefined when there was none. */
  #patch(
    { name }: Hook,
    matched: ResourceType,
    { type, object, subresource }: Attributes,
    { patch, patchType }: AdmissionResponse,
  ): Result<KubeObject | undefined, StatusError> {
    if (patch === '') return ok(undefined);
    const text = new TextDecoder().decode(decodeBase64(patch));
    let operations: Json;
    const undecodable = (why: string): Result<never, StatusError> =>
      err(internal(`failed calling webhook ${goQuote(name)}: received undecodable patch in webhook response: ${why}`));
    try {
      operations = parseJson(text);
    } catch {
      return undecodable(jsonSyntaxError(text));
    }
    if (operations === null) return ok(undefined);
    if (!isArray(operations)) {
      const kind = isObject(operations) ? 'object' : typeof operations === 'boolean' ? 'bool' : typeof operations;
      return undecodable(`json: cannot unmarshal ${kind} into Go value of type jsonpatch.Patch`);
    }
    if (operations.length === 0) return ok(undefined);
    if (object === undefined)
      return err(
        internal(
          `admission webhook ${goQuote(name)} attempted to modify the object, which is not supported for this operation`,
        ),
      );
    if (patchType !== 'JSONPatch')
      return err(internal(`failed calling webhook ${goQuote(name)}: unsupported patch type ${goQuote(patchType)}`));
    const { codec } = this.#options;
    const before = shownObject({ subresource }, matched, object, codec);
    const patched = applyJsonPatch(json(before), operations);
    if (!patched.ok) return err(internal(patched.error.detail ?? patched.error.message));
    if (!isObject(patched.value)) return err(internal('the patched object is not an object'));
    if (subresource === 'scale')
      return ok(codec.toStorage(type, rescaled(codec.fromStorage(matched, object), matched, patched.value)));
    const decoded = codec.decode(matched, { value: patched.value, duplicates: [] });
    if (!decoded.ok) return err(internal(decoded.error.message.replace(/^.*? cannot be handled as an? \w+: /, '')));
    return ok(codec.toStorage(type, codec.default(matched, decoded.value.object)));
  }
}

function refusalOf({ name, spec }: Hook, failure: Failure): StatusError | undefined {
  if (failure.kind === 'refused') return failure.status;
  if (stringAt(spec, 'failurePolicy') === 'Ignore') return undefined;
  return internal(`failed calling webhook ${goQuote(name)}: ${failure.why}`);
}
