import { equal, type Json } from '../../base/json.ts';
import { type Context, splitKey, type WorkloadController } from './context.ts';
import type { Again } from './queue.ts';
import { CLUSTER_ROLES } from './resources.ts';
import { matches } from './selector.ts';
import { type LabelSelector, plain, type Stored } from './shapes.ts';
import { writtenOrGone } from './writes.ts';

type ClusterRole = Omit<Stored<undefined, undefined>, 'spec'> & {
  readonly rules?: readonly Json[] | null;
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] };
};

/** Fills ClusterRoles that aggregate others. Source: kubernetes@1.34 pkg/controller/clusterroleaggregation. */
export function aggregationController({ registry }: Context): WorkloadController {
  const roles = (): readonly ClusterRole[] =>
    registry.list(CLUSTER_ROLES).map((role) => role as unknown as ClusterRole);

  async function sync(key: string): Promise<Again> {
    const { name } = splitKey(key);
    const stored = registry.get(CLUSTER_ROLES, undefined, name) as unknown as ClusterRole | undefined;
    if (stored?.aggregationRule === undefined) return undefined;
    const rules: Json[] = [];
    const byName = [...roles()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    for (const selector of stored.aggregationRule.clusterRoleSelectors ?? []) {
      for (const role of byName) {
        if (role.metadata.name === name || !matches(selector, role.metadata.labels)) continue;
        for (const rule of role.rules ?? []) if (!rules.some((known) => equal(known, rule))) rules.push(rule);
      }
    }
    if (equal(rules, [...(stored.rules ?? [])])) return undefined;
    const next = { ...stored, rules } as unknown as Stored<unknown, unknown>;
    writtenOrGone(await registry.update(CLUSTER_ROLES, plain(next), 'clusterrole-aggregation-controller'));
    return undefined;
  }

  return {
    name: 'clusterrole-aggregation-controller',
    watches: [
      {
        resource: CLUSTER_ROLES,
        keys: () =>
          roles().flatMap(({ metadata, aggregationRule }) =>
            aggregationRule === undefined ? [] : [`/${metadata.name}`],
          ),
      },
    ],
    sync,
  };
}
