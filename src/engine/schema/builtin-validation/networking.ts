import type { Json, JsonObject } from '../../../base/json.ts';
import { isCidr, isIpv4, isIpv6 } from '../formats.ts';
import { dns1123Label, dns1123Subdomain, domainPrefixedPath, portName, wildcardSubdomain } from '../names.ts';
import {
  type Errors,
  each,
  forbidden,
  has,
  immutable,
  intOrPercent,
  invalid,
  items,
  labelSelector,
  notSupported,
  number,
  object,
  portNumber,
  portNumberOrName,
  required,
  text,
  texts,
} from './field-checks.ts';
import { pathSegment } from './rbac.ts';

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

/** (kubernetes@1.34 pkg/apis/networking/validation) */
export function ingress(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  const rules = items(spec, 'rules');
  const backend = object(spec, 'defaultBackend');
  if (rules.length === 0 && backend === undefined)
    errors.push(invalid('spec', '', 'either `defaultBackend` or `rules` must be specified'));
  if (backend !== undefined) ingressBackend(errors, backend, 'spec.defaultBackend');
  rules.forEach((rule, index) => {
    const at = `spec.rules[${index}]`;
    const host = text(rule, 'host');
    if (host !== '') {
      if (isIpv4(host) || isIpv6(host))
        errors.push(invalid(`${at}.host`, host, 'must be a DNS name, not an IP address'));
      else each(errors, host.includes('*') ? wildcardSubdomain(host) : dns1123Subdomain(host), `${at}.host`, host);
    }
    const http = object(rule, 'http');
    if (http === undefined) return;
    const paths = items(http, 'paths');
    if (paths.length === 0) errors.push(required(`${at}.http.paths`));
    paths.forEach((path, position) => ingressPath(errors, path, `${at}.http.paths[${position}]`));
  });
  items(spec, 'tls').forEach((tls, index) => {
    texts(tls, 'hosts').forEach((host, position) => {
      each(
        errors,
        host.includes('*') ? wildcardSubdomain(host) : dns1123Subdomain(host),
        `spec.tls[${index}].hosts[${position}]`,
        host,
      );
    });
    const secret = text(tls, 'secretName');
    if (secret !== '') each(errors, dns1123Subdomain(secret), `spec.tls[${index}].secretName`, secret);
  });
  const className = text(spec, 'ingressClassName');
  if (has(spec, 'ingressClassName')) each(errors, dns1123Subdomain(className), 'spec.ingressClassName', className);
}

function ingressPath(errors: Errors, path: Json, at: string): void {
  const own = text(path, 'path');
  const type = text(path, 'pathType');
  if (type === '') {
    errors.push(required(`${at}.pathType`, 'pathType must be specified'));
    return;
  }
  if (type === 'Exact' || type === 'Prefix') {
    if (!own.startsWith('/')) errors.push(invalid(`${at}.path`, own, 'must be an absolute path'));
    if (own !== '') {
      for (const part of ['//', '/./', '/../', '%2f', '%2F'])
        if (own.includes(part)) errors.push(invalid(`${at}.path`, own, `must not contain '${part}'`));
      for (const end of ['/..', '/.'])
        if (own.endsWith(end)) errors.push(invalid(`${at}.path`, own, `cannot end with '${end}'`));
    }
  } else if (type === 'ImplementationSpecific') {
    if (own !== '' && !own.startsWith('/')) errors.push(invalid(`${at}.path`, own, 'must be an absolute path'));
  } else errors.push(notSupported(`${at}.pathType`, type, PATH_TYPES));
  ingressBackend(errors, object(path, 'backend') ?? {}, `${at}.backend`);
}

function ingressBackend(errors: Errors, backend: JsonObject, path: string): void {
  const [service, resource] = [object(backend, 'service'), object(backend, 'resource')];
  if (service !== undefined && resource !== undefined)
    errors.push(invalid(path, '', 'cannot set both resource and service backends'));
  else if (resource !== undefined) {
    typedReference(errors, resource, `${path}.resource`);
  } else if (service !== undefined) {
    const name = text(service, 'name');
    if (name === '') errors.push(required(`${path}.service.name`));
    else each(errors, dns1123Label(name), `${path}.service.name`, name);
    const port = object(service, 'port');
    const [portOwn, portNumberOwn] = [text(port, 'name'), number(port, 'number') ?? 0];
    if (portOwn !== '' && portNumberOwn !== 0)
      errors.push(invalid(path, '', 'cannot set both port name & port number'));
    else if (portOwn !== '') each(errors, portName(portOwn), `${path}.service.port.name`, portOwn);
    else if (portNumberOwn !== 0) portNumber(errors, portNumberOwn, `${path}.service.port.number`);
    else errors.push(required(path, 'port name or number is required'));
  } else errors.push(invalid(path, '', 'resource or service backend is required'));
}

export function ingressClass(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const controller = text(spec, 'controller');
  if (old !== undefined) immutable(errors, controller, text(object(old, 'spec'), 'controller'), 'spec.controller');
  if (controller === '') errors.push(required('spec.controller'));
  else prefixedPath(errors, controller, 'spec.controller');
  if (controller.length > 250)
    errors.push({
      field: 'spec.controller',
      reason: 'FieldValueTooLong',
      message: 'Too long: may not be more than 250 bytes',
    });
  const parameters = object(spec, 'parameters');
  if (parameters !== undefined) classParameters(errors, parameters, 'spec.parameters');
}

/** `acme.io/foo`; of a bad prefix only the prefix is shown. (IsDomainPrefixedPath) */
export function prefixedPath(errors: Errors, value: string, path: string): void {
  const slash = value.indexOf('/');
  const prefix = slash < 0 ? '' : value.slice(0, slash);
  const wrong = slash > 0 ? dns1123Subdomain(prefix) : [];
  if (wrong.length > 0) each(errors, wrong, path, prefix);
  else each(errors, domainPrefixedPath(value), path, value);
}

function classParameters(errors: Errors, reference: JsonObject, path: string): void {
  typedReference(errors, reference, path);
  const scope = text(reference, 'scope');
  if (!['Cluster', 'Namespace'].includes(scope)) {
    errors.push(notSupported(`${path}.scope`, scope, ['Cluster', 'Namespace']));
    return;
  }
  const namespace = text(reference, 'namespace');
  if (scope === 'Namespace') {
    if (!has(reference, 'namespace'))
      errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    else each(errors, dns1123Label(namespace), `${path}.namespace`, namespace);
  } else if (has(reference, 'namespace'))
    errors.push(forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
}

/** (validateIngressTypedLocalObjectReference) */
function typedReference(errors: Errors, reference: JsonObject, path: string): void {
  if (has(reference, 'apiGroup'))
    each(errors, dns1123Subdomain(text(reference, 'apiGroup')), `${path}.apiGroup`, text(reference, 'apiGroup'));
  for (const key of ['kind', 'name']) {
    const own = text(reference, key);
    if (own === '') errors.push(required(`${path}.${key}`));
    else each(errors, pathSegment(own), `${path}.${key}`, own);
  }
}

export function networkPolicy(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  labelSelector(errors, object(spec, 'podSelector'), 'spec.podSelector');
  for (const [kind, side] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    items(spec, kind).forEach((rule, index) => {
      const at = `spec.${kind}[${index}]`;
      items(rule, 'ports').forEach((port, position) => policyPort(errors, port, `${at}.ports[${position}]`));
      items(rule, side).forEach((peer, position) => policyPeer(errors, peer, `${at}.${side}[${position}]`));
    });
  }
  const types = texts(spec, 'policyTypes');
  if (types.length > 2) errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
  types.forEach((type, index) => {
    if (!['Ingress', 'Egress'].includes(type))
      errors.push(notSupported(`spec.policyTypes[${index}]`, type, ['Ingress', 'Egress']));
  });
}

function policyPort(errors: Errors, port: Json, path: string): void {
  const protocol = text(port, 'protocol');
  if (has(port, 'protocol') && !['TCP', 'UDP', 'SCTP'].includes(protocol))
    errors.push(notSupported(`${path}.protocol`, protocol, ['TCP', 'UDP', 'SCTP']));
  const own = object({ port }, 'port')?.['port'];
  const end = number(port, 'endPort');
  portNumberOrName(errors, own, `${path}.port`);
  if (end === undefined) return;
  if (own === undefined || own === null)
    errors.push(invalid(`${path}.endPort`, end, 'may not be specified when `port` is not specified'));
  else if (typeof own === 'string')
    errors.push(invalid(`${path}.endPort`, end, 'may not be specified when `port` is non-numeric'));
  else {
    if (end < Number(own)) errors.push(invalid(`${path}.endPort`, own, 'must be greater than or equal to `port`'));
    portNumber(errors, end, `${path}.endPort`);
  }
}

function policyPeer(errors: Errors, peer: Json, path: string): void {
  let peers = 0;
  for (const key of ['podSelector', 'namespaceSelector']) {
    const selector = object(peer, key);
    if (selector === undefined) continue;
    peers++;
    labelSelector(errors, selector, `${path}.${key}`);
  }
  const block = object(peer, 'ipBlock');
  if (block !== undefined) {
    peers++;
    const cidr = text(block, 'cidr');
    if (cidr === '') errors.push(required(`${path}.ipBlock.cidr`));
    else if (!isCidr(cidr)) errors.push(invalid(`${path}.ipBlock.cidr`, cidr, NOT_A_CIDR));
    (isCidr(cidr) ? texts(block, 'except') : []).forEach((except, index) => {
      const at = `${path}.ipBlock.except[${index}]`;
      if (!isCidr(except)) errors.push(invalid(at, except, NOT_A_CIDR));
      else if (!isStrictSubset(except, cidr)) errors.push(invalid(at, except, 'must be a strict subset of `cidr`'));
    });
  }
  if (peers === 0) errors.push(required(path, 'must specify a peer'));
  else if (peers > 1 && block !== undefined)
    errors.push(forbidden(path, 'may not specify both ipBlock and another peer'));
}

/** Whether a range lies in another and is smaller. */
function isStrictSubset(inner: string, outer: string): boolean {
  const [a, b] = [bitsOf(inner), bitsOf(outer)];
  return a.length > b.length && a.startsWith(b);
}

/** The bits of a range that are fixed. */
function bitsOf(cidr: string): string {
  const [address = '', length = '0'] = cidr.split('/');
  if (!address.includes(':'))
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
      .slice(0, Number(length));
  const [head = '', tail = ''] = address.split('::');
  const read = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [read(head), read(tail)];
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return `6${[...left, ...middle, ...right]
    .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, '0'))
    .join('')
    .slice(0, Number(length))}`;
}

export const NOT_A_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** Of budgets: `minAvailable` or `maxUnavailable`. */
export function podDisruptionBudget(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  const { minAvailable, maxUnavailable } = spec;
  if (has(spec, 'minAvailable') && has(spec, 'maxUnavailable')) {
    const dump = {
      MinAvailable: minAvailable ?? null,
      Selector: spec['selector'] ?? null,
      MaxUnavailable: maxUnavailable ?? null,
      UnhealthyPodEvictionPolicy: spec['unhealthyPodEvictionPolicy'] ?? null,
    };
    errors.push(invalid('spec', dump, 'minAvailable and maxUnavailable cannot be both set'));
  }
  for (const key of ['minAvailable', 'maxUnavailable']) {
    const own = spec[key];
    intOrPercent(errors, own, `spec.${key}`);
    const match = typeof own === 'string' ? /^(\d+)%$/.exec(own) : null;
    if (match !== null && Number(match[1]) > 100)
      errors.push(invalid(`spec.${key}`, own, 'must not be greater than 100%'));
  }
  labelSelector(errors, object(spec, 'selector'), 'spec.selector');
  const policy = text(spec, 'unhealthyPodEvictionPolicy');
  if (policy !== '' && !['AlwaysAllow', 'IfHealthyBudget'].includes(policy)) {
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']));
  }
}
