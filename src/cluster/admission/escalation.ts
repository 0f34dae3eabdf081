import { equal, stringAt } from '../../base/json.ts';
import type { Authorizer } from '../apiserver/authorizer.ts';
import { json } from '../apiserver/draft.ts';
import type { Admission, Attributes } from '../apiserver/operation.ts';
import type { PolicyRule, RbacAuthorizer } from '../apiserver/rbac.ts';
import { parseRules, printRules, uncovered } from '../apiserver/rbac.ts';
import { forbidden, notFound } from '../apiserver/status.ts';
import type { User } from '../apiserver/user.ts';
import { ADMINS } from '../apiserver/user.ts';
import type { StatusError } from '../registry.ts';

const GROUP = 'rbac.authorization.k8s.io';

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

/** Nobody grants what they do not hold, unless they may `escalate` or `bind`. Source: kubernetes@1.34 pkg/registry/rbac/*\/policybased. */
export function escalation(rbac: RbacAuthorizer, authorizer: Authorizer): Admission {
  const may = (user: User, verb: string, plural: string, namespace: string | undefined, name: string): boolean =>
    authorizer.authorize({
      user,
      verb,
      resource: { group: GROUP, version: 'v1', plural, name, ...(namespace === undefined ? {} : { namespace }) },
    }).allowed;
  const judge = (attributes: Attributes, wanted: readonly PolicyRule[]): StatusError | undefined => {
    const { user, type, namespace, object } = attributes;
    const missing = uncovered(rbac.rulesFor(user, namespace), wanted);
    if (missing.length === 0) return undefined;
    const groups = user.groups.map((group) => JSON.stringify(group)).join(' ');
    return forbidden(
      type,
      object?.metadata.name ?? '',
      `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${printRules(missing)}`,
    );
  };
  return {
    name: 'RBACEscalation',
    validate: (attributes) => {
      const { type, verb, user, namespace, object, old } = attributes;
      if (type.group !== GROUP || object === undefined || verb === 'delete' || user.groups.includes(ADMINS))
        return undefined;
      const { name } = object.metadata;
      if (type.kind === 'Role' || type.kind === 'ClusterRole') {
        const same = (key: string): boolean =>
          old !== undefined && equal(json(old)[key] ?? null, json(object)[key] ?? null);
        if (same('rules') && same('aggregationRule')) return undefined;
        if (may(user, 'escalate', type.plural, namespace, name)) return undefined;
        const aggregates = [old, object].some((one) => one !== undefined && json(one)['aggregationRule'] !== undefined);
        // It can gather anything, and keep others from taking it back.
        if (aggregates && uncovered(rbac.rulesFor(user, namespace), EVERYTHING).length > 0)
          return forbidden(type, name, 'must have cluster-admin privileges to use an aggregationRule');
        return judge(attributes, parseRules(json(object)['rules']));
      }
      const kind = stringAt(json(object), 'roleRef', 'kind') ?? '';
      const role = stringAt(json(object), 'roleRef', 'name') ?? '';
      const plural = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
      if (may(user, 'bind', plural, namespace, role)) return undefined;
      const rules = rbac.roleRules(kind, role, namespace);
      if (rules === undefined) return notFound(type, role);
      return judge(attributes, rules);
    },
  };
}
