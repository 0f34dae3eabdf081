import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { at, field, isArray, stringAt } from '../../base/json.ts';
import type { Store } from '../store/store.ts';
import type { Access, Authorizer, Decision } from './authorizer.ts';
import { json } from './draft.ts';
import { selects } from './label-selector.ts';
import type { User } from './user.ts';
import { ADMINS } from './user.ts';

/** One rule of a role. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

const ROLES = 'rbac.authorization.k8s.io/roles';
const CLUSTER_ROLES = 'rbac.authorization.k8s.io/clusterroles';
const ROLE_BINDINGS = 'rbac.authorization.k8s.io/rolebindings';
const CLUSTER_ROLE_BINDINGS = 'rbac.authorization.k8s.io/clusterrolebindings';

/** RBAC over what the store holds. Source: kubernetes@1.34 plugin/pkg/auth/authorizer/rbac. */
export class RbacAuthorizer implements Authorizer {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  authorize(access: Access): Decision {
    const { user, resource } = access;
    if (user.groups.includes(ADMINS)) return { allowed: true, reason: '' };
    for (const { rules, via } of this.#bindings(user, resource?.namespace))
      if (rules.some((rule) => allows(rule, access))) return { allowed: true, reason: `RBAC: allowed by ${via}` };
    return { allowed: false, reason: '' };
  }

  /** Every rule that applies to the user in a namespace, or in the whole cluster. */
  rulesFor(user: User, namespace: string | undefined): readonly PolicyRule[] {
    const all = [...this.#bindings(user, namespace)].flatMap(({ rules }) => rules);
    return user.groups.includes(ADMINS)
      ? [
          { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
          { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
          ...all,
        ]
      : all;
  }

  /** Rules of a role that a binding names; undefined when there is no such role. */
  roleRules(kind: string, name: string, namespace: string | undefined): readonly PolicyRule[] | undefined {
    const role =
      kind === 'ClusterRole'
        ? this.#store.get(CLUSTER_ROLES, name)?.object
        : this.#store.get(ROLES, `${namespace ?? ''}/${name}`)?.object;
    return role === undefined ? undefined : this.#rulesOf(role);
  }

  /** Aggregated roles count at once, not only when a controller has written them down. */
  #rulesOf(role: KubeObject): readonly PolicyRule[] {
    const own = parseRules(json(role)['rules']);
    const selectors = at(json(role), 'aggregationRule', 'clusterRoleSelectors');
    if (!isArray(selectors)) return own;
    const added = this.#store
      .list(CLUSTER_ROLES)
      .filter((other) => other !== role && selectors.some((selector) => selects(selector, other.metadata.labels)))
      .flatMap((other) =>
        at(json(other), 'aggregationRule') === undefined ? parseRules(json(other)['rules']) : this.#rulesOf(other),
      );
    return [...own, ...added];
  }

  *#bindings(
    user: User,
    namespace: string | undefined,
  ): Generator<{ readonly rules: readonly PolicyRule[]; readonly via: string }> {
    for (const binding of this.#store.list(CLUSTER_ROLE_BINDINGS)) yield* this.#apply(user, binding, undefined);
    if (namespace === undefined || namespace === '') return;
    for (const binding of this.#store.list(ROLE_BINDINGS, `${namespace}/`))
      yield* this.#apply(user, binding, namespace);
  }

  *#apply(
    user: User,
    binding: KubeObject,
    namespace: string | undefined,
  ): Generator<{ readonly rules: readonly PolicyRule[]; readonly via: string }> {
    const subjects = json(binding)['subjects'];
    const subject = isArray(subjects) ? subjects.find((one) => isSubject(user, one, namespace)) : undefined;
    if (subject === undefined) return;
    const kind = stringAt(json(binding), 'roleRef', 'kind') ?? '';
    const name = stringAt(json(binding), 'roleRef', 'name') ?? '';
    const rules = this.roleRules(kind, name, namespace);
    if (rules === undefined) return;
    const where =
      namespace === undefined
        ? `ClusterRoleBinding "${binding.metadata.name}"`
        : `RoleBinding "${binding.metadata.name}/${namespace}"`;
    yield { rules, via: `${where} of ${kind} "${name}" to ${printSubject(subject, namespace)}` };
  }
}

function printSubject(subject: Json, namespace: string | undefined): string {
  const kind = stringAt(subject, 'kind') ?? '';
  const name = stringAt(subject, 'name') ?? '';
  if (kind !== 'ServiceAccount') return `${kind} "${name}"`;
  return `${kind} "${name}/${stringAt(subject, 'namespace') ?? namespace ?? ''}"`;
}

function isSubject(user: User, subject: Json, namespace: string | undefined): boolean {
  const name = stringAt(subject, 'name') ?? '';
  switch (stringAt(subject, 'kind')) {
    case 'User':
      return user.name === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount': {
      const own = stringAt(subject, 'namespace') ?? '';
      return user.name === `system:serviceaccount:${own === '' ? (namespace ?? '') : own}:${name}`;
    }
    default:
      return false;
  }
}

function strings(value: Json | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function parseRules(value: Json | undefined): readonly PolicyRule[] {
  if (!isArray(value)) return [];
  return value.map((rule) => ({
    verbs: strings(field(rule, 'verbs')),
    apiGroups: strings(field(rule, 'apiGroups')),
    resources: strings(field(rule, 'resources')),
    resourceNames: strings(field(rule, 'resourceNames')),
    nonResourceURLs: strings(field(rule, 'nonResourceURLs')),
  }));
}

function allows(rule: PolicyRule, { verb, resource, path }: Access): boolean {
  if (!has(rule.verbs, verb)) return false;
  if (resource === undefined) return rule.nonResourceURLs.some((pattern) => matchesUrl(pattern, path ?? ''));
  return (
    has(rule.apiGroups, resource.group) &&
    matchesResource(rule.resources, resource.plural, resource.subresource) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(resource.name ?? ''))
  );
}

function has(list: readonly string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}

function matchesResource(list: readonly string[], plural: string, subresource: string | undefined): boolean {
  const full = subresource === undefined ? plural : `${plural}/${subresource}`;
  return list.some((one) => one === '*' || one === full || (subresource !== undefined && one === `*/${subresource}`));
}

function matchesUrl(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}

/** Rules among `wanted` that `held` does not cover, each cut down to what is missing. Source: kubernetes@1.34 component-helpers auth/rbac/validation. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(breakDown).filter((one) => !held.some((rule) => covers(rule, one)));
}

function breakDown(rule: PolicyRule): readonly PolicyRule[] {
  const out: PolicyRule[] = [];
  for (const group of rule.apiGroups)
    for (const resource of rule.resources)
      for (const verb of rule.verbs)
        for (const name of rule.resourceNames.length === 0 ? [undefined] : rule.resourceNames)
          out.push({
            verbs: [verb],
            apiGroups: [group],
            resources: [resource],
            resourceNames: name === undefined ? [] : [name],
            nonResourceURLs: [],
          });
  for (const url of rule.nonResourceURLs)
    for (const verb of rule.verbs)
      out.push({ verbs: [verb], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [url] });
  return out;
}

function covers(owner: PolicyRule, one: PolicyRule): boolean {
  const all = (have: readonly string[], need: readonly string[]): boolean =>
    have.includes('*') || need.every((item) => have.includes(item));
  const resources =
    all(owner.resources, one.resources) ||
    one.resources.every((resource) => {
      const slash = resource.indexOf('/');
      return (
        owner.resources.includes(resource) || (slash >= 0 && owner.resources.includes(`*${resource.slice(slash)}`))
      );
    });
  const names =
    owner.resourceNames.length === 0 ||
    (one.resourceNames.length > 0 && one.resourceNames.every((name) => owner.resourceNames.includes(name)));
  const urls = one.nonResourceURLs.every((url) => owner.nonResourceURLs.some((have) => matchesUrl(have, url)));
  return all(owner.verbs, one.verbs) && all(owner.apiGroups, one.apiGroups) && resources && names && urls;
}

/** Rules as messages list them: those that differ in their verb only become one. */
export function printRules(rules: readonly PolicyRule[]): string {
  const merged = new Map<string, string[]>();
  for (const rule of rules) {
    const parts: string[] = [];
    const list = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;
    if (rule.apiGroups.length > 0) parts.push(`APIGroups:${list(rule.apiGroups)}`);
    if (rule.resources.length > 0) parts.push(`Resources:${list(rule.resources)}`);
    if (rule.resourceNames.length > 0) parts.push(`ResourceNames:${list(rule.resourceNames)}`);
    if (rule.nonResourceURLs.length > 0) parts.push(`NonResourceURLs:${list(rule.nonResourceURLs)}`);
    const key = parts.join(', ');
    merged.set(key, [...(merged.get(key) ?? []), ...rule.verbs]);
  }
  return [...merged]
    .map(([key, verbs]) => `{${key}, Verbs:[${verbs.map((verb) => JSON.stringify(verb)).join(' ')}]}`)
    .sort()
    .join('\n');
}
