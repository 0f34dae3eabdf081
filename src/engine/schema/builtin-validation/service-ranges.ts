import type { JsonObject } from '../../../base/json.ts';
import { isCidr, isIpv4, isIpv6 } from '../formats.ts';
import { dns1123Subdomain } from '../names.ts';
import { type Errors, each, equalOr, has, IMMUTABLE, invalid, object, required, text, texts } from './field-checks.ts';
import { internalForm, PARENT_REF } from './internal-form.ts';
import { NOT_A_CIDR } from './networking.ts';
import { pathSegment } from './rbac.ts';

/** (kubernetes@1.34 pkg/apis/networking/validation) */
export function ipAddress(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const name = text(object(value, 'metadata'), 'name');
  if (!isIpv4(name) && !isIpv6(name))
    errors.push(invalid('metadata.name', name, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'));
  const spec = object(value, 'spec') ?? {};
  const parent = object(spec, 'parentRef');
  if (parent === undefined) errors.push(required('spec.parentRef'));
  else {
    const group = text(parent, 'group');
    if (group !== '') each(errors, dns1123Subdomain(group), 'spec.parentRef.group', group);
    for (const key of ['resource', 'name', 'namespace']) {
      const own = text(parent, key);
      const at = `spec.parentRef.${key}`;
      if (own !== '') each(errors, pathSegment(own), at, own);
      else if (key !== 'namespace') errors.push(required(at));
    }
  }
  const before = object(old, 'spec');
  if (old !== undefined && !equalOr(spec['parentRef'], before?.['parentRef']))
    errors.push(invalid('spec.parentRef', parent === undefined ? null : internalForm(parent, PARENT_REF), IMMUTABLE));
}

/** (kubernetes@1.34 pkg/apis/networking/validation ValidateServiceCIDR) */
export function serviceCidr(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const cidrs = texts(spec, 'cidrs');
  if (old !== undefined) {
    const before = texts(object(old, 'spec'), 'cidrs');
    if (before.length !== cidrs.length)
      errors.push(invalid('spec.cidrs', has(spec, 'cidrs') ? cidrs : null, IMMUTABLE));
    else
      cidrs.forEach((cidr, index) => {
        if (cidr !== before[index]) errors.push(invalid(`spec.cidrs[${index}]`, cidr, IMMUTABLE));
      });
    return;
  }
  if (cidrs.length === 0) errors.push(required('spec.cidrs', 'at least one CIDR required'));
  else if (cidrs.length > 2) errors.push(invalid('spec.cidrs', { CIDRs: cidrs }, 'may only hold up to 2 values'));
  else if (cidrs.every(isCidr) && cidrs.length === 2 && new Set(cidrs.map((one) => one.includes(':'))).size === 1)
    errors.push(
      invalid(
        'spec.cidrs',
        { CIDRs: cidrs },
        'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96',
      ),
    );
  else
    cidrs.forEach((cidr, index) => {
      if (!isCidr(cidr)) errors.push(invalid(`spec.cidrs[${index}]`, cidr, NOT_A_CIDR));
    });
}
