import type { StatusError } from '../registry.ts';
import type { FieldValidation } from './codec.ts';
import type { Cause } from './status.ts';
import { invalid, invalidValue, required, tooLong, unsupported } from './status.ts';

const MAX_MANAGER_BYTES = 128;

/** Checks the query of a write. Source: kubernetes@1.34 apimachinery/pkg/apis/meta/v1/validation/validation.go. */
export function checkWriteOptions(
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions',
  query: URLSearchParams,
  apply = false,
): StatusError | undefined {
  const causes: Cause[] = [];
  const manager = query.get('fieldManager') ?? '';
  if (kind === 'PatchOptions') {
    if (apply && manager === '') causes.push(required('fieldManager', 'is required for apply patch'));
    if (!apply && query.get('force') !== null && query.get('force') !== '')
      causes.push({
        reason: 'FieldValueForbidden',
        field: 'force',
        message: 'Forbidden: may not be specified for non-apply patch',
      });
  }
  if (Buffer.byteLength(manager) > MAX_MANAGER_BYTES) causes.push(tooLong('fieldManager', manager, MAX_MANAGER_BYTES));
  for (const [position, character] of Array.from(manager).entries()) {
    const point = character.codePointAt(0) as number;
    // What Go calls unprintable.
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) {
      const code = point.toString(16).toUpperCase().padStart(4, '0');
      causes.push(invalidValue('fieldManager', manager, `invalid character U+${code} (at position ${position})`));
      break;
    }
  }
  for (const value of query.getAll('dryRun'))
    if (value !== 'All') {
      const all = query.getAll('dryRun');
      causes.push({
        reason: 'FieldValueNotSupported',
        field: 'dryRun',
        message: `Unsupported value: ${JSON.stringify(all)}: supported values: "All"`,
      });
      break;
    }
  const validation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation))
    causes.push(unsupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']));
  return causes.length === 0 ? undefined : invalid({ group: 'meta.k8s.io', kind }, '', causes);
}

export function fieldValidation(query: URLSearchParams): FieldValidation {
  const asked = query.get('fieldValidation');
  return asked === 'Strict' || asked === 'Ignore' ? asked : 'Warn';
}
