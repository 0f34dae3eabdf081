import { fail } from './failure.ts';
import type { SortOptions } from './kustomization-type.ts';
import {
  gvkEquals,
  gvkSortText,
  ORDER_FIRST,
  ORDER_LAST,
  printGvk,
  type ResourceId,
  typeOrders,
} from './resource-id.ts';
import type { ResourceMap } from './resource-map.ts';

/** Puts resources in the order that `sortOptions` ask for (SortOrderTransformer). @throws KustomizeFailure */
export function sortResources(resources: ResourceMap, options: SortOptions): void {
  const order = options.order ?? '';
  if (order !== 'fifo' && order !== 'legacy') fail("the field 'sortOptions.order' must be one of [fifo, legacy]");
  if (order === 'fifo') {
    if (options.legacySortOptions !== undefined) {
      fail("the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'");
    }
    return;
  }
  const { orderFirst = [], orderLast = [] } = options.legacySortOptions ?? {
    orderFirst: ORDER_FIRST,
    orderLast: ORDER_LAST,
  };
  const orders = typeOrders(orderFirst, orderLast);
  const entries = resources.list.map((resource) => {
    const id = resource.id();
    return { resource, id, order: orders.get(id.kind) ?? 0, gvk: gvkSortText(id), text: sortText(id) };
  });
  entries.sort((a, b) => {
    if (gvkEquals(a.id, b.id)) return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
    if (a.order !== b.order) return a.order - b.order;
    const reversed = a.id.kind === 'Namespace' && b.id.kind === 'Namespace' && (a.id.group === '' || b.id.group === '');
    return (a.gvk < b.gvk ? -1 : 1) * (reversed ? -1 : 1);
  });
  resources.list = entries.map(({ resource }) => resource);
}

function sortText(id: ResourceId): string {
  return `${printGvk(id)}|${id.namespace === '' ? '~X' : id.namespace}|${id.name === '' ? '~N' : id.name}`;
}
