import { type ObjectRef, printRef } from '../api/object.ts';
import { at, isArray, stringAt } from '../base/json.ts';
import type { KubeError } from '../kube/client.ts';
import { isNoMatch, isNotFound } from '../kube/errors.ts';

/** The words for a refused dry-run. Source: fluxcd/pkg@e2cfd1a ssa/errors/errors.go DryRunErr. */
export function dryRunMessage(ref: ObjectRef, error: KubeError): string {
  const subject = printRef(ref);
  if (isNotFound(error) && !isNoMatch(error)) {
    return ref.namespace === undefined
      ? `${subject} namespace not specified: ${error.message}`
      : `${subject} not found: ${error.message}`;
  }
  const reason = reasonOf(error);
  return `${subject} dry-run failed${reason === '' ? '' : ` (${reason})`}: ${error.message}`;
}

function reasonOf(error: KubeError): string {
  const causes = at(error.details, 'causes');
  const isConflict = isArray(causes) && causes.some((cause) => stringAt(cause, 'reason') === 'FieldManagerConflict');
  if (isConflict) return 'FieldManagerConflict';
  // The server's own typed conversion fails with 500 and no reason.
  if (error.reason === 'InternalError' && !error.message.startsWith('Internal error occurred')) return '';
  // Errors that a client makes itself carry no reason in Go.
  return error.code === 0 || isNoMatch(error) || error.reason === 'Unknown' ? '' : error.reason;
}

/**
 * Whether only a new object could take the change. For Flux a Conflict is such a refusal, too: it only says that somebody else was
 * faster, or that another object is meant, and is no reason to delete one. Source: fluxcd/pkg@e2cfd1a ssa/errors/immutable.go.
 */
export function isImmutable(error: KubeError): boolean {
  return error.reason === 'Invalid' || /is\simmutable/.test(error.message) || /immutable\sfield/.test(error.message);
}
