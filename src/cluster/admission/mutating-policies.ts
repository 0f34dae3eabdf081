import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { equal, field, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { json } from '../apiserver/draft.ts';
import type { Admission, Attributes, Outcome } from '../apiserver/operation.ts';
import type { ResourceType } from '../apiserver/resource-type.ts';
import { forbidden } from '../apiserver/status.ts';
import type { StatusError } from '../registry.ts';
import { AdmissionCel, type CelInput, CONDITIONS_BUDGET, POLICY_BUDGET } from './admission-cel.ts';
import { matchConditions } from './match-conditions.ts';
import { isExempt, listOf, matchResources, namespaceObject } from './match-resources.ts';
import type { PoliciesOptions } from './policies.ts';
import { mutateOnce, mutationsOf } from './policy-mutations.ts';
import { collectParams, unknownParamKind } from './policy-params.ts';
import { roundOf } from './reinvocation-round.ts';

const POLICIES = 'admissionregistration.k8s.io/mutatingadmissionpolicies';
const BINDINGS = 'admissionregistration.k8s.io/mutatingadmissionpolicybindings';

/** One policy, by one binding, with one of its parameters. */
interface Invocation {
  readonly policy: KubeObject;
  readonly binding: KubeObject;
  readonly type: ResourceType;
  readonly params: KubeObject | null | undefined;
}

interface PolicyError {
  readonly message: string;
  readonly reason: 'Forbidden' | 'Invalid';
}

/** MutatingAdmissionPolicies and their bindings. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go. */
export class MutatingPolicies {
  readonly #options: PoliciesOptions;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  admission(): Admission {
    return { name: 'MutatingAdmissionPolicy', mutate: (attributes) => this.#mutate(attributes) };
  }

  #mutate(attributes: Attributes & { readonly object: KubeObject }): Outcome {
    let { object } = attributes;
    if (isExempt(attributes) || this.#options.store.count(BINDINGS) === 0) return ok(object);
    const errors: PolicyError[] = [];
    const invocations = this.#collect(attributes, errors);
    const round = roundOf(attributes.reinvocation, POLICIES, object);
    for (const invocation of invocations) {
      const { policy } = invocation;
      const now = { ...attributes, object };
      const failing = isFailing(policy);
      const input = this.#input(now, invocation);
      const held = this.#conditions(policy, input);
      if (held !== 'match') {
        if (held !== 'no-match' && failing) errors.push(denied(invocation, held.error, 'Invalid'));
        continue;
      }
      const id = `${policy.metadata.name}/${invocation.binding.metadata.name}/${keyOfParams(invocation.params)}`;
      if (round?.second === true && !round.again.has(id)) continue;
      const mutated = this.#invoke(invocation, input, failing ? errors : []);
      if (!mutated.ok) return mutated;
      if (mutated.value !== undefined && !equal(json(mutated.value), json(object))) {
        object = mutated.value;
        round?.changed();
      }
      if (stringAt(policy.spec, 'reinvocationPolicy') === 'IfNeeded') round?.called.add(id);
    }
    round?.finish(object);
    return errors.length === 0 ? ok(object) : err(refusal(attributes, errors));
  }

  /** What is to be run, in the order of the names of policies and bindings. */
  #collect(attributes: Attributes, errors: PolicyError[]): readonly Invocation[] {
    const { store, table } = this.#options;
    const invocations: Invocation[] = [];
    const bindings = byName(store.list(BINDINGS));
    for (const policy of byName(store.list(POLICIES))) {
      const own = bindings.filter((binding) => stringAt(binding.spec, 'policyName') === policy.metadata.name);
      if (own.length === 0) continue;
      const failing = isFailing(policy);
      const whole = (why: string): void => {
        if (!failing) return;
        const message = `policy ${JSON.stringify(policy.metadata.name)} denied request: failed to configure policy: ${why}`;
        errors.push({ message, reason: 'Forbidden' });
      };
      const constraints = field(policy.spec, 'matchConstraints');
      const matched = matchResources(constraints, attributes, this.#options, 'resourceRules');
      if (!matched.ok) {
        whole(matched.error.message);
        continue;
      }
      if (matched.value === undefined) continue;
      const { type } = matched.value;
      const kind = field(policy.spec, 'paramKind');
      if (
        isObject(kind) &&
        table.byKind(stringAt(kind, 'apiVersion') ?? '', stringAt(kind, 'kind') ?? '') === undefined
      ) {
        whole(unknownParamKind(kind));
        continue;
      }
      for (const binding of own) {
        const params = this.#params(kind, binding, attributes);
        if (!params.ok) {
          if (failing)
            errors.push(denied({ policy, binding }, `failed to configure binding: ${params.error}`, 'Forbidden'));
          continue;
        }
        for (const one of params.value) invocations.push({ policy, binding, type, params: one });
      }
    }
    return invocations;
  }

  /** No params at all when the binding does not mean the request. */
  #params(
    kind: Json | undefined,
    binding: KubeObject,
    attributes: Attributes,
  ): Result<readonly (KubeObject | null | undefined)[], string> {
    const narrowed = field(binding.spec, 'matchResources');
    if (isObject(narrowed)) {
      const matched = matchResources(narrowed, attributes, this.#options, 'resourceRules');
      if (!matched.ok) return err(matched.error.message);
      if (matched.value === undefined) return ok([]);
    }
    return collectParams(kind, field(binding.spec, 'paramRef'), attributes, this.#options);
  }

  #input(
    attributes: Attributes & { readonly object: KubeObject },
    { policy, type, params }: Invocation,
  ): CelInput & { readonly object: KubeObject } {
    const { codec, store, authorizer } = this.#options;
    return {
      attributes,
      matched: type,
      object: codec.fromStorage(type, attributes.object),
      old: attributes.old === undefined ? undefined : codec.fromStorage(type, attributes.old),
      namespace: namespaceObject(attributes, store),
      authorizer,
      variables: listOf(policy.spec, 'variables').map((one) => ({
        name: stringAt(one, 'name') ?? '',
        expression: stringAt(one, 'expression') ?? '',
      })),
      ...(params === undefined ? {} : { params }),
    };
  }

  #conditions(policy: KubeObject, input: CelInput): ReturnType<typeof matchConditions> {
    const conditions = listOf(policy.spec, 'matchConditions');
    return conditions.length === 0 ? 'match' : matchConditions(conditions, new AdmissionCel(input, CONDITIONS_BUDGET));
  }

  /** The object after all of a policy's mutations, in the storage version: one that fails is left out. */
  #invoke(
    invocation: Invocation,
    input: CelInput & { readonly object: KubeObject },
    errors: PolicyError[],
  ): Result<KubeObject | undefined, StatusError> {
    const { codec } = this.#options;
    let object = input.object;
    let changed = false;
    for (const mutation of mutationsOf(invocation.policy)) {
      const cel = new AdmissionCel({ ...input, object, mutation: true }, POLICY_BUDGET);
      const next = mutateOnce(mutation, object, invocation.type, cel, codec);
      if (next.ok) {
        object = next.value;
        changed = true;
      } else if (next.error.kind === 'status') return err(next.error.status);
      else errors.push(denied(invocation, next.error.why, 'Invalid'));
    }
    return ok(changed ? codec.toStorage(input.attributes.type, object) : undefined);
  }
}

function byName(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

function isFailing(policy: KubeObject): boolean {
  return (stringAt(policy.spec, 'failurePolicy') ?? 'Fail') === 'Fail';
}

function keyOfParams(params: KubeObject | null | undefined): string {
  return params === undefined || params === null ? '' : `${params.metadata.namespace ?? ''}/${params.metadata.name}`;
}

function denied(
  { policy, binding }: Pick<Invocation, 'policy' | 'binding'>,
  why: string,
  reason: PolicyError['reason'],
): PolicyError {
  return {
    message: `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${why}`,
    reason,
  };
}

/** Speaks with the first error's voice and lists all. */
function refusal({ type, name, object }: Attributes, errors: readonly PolicyError[]): StatusError {
  const [first] = errors as [PolicyError];
  const named = name === '' ? (object?.metadata.name ?? object?.metadata.generateName ?? '') : name;
  const error = forbidden(type, named, first.message);
  return {
    ...error,
    message: first.message,
    reason: first.reason,
    details: { ...error.details, causes: errors.map(({ message }) => ({ message })) },
  };
}
