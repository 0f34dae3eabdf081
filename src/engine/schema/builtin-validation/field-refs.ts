import type { JsonObject } from '../../../base/json.ts';
import { type Errors, invalid, notSupported, required, text } from './field-checks.ts';

/** What variables may say of their pod. */
export const VARIABLE_FIELDS: ReadonlySet<string> = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);

const RESOURCES = ['cpu', 'ephemeral-storage', 'memory'];
const RESOURCE_FIELDS = ['limits', 'requests'].flatMap((kind) => RESOURCES.map((name) => `${kind}.${name}`));
const PLAIN_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** An amount of a container; files must say of which. (validateContainerResourceFieldSelector) */
export function resourceFieldRef(errors: Errors, reference: JsonObject, path: string, isFile: boolean): void {
  const own = text(reference, 'resource');
  const divisor = text(reference, 'divisor');
  if (isFile && text(reference, 'containerName') === '') errors.push(required(`${path}.containerName`));
  else if (own === '') errors.push(required(`${path}.resource`));
  else if (!RESOURCE_FIELDS.includes(own) && !/^(limits|requests)\.hugepages-/.test(own))
    errors.push(notSupported(`${path}.resource`, own, RESOURCE_FIELDS));
  if (divisor === '' || divisor === '0') return;
  const name = own.slice(own.indexOf('.') + 1);
  if (name === 'cpu' && !['1m', '1'].includes(divisor))
    errors.push(invalid(`${path}.divisor`, own, "only divisor's values 1m and 1 are supported with the cpu resource"));
  if ((name === 'memory' || name === 'ephemeral-storage') && !PLAIN_DIVISORS.includes(divisor))
    errors.push(
      invalid(
        `${path}.divisor`,
        own,
        `only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the ${name === 'memory' ? 'memory' : 'local ephemeral storage'} resource`,
      ),
    );
}

/** A field of the pod; `allowed` are those that fit where it is used. (validateObjectFieldSelector) */
export function fieldRef(errors: Errors, reference: JsonObject, path: string, allowed: ReadonlySet<string>): void {
  const own = text(reference, 'fieldPath');
  if (text(reference, 'apiVersion') === '') errors.push(required(`${path}.apiVersion`));
  else if (own === '') errors.push(required(`${path}.fieldPath`));
  else if (/^metadata\.(?:labels|annotations)\['[^']*'\]$/.test(own)) return;
  else if (!allowed.has(own)) {
    const known = VARIABLE_FIELDS.has(own) || own === 'metadata.annotations' || own === 'metadata.labels';
    if (known) errors.push(notSupported(`${path}.fieldPath`, own, [...allowed]));
    else
      errors.push(invalid(`${path}.fieldPath`, own, `error converting fieldPath: field label not supported: ${own}`));
  }
}
