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
    if (text(resource, 'kind') === '') errors.push(required(`${path}.resource.kind`));
    if (text(resource, 'name') === '') errors.push(required(`${path}.resource.name`));
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
  if (old === undefined) {
    if (controller === '') errors.push(required('spec.controller'));
    else each(errors, domainPrefixedPath(controller), 'spec.controller', controller);
    if (controller.length > 250)
      errors.push(invalid('spec.controller', controller, 'must be no more than 250 characters'));
  } else immutable(errors, spec['controller'], object(old, 'spec')?.['controller'], 'spec.controller');
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
  if (protocol !== '' && !['SCTP', 'TCP', 'UDP'].includes(protocol))
    errors.push(notSupported(`${path}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']));
  const own = object({ port }, 'port')?.['port'];
  const end = number(port, 'endPort');
  portNumberOrName(errors, own, `${path}.port`);
  if (end === undefined) return;
  if (own === undefined || own === null)
    errors.push(required(`${path}.port`, 'must be specified when `endPort` is also specified'));
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
    texts(block, 'except').forEach((except, index) => {
      if (!isCidr(except)) errors.push(invalid(`${path}.ipBlock.except[${index}]`, except, NOT_A_CIDR));
    });
  }
  if (peers === 0) errors.push(required(path, 'must specify a peer'));
  else if (peers > 1 && block !== undefined)
    errors.push(forbidden(path, 'may not specify both ipBlock and another peer'));
}

export const NOT_A_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

export function endpointSlice(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const type = text(value, 'addressType');
  const types = ['FQDN', 'IPv4', 'IPv6'];
  if (type === '') errors.push(required('addressType'));
  else if (!types.includes(type)) errors.push(notSupported('addressType', type, types));
  items(value, 'endpoints').forEach((endpoint, index) => {
    const own = texts(endpoint, 'addresses');
    const at = `endpoints[${index}].addresses`;
    if (own.length === 0) errors.push(required(at, 'must contain at least 1 address'));
    own.forEach((address, position) => {
      const place = `${at}[${position}]`;
      if (type === 'IPv4' && !isIpv4(address)) errors.push(invalid(place, address, 'must be an IPv4 address'));
      if (type === 'IPv6' && !isIpv6(address)) errors.push(invalid(place, address, 'must be an IPv6 address'));
      if (type === 'FQDN') each(errors, dns1123Subdomain(address), place, address);
    });
  });
  if (old !== undefined) immutable(errors, value['addressType'], old['addressType'], 'addressType');
}

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
