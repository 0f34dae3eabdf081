import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import { isObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { type CelEnvironment, compileCel, evaluate, type Program, toCel } from '../../engine/cel/cel.ts';
import { CelFailure } from '../../engine/cel/operators.ts';
import { CelHost, type CelValue } from '../../engine/cel/values.ts';
import type { Authorizer } from '../apiserver/authorizer.ts';
import { json, kube } from '../apiserver/draft.ts';
import type { Attributes } from '../apiserver/operation.ts';
import type { ResourceType } from '../apiserver/resource-type.ts';
import { admissionEnvironment, type Declared } from './admission-environment.ts';
import { AuthorizerValue } from './authorizer-value.ts';
import { namespaceOf } from './match-resources.ts';

/** Costs of all expressions of a policy with one binding, and of match conditions. Source: kubernetes@1.34 apiserver/pkg/apis/cel/config.go. */
export const POLICY_BUDGET = 10_000_000;
export const CONDITIONS_BUDGET = 2_500_000;
const CALL_LIMIT = 1_000_000;

/** What expressions look at. */
export interface CelInput {
  readonly attributes: Attributes;
  /** The version in which the rule that matched wants the objects. */
  readonly matched: ResourceType;
  /** In that version. */
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
  /** `undefined`: the policy has no params. `null`: it has, the binding has none. */
  readonly params?: KubeObject | null;
  readonly namespace?: KubeObject | undefined;
  readonly authorizer?: Authorizer;
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  /** Expressions make `Object` and `JSONPatch`. */
  readonly mutation?: boolean;
}

/** `spent`: the budget is used up and nothing more may run. */
export interface CelProblem {
  readonly message: string;
  readonly spent: boolean;
}

const programs = new Map<string, Program | string>();
/** Compiled expressions kept; above that the oldest goes. */
const MAX_PROGRAMS = 2000;

function compiled(text: string, environment: CelEnvironment, key: string): Program | string {
  const id = `${key}\n${text}`;
  const known = programs.get(id);
  if (known !== undefined) return known;
  const result = compileCel(text, environment);
  const out = result.ok ? result.value : result.error.message;
  if (programs.size >= MAX_PROGRAMS) for (const oldest of programs.keys()) return programs.delete(oldest) ? out : out;
  programs.set(id, out);
  return out;
}

/** Evaluates the expressions of one policy or webhook over one request. */
export class AdmissionCel {
  readonly #input: CelInput;
  readonly #declared: Declared;
  readonly #environment: CelEnvironment;
  readonly #key: string;
  readonly #lazy: LazyVariables | undefined;
  readonly #values: { readonly [name: string]: CelValue | (() => CelValue) };
  #budget: number;

  constructor(input: CelInput, budget: number) {
    this.#input = input;
    this.#budget = budget;
    this.#declared = {
      params: input.params !== undefined,
      authorizer: input.authorizer !== undefined,
      variables: input.variables,
      ...(input.mutation === true ? { mutation: true } : {}),
    };
    this.#environment = admissionEnvironment(this.#declared);
    this.#key = JSON.stringify(this.#declared);
    this.#lazy =
      input.variables === undefined ? undefined : new LazyVariables(input.variables, (one) => this.#lazily(one));
    this.#values = this.#bind();
  }

  /** Goes on with what another evaluation left of its budget. */
  get budget(): number {
    return this.#budget;
  }

  #bind(): { readonly [name: string]: CelValue | (() => CelValue) } {
    const { attributes, object, old, params, namespace, authorizer } = this.#input;
    const shown = (one: KubeObject | null | undefined): CelValue =>
      toCel(one === undefined || one === null ? null : json(one));
    return {
      object: () => shown(object),
      oldObject: () => shown(old),
      request: () => toCel(requestOf(this.#input)),
      namespaceObject: () => shown(namespace === undefined ? undefined : exposed(namespace)),
      ...(params === undefined ? {} : { params: () => shown(params) }),
      ...(authorizer === undefined
        ? {}
        : { authorizer: () => new AuthorizerValue(authorizer, attributes.user, attributes) }),
      ...(this.#lazy === undefined ? {} : { variables: this.#lazy }),
    };
  }

  #lazily({ name, expression }: { readonly name: string; readonly expression: string }): CelValue {
    const program = compiled(expression, this.#environment, this.#key);
    if (typeof program === 'string')
      throw new CelFailure(`composited variable "${name}" fails to compile: compilation failed: ${program}`);
    const result = evaluate(program, this.#values, { costLimit: CALL_LIMIT });
    if (!result.ok) throw new CelFailure(`composited variable "${name}" fails to evaluate: ${result.error.message}`);
    this.#budget -= result.value.cost;
    return result.value.value;
  }

  /** Fails with the text that the real server shows of a failed expression. */
  run(expression: string): Result<CelValue, CelProblem> {
    const program = compiled(expression, this.#environment, this.#key);
    if (typeof program === 'string')
      return err({ message: `compilation error: compilation failed: ${program}`, spent: false });
    const result = evaluate(program, this.#values, { costLimit: CALL_LIMIT });
    const cost = result.ok ? result.value.cost : 0;
    this.#budget -= cost;
    if (this.#budget < 0)
      return err({
        message: 'validation failed due to running out of cost budget, no further validation rules will be run',
        spent: true,
      });
    if (result.ok) return ok(result.value.value);
    return err({ message: `expression '${expression}' resulted in error: ${result.error.message}`, spent: false });
  }
}

/** `variables`: each is evaluated when first read. */
class LazyVariables extends CelHost {
  readonly type = 'kubernetes.variables';
  readonly #expressions: ReadonlyMap<string, { readonly name: string; readonly expression: string }>;
  readonly #evaluate: (one: { readonly name: string; readonly expression: string }) => CelValue;
  readonly #known = new Map<string, CelValue>();

  constructor(
    list: readonly { readonly name: string; readonly expression: string }[],
    evaluateOne: (one: { readonly name: string; readonly expression: string }) => CelValue,
  ) {
    super();
    this.#expressions = new Map(list.map((one) => [one.name, one]));
    this.#evaluate = evaluateOne;
  }

  get(name: string): CelValue | undefined {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const one = this.#expressions.get(name);
    if (one === undefined) return undefined;
    const value = this.#evaluate(one);
    this.#known.set(name, value);
    return value;
  }

  call(): undefined {
    return undefined;
  }
}

/** Fields of a namespace that policies may see. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/cel/condition.go. */
function exposed(namespace: KubeObject): KubeObject {
  const { managedFields: _fields, ownerReferences: _owners, ...metadata } = namespace.metadata;
  const { status, spec } = namespace as { status?: unknown; spec?: unknown };
  return kube({
    metadata,
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  } as unknown as JsonObject);
}

/** The kind that a request speaks of: of a subresource its own. */
export function kindOf(
  type: ResourceType,
  subresource: string | undefined,
): { group: string; version: string; kind: string } {
  const sub = subresource === undefined ? undefined : type.subresources.get(subresource);
  const { group, version, kind } = sub ?? type;
  return { group, version, kind };
}

/** The options of the request as an object of its own kind. */
export function optionsOf({ type, verb, options, dryRun, old }: Attributes): JsonObject | undefined {
  if (verb === 'connect') return options;
  const own = isObject(options) ? options : {};
  // Namespaces are deleted by uid. (kubernetes@1.34 pkg/registry/core/namespace/storage/storage.go)
  const pinned = type.storage === '/namespaces' && verb === 'delete' && old?.metadata.uid !== undefined;
  return {
    kind: `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Options`,
    apiVersion: 'meta.k8s.io/v1',
    ...own,
    ...(pinned && own['preconditions'] === undefined ? { preconditions: { uid: old.metadata.uid as string } } : {}),
    ...(dryRun && own['dryRun'] === undefined ? { dryRun: ['All'] } : {}),
  };
}

/** An AdmissionRequest without its objects and its uid. */
export function requestOf({ attributes, matched }: Pick<CelInput, 'attributes' | 'matched'>): JsonObject {
  const { type, verb, name, subresource, user, dryRun } = attributes;
  const resource = ({ group, version, plural }: ResourceType): JsonObject => ({ group, version, resource: plural });
  const namespace = namespaceOf(attributes);
  const options = optionsOf(attributes);
  return {
    kind: kindOf(matched, subresource),
    resource: resource(matched),
    ...(subresource === undefined ? {} : { subResource: subresource }),
    requestKind: kindOf(type, subresource),
    requestResource: resource(type),
    ...(subresource === undefined ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation: verb.toUpperCase(),
    userInfo: {
      username: user.name,
      ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra as JsonObject }),
    },
    dryRun,
    ...(options === undefined ? {} : { options }),
  };
}
