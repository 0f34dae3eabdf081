import type { KubeObject } from '../../api/object.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { FieldTerm } from './field-selector.ts';
import { matchesFields, parseFieldSelector } from './field-selector.ts';
import type { Requirement } from './label-selector.ts';
import { matchesLabels, parseLabelSelector } from './label-selector.ts';
import type { ResourceType } from './resource-type.ts';
import { badRequest } from './status.ts';

/** What a list or watch is about: labels, fields, and perhaps one name. */
export interface Selection {
  readonly labels: readonly Requirement[];
  readonly fields: readonly FieldTerm[];
  readonly empty: boolean;
}

export function parseSelection(type: ResourceType, query: URLSearchParams): Result<Selection, StatusError> {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  if (!labels.ok) return err(badRequest(labels.error));
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', type);
  if (!fields.ok) return err(badRequest(fields.error));
  return ok({ labels: labels.value, fields: fields.value, empty: labels.value.length + fields.value.length === 0 });
}

export function matches(selection: Selection, object: KubeObject): boolean {
  return (
    selection.empty ||
    (matchesLabels(selection.labels, object.metadata.labels) && matchesFields(selection.fields, object))
  );
}
