import type { JsonObject } from '../../../base/json.ts';
import { dns1035Label, dns1123Subdomain } from '../names.ts';
import { type Errors, each, has, invalid, number, object, required, text } from './field-checks.ts';
import { pathSegment } from './rbac.ts';

/** (kubernetes@1.34 staging kube-aggregator/pkg/apis/apiregistration/validation) */
export function apiService(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  const [group, version] = [text(spec, 'group'), text(spec, 'version')];
  const name = text(object(value, 'metadata'), 'name');
  // What is no name at all is told with the metadata.
  if (name !== '' && pathSegment(name).length === 0 && name !== `${version}.${group}`)
    errors.push(
      invalid(
        'metadata.name',
        name,
        `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(`${version}.${group}`)}`,
      ),
    );
  if (group === '' && version !== 'v1')
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '') each(errors, dns1123Subdomain(group), 'spec.group', group);
  each(errors, dns1035Label(version), 'spec.version', version);
  for (const [key, limit] of [
    ['groupPriorityMinimum', 20_000],
    ['versionPriority', 1000],
  ] as const) {
    const own = number(spec, key) ?? 0;
    if (own <= 0 || own > limit) errors.push(invalid(`spec.${key}`, own, `must be positive and less than ${limit}`));
  }
  const [service, insecure] = [object(spec, 'service'), spec['insecureSkipTLSVerify'] === true];
  if (service === undefined) {
    if (has(spec, 'caBundle'))
      errors.push(invalid('spec.caBundle', spec['caBundle'], 'local APIServices may not have a caBundle'));
    if (insecure)
      errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    return;
  }
  for (const key of ['namespace', 'name']) if (text(service, key) === '') errors.push(required(`spec.service.${key}`));
  const port = number(service, 'port');
  if (port !== undefined && (port < 1 || port > 65_535))
    errors.push(invalid('spec.service.port', port, 'port is not valid: must be between 1 and 65535, inclusive'));
  if (insecure && has(spec, 'caBundle'))
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
}
