import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { Authorizer } from '../apiserver/authorizer.ts';
import type { Codec } from '../apiserver/codec.ts';
import type { Admission, Attributes } from '../apiserver/operation.ts';
import type { ResourceTable } from '../apiserver/resource-table.ts';
import { forbidden } from '../apiserver/status.ts';
import type { StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';
import { AdmissionCel, type CelInput, CONDITIONS_BUDGET, POLICY_BUDGET } from './admission-cel.ts';
import { matchConditions } from './match-conditions.ts';
import { isExempt, listOf, matchResources, namespaceObject } from './match-resources.ts';
import { collectParams, unknownParamKind } from './policy-params.ts';
import { shownObject } from './shown-object.ts';

const POLICIES = 'admissionregistration.k8s.io/validatingadmissionpolicies';
const BINDINGS = 'admissionregistration.k8s.io/validatingadmissionpolicybindings';
const CODES: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  Invalid: 422,
  RequestEntityTooLarge: 413,
};
/** Longer messages that an expression makes are not shown. Source: kubernetes@1.34 apiserver/pkg/apis/cel/config.go. */
const MAX_MESSAGE_BYTES = 5 * 1024;

interface Finding {
  readonly message: string;
  readonly reason: string;
  /** Warnings and audits are about validations only; the rest always denies. */
  readonly denies: boolean;
}

export interface PoliciesOptions {
  readonly store: Store;
  readonly table: ResourceTable;
  readonly codec: Codec;
  readonly authorizer: Authorizer;
}

/** ValidatingAdmissionPolicies and their bindings. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/policy/validating. */
export class ValidatingPolicies {
  readonly #options: PoliciesOptions;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  admission(): Admission {
    return { name: 'ValidatingAdmissionPolicy', validate: (attributes) => this.#validate(attributes) };
  }

  #validate(attributes: Attributes): StatusError | undefined {
    const { store } = this.#options;
    if (isExempt(attributes) || store.count(BINDINGS) === 0) return undefined;
    const denials: StatusError[] = [];
    const deny = (policy: KubeObject, binding: KubeObject | undefined, { message, reason }: Omit<Finding, 'denies'>) =>
      denials.push(denied(attributes, policy, binding, message, reason));
    const bindings = store.list(BINDINGS);
    for (const policy of store.list(POLICIES)) {
      const failing = (stringAt(policy.spec, 'failurePolicy') ?? 'Fail') === 'Fail';
      const own = bindings.filter((binding) => stringAt(binding.spec, 'policyName') === policy.metadata.name);
      if (own.length === 0) continue;
      const matched = matchResources(
        field(policy.spec, 'matchConstraints'),
        attributes,
        this.#options,
        'resourceRules',
      );
      if (!matched.ok) {
        if (failing) deny(policy, undefined, configuration('policy', matched.error.message));
        continue;
      }
      if (matched.value === undefined) continue;
      const { type } = matched.value;
      const kind = field(policy.spec, 'paramKind');
      if (isObject(kind) && !this.#knows(kind)) {
        if (failing) deny(policy, undefined, configuration('policy', unknownParamKind(kind)));
        continue;
      }
      for (const binding of own) {
        const params = this.#params(policy, binding, attributes);
        if (!params.ok) {
          if (failing) deny(policy, binding, configuration('binding', params.error));
          continue;
        }
        for (const param of params.value)
          for (const finding of this.#judge(policy, this.#input(attributes, type, param), failing))
            this.#conclude(policy, binding, attributes, finding, () => deny(policy, binding, finding));
      }
    }
    return denials[0];
  }

  #knows(kind: Json): boolean {
    return this.#options.table.byKind(stringAt(kind, 'apiVersion') ?? '', stringAt(kind, 'kind') ?? '') !== undefined;
  }

  /** No params at all when the binding does not mean the request. */
  #params(
    policy: KubeObject,
    binding: KubeObject,
    attributes: Attributes,
  ): Result<readonly (KubeObject | null | undefined)[], string> {
    const narrowed = field(binding.spec, 'matchResources');
    if (isObject(narrowed)) {
      const matched = matchResources(narrowed, attributes, this.#options, 'resourceRules');
      if (!matched.ok) return err(matched.error.message);
      if (matched.value === undefined) return ok([]);
    }
    return collectParams(field(policy.spec, 'paramKind'), field(binding.spec, 'paramRef'), attributes, this.#options);
  }

  #input(
    attributes: Attributes,
    matched: CelInput['matched'],
    params: KubeObject | null | undefined,
  ): Omit<CelInput, 'variables'> {
    const { codec, store, authorizer } = this.#options;
    const shown = (object: KubeObject | undefined): KubeObject | undefined =>
      object === undefined ? undefined : shownObject(attributes, matched, object, codec);
    return {
      attributes,
      matched,
      object: shown(attributes.object),
      old: shown(attributes.old),
      namespace: namespaceObject(attributes, store),
      authorizer,
      ...(params === undefined ? {} : { params }),
    };
  }

  #conclude(
    policy: KubeObject,
    binding: KubeObject,
    attributes: Attributes,
    { message, denies }: Finding,
    deny: () => void,
  ): void {
    const listed = field(binding.spec, 'validationActions');
    const actions = isArray(listed) ? listed : [];
    if (denies || actions.includes('Deny')) deny();
    if (!denies && actions.includes('Warn'))
      attributes.warn(
        `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${message}`,
      );
  }

  #judge(policy: KubeObject, input: Omit<CelInput, 'variables'>, failing: boolean): readonly Finding[] {
    const failed = (message: string): Finding[] => (failing ? [{ message, reason: 'Invalid', denies: false }] : []);
    const variables = listOf(policy.spec, 'variables').map((one) => ({
      name: stringAt(one, 'name') ?? '',
      expression: stringAt(one, 'expression') ?? '',
    }));
    const whole: CelInput = { ...input, variables };
    const conditions = listOf(policy.spec, 'matchConditions');
    if (conditions.length > 0) {
      const held = matchConditions(conditions, new AdmissionCel(whole, CONDITIONS_BUDGET));
      if (held === 'no-match') return [];
      if (held !== 'match') return failed(held.error);
    }
    const cel = new AdmissionCel(whole, POLICY_BUDGET);
    const validations = listOf(policy.spec, 'validations');
    const results = validations.map((validation) => cel.run(stringAt(validation, 'expression') ?? ''));
    const spent = results.find((result) => !result.ok && result.error.spent);
    if (spent !== undefined && !spent.ok) return failed(spent.error.message);
    const { authorizer: _authorizer, ...withoutAuthorizer } = whole;
    const texts = new AdmissionCel(withoutAuthorizer, cel.budget);
    const findings: Finding[] = [];
    for (const [index, validation] of validations.entries()) {
      const result = results[index] as ReturnType<AdmissionCel['run']>;
      if (!result.ok) findings.push(...failed(result.error.message));
      else if (result.value !== true)
        findings.push({
          message: messageOf(validation, texts),
          reason: stringAt(validation, 'reason') ?? 'Invalid',
          denies: false,
        });
    }
    findings.push(...this.#annotate(policy, withoutAuthorizer, failing));
    return findings;
  }

  /** Nobody reads audit annotations here; what fails about them still denies. */
  #annotate(policy: KubeObject, input: CelInput, failing: boolean): readonly Finding[] {
    const annotations = listOf(policy.spec, 'auditAnnotations');
    if (annotations.length === 0) return [];
    const cel = new AdmissionCel(input, POLICY_BUDGET);
    const findings: Finding[] = [];
    for (const annotation of annotations) {
      const result = cel.run(stringAt(annotation, 'valueExpression') ?? '');
      if (!result.ok && failing) findings.push({ message: result.error.message, reason: 'Invalid', denies: true });
    }
    return findings;
  }
}

function configuration(what: 'policy' | 'binding', why: string): Omit<Finding, 'denies'> {
  return { message: `failed to configure ${what}: ${why}`, reason: 'Invalid' };
}

function denied(
  { type, name, object }: Attributes,
  policy: KubeObject,
  binding: KubeObject | undefined,
  message: string,
  reason: string,
): StatusError {
  const subject = `ValidatingAdmissionPolicy '${policy.metadata.name}'${binding === undefined ? '' : ` with binding '${binding.metadata.name}'`}`;
  const text = `${subject} denied request: ${message}`;
  const named = name === '' ? (object?.metadata.name ?? object?.metadata.generateName ?? '') : name;
  const error = forbidden(type, named, text);
  return {
    ...error,
    code: CODES[reason] ?? 422,
    reason,
    details: { ...error.details, causes: [{ message: text }] },
  };
}

function messageOf(validation: Json, cel: AdmissionCel): string {
  const own = stringAt(validation, 'messageExpression') ?? '';
  if (own !== '') {
    const made = cel.run(own);
    const text = made.ok && typeof made.value === 'string' ? made.value.trim() : '';
    if (text !== '' && !text.includes('\n') && new TextEncoder().encode(text).length <= MAX_MESSAGE_BYTES) return text;
  }
  const message = (stringAt(validation, 'message') ?? '').trim();
  return message === '' ? `failed expression: ${(stringAt(validation, 'expression') ?? '').trim()}` : message;
}
