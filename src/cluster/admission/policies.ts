import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, stringAt } from '../../base/json.ts';
import type { Program } from '../../engine/cel/cel.ts';
import { compileCel, evaluate, toCel, untypedEnvironment } from '../../engine/cel/cel.ts';
import type { CelValue } from '../../engine/cel/values.ts';
import type { Codec } from '../apiserver/codec.ts';
import { json } from '../apiserver/draft.ts';
import { selects } from '../apiserver/label-selector.ts';
import type { Admission, Attributes } from '../apiserver/operation.ts';
import type { ResourceTable } from '../apiserver/resource-table.ts';
import { keyOf, storageOf } from '../apiserver/resource-type.ts';
import { forbidden } from '../apiserver/status.ts';
import type { StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';
import { matchesResources } from './match-resources.ts';

const POLICIES = 'admissionregistration.k8s.io/validatingadmissionpolicies';
const BINDINGS = 'admissionregistration.k8s.io/validatingadmissionpolicybindings';
const EXEMPT = 'admissionregistration.k8s.io';
const CODES: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
};
const ENVIRONMENT = untypedEnvironment(
  'object',
  'oldObject',
  'request',
  'params',
  'namespaceObject',
  'variables',
  'authorizer',
);

type Variables = { readonly [name: string]: CelValue | (() => CelValue) };

interface Finding {
  readonly message: string;
  readonly reason: string;
}

/** ValidatingAdmissionPolicies and their bindings. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/policy/validating. */
export class ValidatingPolicies {
  readonly #store: Store;
  readonly #table: ResourceTable;
  readonly #codec: Codec;
  readonly #programs = new WeakMap<object, Map<string, Program | string>>();

  constructor(store: Store, table: ResourceTable, codec: Codec) {
    this.#store = store;
    this.#table = table;
    this.#codec = codec;
  }

  admission(): Admission {
    return { name: 'ValidatingAdmissionPolicy', validate: (attributes) => this.#validate(attributes) };
  }

  #validate(attributes: Attributes): StatusError | undefined {
    if (attributes.type.group === EXEMPT || this.#store.count(BINDINGS) === 0) return undefined;
    for (const binding of this.#store.list(BINDINGS)) {
      const policy = this.#store.get(POLICIES, stringAt(binding.spec, 'policyName') ?? '')?.object;
      if (policy === undefined || !this.#applies(policy, binding, attributes)) continue;
      const refused = this.#judge(policy, binding, attributes);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  #applies(policy: KubeObject, binding: KubeObject, attributes: Attributes): boolean {
    const namespace = this.#namespace(attributes);
    const constraints = field(policy.spec, 'matchConstraints');
    if (!matchesResources(constraints, attributes, namespace)) return false;
    const narrowed = field(binding.spec, 'matchResources');
    return narrowed === undefined || matchesResources(narrowed, attributes, namespace);
  }

  #namespace({ namespace, type, object, old }: Attributes): KubeObject | undefined {
    if (type.storage === '/namespaces') return object ?? old;
    return namespace === undefined ? undefined : this.#store.get('/namespaces', namespace)?.object;
  }

  #judge(policy: KubeObject, binding: KubeObject, attributes: Attributes): StatusError | undefined {
    const failing = (stringAt(policy.spec, 'failurePolicy') ?? 'Fail') === 'Fail';
    const found = this.#params(policy, binding, attributes);
    const findings: Finding[] = [];
    if (found === 'missing') {
      if (!failing) return undefined;
      findings.push({
        message: 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
        reason: 'Invalid',
      });
    } else for (const params of found) findings.push(...this.#evaluate(policy, attributes, params, failing));
    if (findings.length === 0) return undefined;
    const listed = field(binding.spec, 'validationActions');
    const actions = isArray(listed) ? listed : [];
    const subject = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
    if (actions.includes('Warn'))
      for (const { message } of findings) attributes.warn(`Validation failed for ${subject}: ${message}`);
    if (!actions.includes('Deny')) return undefined;
    const [first] = findings as [Finding];
    const text = `${subject} denied request: ${first.message}`;
    const { type, name } = attributes;
    const error = forbidden(type, name, text);
    return {
      ...error,
      code: CODES[first.reason] ?? 422,
      reason: first.reason,
      details: { ...error.details, causes: [{ message: text }] },
    };
  }

  /** The parameter objects; one `undefined` for a policy without; none when missing ones are allowed. */
  #params(
    policy: KubeObject,
    binding: KubeObject,
    { namespace }: Attributes,
  ): readonly (KubeObject | undefined)[] | 'missing' {
    const kind = field(policy.spec, 'paramKind');
    const reference = field(binding.spec, 'paramRef');
    if (kind === undefined || reference === undefined) return [undefined];
    const type = this.#table.byKind(stringAt(kind, 'apiVersion') ?? '', stringAt(kind, 'kind') ?? '');
    const missing = stringAt(reference, 'parameterNotFoundAction') === 'Allow' ? [] : 'missing';
    if (type === undefined) return missing;
    const place = type.namespaced ? (stringAt(reference, 'namespace') ?? namespace) : undefined;
    const storage = storageOf(type.group, type.plural);
    const name = stringAt(reference, 'name');
    const objects =
      name === undefined
        ? this.#store
            .list(storage, place === undefined ? '' : `${place}/`)
            .filter((object) => selects(field(reference, 'selector'), object.metadata.labels))
        : [this.#store.get(storage, keyOf(place, name))?.object].filter((object) => object !== undefined);
    return objects.length === 0 ? missing : objects.map((object) => this.#codec.fromStorage(type, object));
  }

  #evaluate(
    policy: KubeObject,
    attributes: Attributes,
    params: KubeObject | undefined,
    failing: boolean,
  ): readonly Finding[] {
    const variables = this.#variables(policy, attributes, params);
    const findings: Finding[] = [];
    for (const condition of listOf(policy.spec, 'matchConditions')) {
      const result = this.#run(policy, stringAt(condition, 'expression') ?? '', variables);
      if (!result.ok) return failing ? [{ message: result.error, reason: 'Invalid' }] : [];
      if (result.value !== true) return [];
    }
    for (const validation of listOf(policy.spec, 'validations')) {
      const expression = (stringAt(validation, 'expression') ?? '').trim();
      const reason = stringAt(validation, 'reason') ?? 'Invalid';
      const result = this.#run(policy, expression, variables);
      if (!result.ok) {
        if (failing)
          findings.push({
            message: `expression '${expression}' resulted in error: ${result.error}`,
            reason: 'Invalid',
          });
        continue;
      }
      if (result.value === true) continue;
      findings.push({ message: this.#message(policy, validation, expression, variables), reason });
    }
    return findings;
  }

  #message(policy: KubeObject, validation: Json, expression: string, variables: Variables): string {
    const own = stringAt(validation, 'messageExpression') ?? '';
    if (own !== '') {
      const made = this.#run(policy, own, variables);
      if (made.ok && typeof made.value === 'string' && made.value.trim() !== '' && !made.value.includes('\n'))
        return made.value;
    }
    const message = (stringAt(validation, 'message') ?? '').trim();
    return message === '' ? `failed expression: ${expression}` : message;
  }

  #variables(policy: KubeObject, attributes: Attributes, params: KubeObject | undefined): Variables {
    const { type, object, old } = attributes;
    const shown = (one: KubeObject | undefined): CelValue =>
      toCel(one === undefined ? null : json(this.#codec.fromStorage(type, one)), this.#codec.schema(type));
    const namespace = this.#namespace(attributes);
    const base: Variables = {
      object: () => shown(object),
      oldObject: () => shown(old),
      request: () => toCel(requestOf(attributes)),
      params: () => toCel(params === undefined ? null : json(params)),
      namespaceObject: () => toCel(namespace === undefined ? null : json(namespace)),
      authorizer: () => toCel(null),
    };
    const lazy = new Map<string, CelValue>();
    let all: Variables = { ...base, variables: lazy as unknown as CelValue };
    for (const one of listOf(policy.spec, 'variables')) {
      const value = this.#run(policy, stringAt(one, 'expression') ?? '', all);
      if (value.ok) lazy.set(stringAt(one, 'name') ?? '', value.value);
      all = { ...base, variables: lazy as unknown as CelValue };
    }
    return all;
  }

  #run(
    policy: KubeObject,
    text: string,
    variables: Variables,
  ): { readonly ok: true; readonly value: CelValue } | { readonly ok: false; readonly error: string } {
    const cache = this.#programs.get(policy) ?? new Map<string, Program | string>();
    this.#programs.set(policy, cache);
    let program = cache.get(text);
    if (program === undefined) {
      const compiled = compileCel(text, ENVIRONMENT);
      program = compiled.ok ? compiled.value : compiled.error.message;
      cache.set(text, program);
    }
    if (typeof program === 'string') return { ok: false, error: `compilation error: ${program}` };
    const result = evaluate(program, variables);
    return result.ok ? { ok: true, value: result.value.value } : { ok: false, error: result.error.message };
  }
}

function listOf(value: Json | undefined, key: string): readonly Json[] {
  const list = field(value, key);
  return isArray(list) ? list : [];
}

/** The request as policies see it: an AdmissionRequest without its objects. */
function requestOf({ type, verb, namespace, name, subresource, user, dryRun }: Attributes): JsonObject {
  const { group, version, kind, plural } = type;
  return {
    kind: { group, version, kind },
    resource: { group, version, resource: plural },
    subResource: subresource ?? '',
    requestKind: { group, version, kind },
    requestResource: { group, version, resource: plural },
    name,
    namespace: namespace ?? '',
    operation: verb.toUpperCase(),
    dryRun,
    userInfo: {
      username: user.name,
      uid: user.uid ?? '',
      groups: user.groups,
      extra: user.extra as JsonObject,
    },
  };
}
