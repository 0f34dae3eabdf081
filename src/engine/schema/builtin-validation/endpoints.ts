import type { Json, JsonObject } from '../../../base/json.ts';
import { isIpv4, isIpv6 } from '../formats.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../names.ts';
import { protocol } from './containers.ts';
import {
  duplicate,
  type Errors,
  each,
  equalOr,
  has,
  immutable,
  invalid,
  items,
  labels,
  notSupported,
  number,
  object,
  portNumber,
  required,
  Seen,
  text,
  texts,
} from './field-checks.ts';
import { externalIp } from './services.ts';

const NOT_AN_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const isIp = (value: string): boolean => isIpv4(value) || isIpv6(value);

/** (kubernetes@1.34 pkg/apis/core/validation ValidateEndpoints) */
export function endpoints(errors: Errors, value: JsonObject): void {
  items(value, 'subsets').forEach((subset, index) => {
    const at = `subsets[${index}]`;
    const lists = ['addresses', 'notReadyAddresses'] as const;
    if (lists.every((key) => items(subset, key).length === 0))
      errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    for (const key of lists)
      items(subset, key).forEach((address, position) => addressOf(errors, address, `${at}.${key}[${position}]`));
    const ports = items(subset, 'ports');
    ports.forEach((port, position) => portOf(errors, port, ports.length > 1, `${at}.ports[${position}]`));
  });
}

function addressOf(errors: Errors, address: Json, path: string): void {
  const ip = text(address, 'ip');
  if (!isIp(ip)) errors.push(invalid(`${path}.ip`, ip, NOT_AN_IP));
  const hostname = text(address, 'hostname');
  if (hostname !== '') each(errors, dns1123Label(hostname), `${path}.hostname`, hostname);
  if (has(address, 'nodeName'))
    each(errors, dns1123Subdomain(text(address, 'nodeName')), `${path}.nodeName`, text(address, 'nodeName'));
  if (isIp(ip)) externalIp(errors, ip, `${path}.ip`);
  else errors.push(invalid(`${path}.ip`, ip, 'must be a valid IP address'));
}

function portOf(errors: Errors, port: Json, named: boolean, path: string): void {
  const name = text(port, 'name');
  if (name !== '') each(errors, dns1123Label(name), `${path}.name`, name);
  else if (named) errors.push(required(`${path}.name`));
  portNumber(errors, number(port, 'port') ?? 0, `${path}.port`);
  protocol(errors, text(port, 'protocol'), `${path}.protocol`);
  if (has(port, 'appProtocol')) {
    const own = text(port, 'appProtocol');
    each(errors, qualifiedName(own), `${path}.appProtocol`, own);
  }
}

const TYPES = ['FQDN', 'IPv4', 'IPv6'];

/** (kubernetes@1.34 pkg/apis/discovery/validation) */
export function endpointSlice(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const type = text(value, 'addressType');
  if (type === '') errors.push(required('addressType'));
  else if (!TYPES.includes(type)) errors.push(notSupported('addressType', type, TYPES));
  slicePorts(errors, value);
  if (old === undefined || !equalOr(value['endpoints'], old['endpoints']))
    items(value, 'endpoints').forEach((endpoint, index) => {
      sliceEndpoint(errors, endpoint, type, `endpoints[${index}]`);
    });
  if (old !== undefined) immutable(errors, type, text(old, 'addressType'), 'addressType');
}

function slicePorts(errors: Errors, value: JsonObject): void {
  const names = new Seen();
  items(value, 'ports').forEach((port, index) => {
    const at = `ports[${index}]`;
    const name = text(port, 'name');
    if (name !== '') each(errors, dns1123Label(name), `${at}.name`, name);
    if (!names.add(name)) errors.push(duplicate(`${at}.name`, name));
    if (!has(port, 'protocol')) errors.push(required(`${at}.protocol`));
    else if (!['SCTP', 'TCP', 'UDP'].includes(text(port, 'protocol')))
      errors.push(notSupported(`${at}.protocol`, text(port, 'protocol'), ['SCTP', 'TCP', 'UDP']));
    if (has(port, 'appProtocol')) {
      const own = text(port, 'appProtocol');
      each(errors, qualifiedName(own), `${at}.appProtocol`, own);
    }
  });
}

function sliceEndpoint(errors: Errors, endpoint: Json, type: string, at: string): void {
  const addresses = texts(endpoint, 'addresses');
  if (addresses.length === 0) errors.push(required(`${at}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > 100)
    errors.push({
      reason: 'FieldValueTooMany',
      field: `${at}.addresses`,
      message: `Too many: ${addresses.length}: must have at most 100 items`,
    });
  addresses.forEach((address, index) => {
    const path = `${at}.addresses[${index}]`;
    if (type === 'FQDN') {
      fullyQualified(errors, address, path);
    } else if (type === 'IPv4' || type === 'IPv6') {
      if (!isIp(address)) errors.push(invalid(path, address, NOT_AN_IP));
      else {
        const fits = type === 'IPv4' ? isIpv4(address) : isIpv6(address);
        if (!fits) errors.push(invalid(`${at}.addresses`, address, `must be an ${type} address`));
        externalIp(errors, address, path);
      }
    }
  });
  if (has(endpoint, 'nodeName'))
    each(errors, dns1123Subdomain(text(endpoint, 'nodeName')), `${at}.nodeName`, text(endpoint, 'nodeName'));
  labels(errors, object(endpoint, 'deprecatedTopology'), `${at}.deprecatedTopology`);
  if (has(endpoint, 'hostname'))
    each(errors, dns1123Label(text(endpoint, 'hostname')), `${at}.hostname`, text(endpoint, 'hostname'));
  const hints = object(endpoint, 'hints');
  for (const [key, check] of [
    ['forZones', labelValue],
    ['forNodes', dns1123Subdomain],
  ] as const) {
    const names = new Seen();
    items(hints, key).forEach((hint, index) => {
      const path = `${at}.hints.${key}[${index}].name`;
      const name = text(hint, 'name');
      if (!names.add(name)) errors.push(duplicate(path, name));
      each(errors, check(name), path, name);
    });
  }
}

/** (IsFullyQualifiedDomainName of kubernetes@1.34 apimachinery/pkg/util/validation) */
function fullyQualified(errors: Errors, name: string, path: string): void {
  if (name === '') {
    errors.push(required(path));
    return;
  }
  const bare = name.replace(/\.$/, '');
  const wrong = dns1123Subdomain(bare);
  if (wrong.length > 0) each(errors, wrong, path, bare);
  else if (!bare.includes('.'))
    errors.push(invalid(path, bare, 'should be a domain with at least two segments separated by dots'));
}
