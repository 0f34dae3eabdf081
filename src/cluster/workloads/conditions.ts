import type { StoredCondition } from './shapes.ts';

export function conditionOf(
  conditions: readonly StoredCondition[] | undefined,
  type: string,
): StoredCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: readonly StoredCondition[] | undefined, type: string): boolean {
  return conditionOf(conditions, type)?.status === 'True';
}

export function withoutCondition(conditions: readonly StoredCondition[] | undefined, type: string): StoredCondition[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

/** Sets a condition where it stands; its transition time moves only when its status does. */
export function setCondition(
  conditions: readonly StoredCondition[] | undefined,
  wanted: Omit<StoredCondition, 'lastTransitionTime'>,
  now: string,
): StoredCondition[] {
  const known = conditionOf(conditions, wanted.type);
  const lastTransitionTime = known?.status === wanted.status ? (known.lastTransitionTime ?? now) : now;
  const next = { ...wanted, lastTransitionTime };
  if (known === undefined) return [...(conditions ?? []), next];
  return (conditions ?? []).map((condition) => (condition.type === wanted.type ? next : condition));
}
