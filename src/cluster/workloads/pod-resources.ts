import { at, isObject, type Json, stringAt } from '../../base/json.ts';
import { items } from '../apiserver/draft.ts';
import { addQuantity, parseQuantity, type Quantity } from '../apiserver/quantity.ts';

/** Amounts by resource name. */
export type Amounts = ReadonlyMap<string, Quantity>;

function scalar(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The amounts of a `requests`, `limits`, `hard` or `used` map; what is no quantity is left out. */
export function amountsOf(value: Json | undefined): Amounts {
  const out = new Map<string, Quantity>();
  if (!isObject(value)) return out;
  for (const name of Object.keys(value)) {
    const parsed = parseQuantity(scalar(value[name]));
    if (typeof parsed !== 'string') out.set(name, parsed);
  }
  return out;
}

function add(into: Map<string, Quantity>, more: Amounts): void {
  for (const [name, amount] of more) into.set(name, addQuantity(into.get(name), amount));
}

function raise(into: Map<string, Quantity>, other: Amounts): void {
  for (const [name, amount] of other) {
    const known = into.get(name);
    if (known === undefined || amount.nano > known.nano) into.set(name, amount);
  }
}

const POD_LEVEL = /^(cpu|memory|hugepages-.*)$/;

/**
 * What a pod as a whole asks for: containers together, or what its init containers need while they run when that is more; sidecars
 * count for both; then what the pod asks for as a whole, and its overhead. Source: kubernetes@1.34 component-helpers/resource/helpers.go.
 */
export function podResources(pod: Json, kind: 'requests' | 'limits'): Amounts {
  const spec = at(pod, 'spec');
  const total = new Map<string, Quantity>();
  for (const container of items(spec, 'containers')) add(total, amountsOf(at(container, 'resources', kind)));
  const sidecars = new Map<string, Quantity>();
  const starting = new Map<string, Quantity>();
  for (const container of items(spec, 'initContainers')) {
    const own = amountsOf(at(container, 'resources', kind));
    if (stringAt(container, 'restartPolicy') === 'Always') {
      add(total, own);
      add(sidecars, own);
      raise(starting, sidecars);
    } else {
      const now = new Map(own);
      add(now, sidecars);
      raise(starting, now);
    }
  }
  raise(total, starting);
  for (const [name, amount] of amountsOf(at(spec, 'resources', kind)))
    if (POD_LEVEL.test(name)) total.set(name, amount);
  for (const [name, amount] of amountsOf(at(spec, 'overhead'))) {
    const known = total.get(name);
    if (kind === 'requests' || (known !== undefined && known.nano !== 0n)) total.set(name, addQuantity(known, amount));
  }
  return total;
}

/** Whether the pod says what it needs as a whole. */
export function hasPodLevelResources(pod: Json): boolean {
  return ['requests', 'limits'].some((kind) =>
    [...amountsOf(at(pod, 'spec', 'resources', kind)).keys()].some((name) => POD_LEVEL.test(name)),
  );
}
