import type { Json, JsonObject } from '../../../base/json.ts';
import { isCidr, isIpv4, isIpv6 } from '../formats.ts';
import { dns1123Label, dns1123Subdomain, portName, qualifiedName } from '../names.ts';
import { protocol } from './containers.ts';
import {
  duplicate,
  type Errors,
  each,
  equalOr,
  forbidden,
  has,
  IMMUTABLE,
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

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const NOT_AN_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

const NOT_A_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

const isIp = (value: string): boolean => isIpv4(value) || isIpv6(value);

/** (kubernetes@1.34 pkg/apis/core/validation ValidateService) */
export function service(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const type = text(spec, 'type');
  const headless = text(spec, 'clusterIP') === 'None';
  const list = items(spec, 'ports');
  if (old !== undefined) update(errors, spec, object(old, 'spec') ?? {});
  topologyAnnotations(errors, object(object(value, 'metadata'), 'annotations'));
  if (list.length === 0 && !headless && type !== 'ExternalName') errors.push(required('spec.ports'));
  if (type === 'LoadBalancer') {
    if (headless)
      errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"));
  } else if (type === 'NodePort') {
    if (headless) errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"));
  } else if (type === 'ExternalName') externalName(errors, spec);
  ports(errors, list);
  labels(errors, object(spec, 'selector'), 'spec.selector');
  const affinity = text(spec, 'sessionAffinity');
  if (affinity === '') errors.push(required('spec.sessionAffinity'));
  else if (!['ClientIP', 'None'].includes(affinity))
    errors.push(notSupported('spec.sessionAffinity', affinity, ['ClientIP', 'None']));
  if (affinity === 'ClientIP') {
    const seconds = number(object(object(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds');
    if (seconds !== undefined && (seconds <= 0 || seconds > 86_400)) {
      errors.push(
        invalid(
          'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
          seconds,
          'must be greater than 0 and less than 86400',
        ),
      );
    }
  } else if (affinity === 'None' && object(spec, 'sessionAffinityConfig') !== undefined)
    errors.push(forbidden('spec.sessionAffinityConfig', 'must not be set when session affinity is None'));
  addresses(errors, spec, type);
  texts(spec, 'externalIPs').forEach((ip, index) => externalIp(errors, ip, `spec.externalIPs[${index}]`));
  if (type === '') errors.push(required('spec.type'));
  else if (!TYPES.includes(type)) errors.push(notSupported('spec.type', type, TYPES));
  if (type === 'ClusterIP') {
    list.forEach((port, index) => {
      if ((number(port, 'nodePort') ?? 0) !== 0)
        errors.push(forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
    });
  }
  nodePorts(errors, list);
  repeatedPorts(errors, list);
  sourceRanges(errors, spec, type);
  loadBalancerClass(errors, spec, type);
  trafficPolicies(errors, spec, type);
}

const HINTS = 'service.kubernetes.io/topology-aware-hints';
const MODE = 'service.kubernetes.io/topology-mode';

function topologyAnnotations(errors: Errors, notes: JsonObject | undefined): void {
  if (!has(notes, HINTS) || !has(notes, MODE) || text(notes, HINTS) === text(notes, MODE)) return;
  errors.push(
    invalid(
      `metadata.annotations[${MODE}]`,
      text(notes, MODE),
      `must match annotations[${HINTS}] when both are specified`,
    ),
  );
}

function loadBalancerClass(errors: Errors, spec: JsonObject, type: string): void {
  if (!has(spec, 'loadBalancerClass')) return;
  const own = text(spec, 'loadBalancerClass');
  if (type === 'LoadBalancer') each(errors, qualifiedName(own), 'spec.loadBalancerClass', own);
  else errors.push(forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"));
}

const POLICIES = ['Cluster', 'Local'];
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

function trafficPolicies(errors: Errors, spec: JsonObject, type: string): void {
  const outside = text(spec, 'externalTrafficPolicy');
  const reachable =
    type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && items(spec, 'externalIPs').length > 0);
  if (!reachable) {
    if (outside !== '')
      errors.push(invalid('spec.externalTrafficPolicy', outside, 'may only be set for externally-accessible services'));
  } else if (outside === '') errors.push(required('spec.externalTrafficPolicy'));
  else if (!POLICIES.includes(outside)) errors.push(notSupported('spec.externalTrafficPolicy', outside, POLICIES));
  const check = number(spec, 'healthCheckNodePort') ?? 0;
  if (type === 'LoadBalancer' && outside === 'Local') {
    if (check !== 0) portNumber(errors, check, 'spec.healthCheckNodePort');
  } else if (check !== 0)
    errors.push(
      invalid(
        'spec.healthCheckNodePort',
        check,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    );
  const inside = text(spec, 'internalTrafficPolicy');
  if (has(spec, 'internalTrafficPolicy')) {
    if (!POLICIES.includes(inside)) errors.push(notSupported('spec.internalTrafficPolicy', inside, POLICIES));
  }
  const distribution = text(spec, 'trafficDistribution');
  if (has(spec, 'trafficDistribution') && !DISTRIBUTIONS.includes(distribution))
    errors.push(notSupported('spec.trafficDistribution', distribution, DISTRIBUTIONS));
}

function externalName(errors: Errors, spec: JsonObject): void {
  const ip = text(spec, 'clusterIP');
  if (ip !== '') errors.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
  if (items(spec, 'ipFamilies').length > 0)
    errors.push(forbidden('spec.ipFamilies', 'may not be set for ExternalName services'));
  if (has(spec, 'ipFamilyPolicy'))
    errors.push(forbidden('spec.ipFamilyPolicy', 'may not be set for ExternalName services'));
  const name = text(spec, 'externalName').replace(/\.$/, '');
  if (name === '') errors.push(required('spec.externalName'));
  else each(errors, dns1123Subdomain(name), 'spec.externalName', name);
}

function ports(errors: Errors, list: readonly Json[]): void {
  const names = new Seen();
  list.forEach((port, index) => {
    const at = `spec.ports[${index}]`;
    const name = text(port, 'name');
    if (name === '') {
      if (list.length > 1) errors.push(required(`${at}.name`));
    } else {
      each(errors, dns1123Label(name), `${at}.name`, name);
      if (!names.add(name)) errors.push(duplicate(`${at}.name`, name));
    }
    portNumber(errors, number(port, 'port') ?? 0, `${at}.port`);
    protocol(errors, text(port, 'protocol'), `${at}.protocol`);
    const target = object({ port }, 'port')?.['targetPort'];
    if (typeof target === 'number') portNumber(errors, target, `${at}.targetPort`);
    else if (typeof target === 'string') each(errors, portName(target), `${at}.targetPort`, target);
    if (has(port, 'appProtocol')) {
      const protocolName = text(port, 'appProtocol');
      each(errors, qualifiedName(protocolName), `${at}.appProtocol`, protocolName);
    }
  });
}

function repeatedPorts(errors: Errors, list: readonly Json[]): void {
  const numbers = new Seen();
  list.forEach((port, index) => {
    const key = `${text(port, 'protocol')}/${number(port, 'port')}`;
    if (!numbers.add(key)) errors.push(duplicate(`spec.ports[${index}]`, portDump(port)));
  });
}

/** A port as Go prints its internal type; the duplicate is compared without name and target. */
function portDump(port: Json): JsonObject {
  return {
    Name: '',
    Protocol: text(port, 'protocol'),
    AppProtocol: null,
    Port: number(port, 'port') ?? 0,
    TargetPort: 0,
    NodePort: 0,
  };
}

function nodePorts(errors: Errors, list: readonly Json[]): void {
  const taken = new Seen();
  list.forEach((port, index) => {
    const own = number(port, 'nodePort') ?? 0;
    if (own === 0) return;
    const key = `${text(port, 'protocol')}/${own}`;
    if (!taken.add(key)) errors.push(duplicate(`spec.ports[${index}].nodePort`, own));
  });
}

function addresses(errors: Errors, spec: JsonObject, type: string): void {
  if (type === 'ExternalName') return;
  const ips = texts(spec, 'clusterIPs');
  const first = text(spec, 'clusterIP');
  if (ips.length > 0 && first !== '' && ips[0] !== first)
    errors.push(invalid('spec.clusterIPs', ips, 'first value must match `clusterIP`'));
  if (ips.length > 0 && first === '')
    errors.push(invalid('spec.clusterIPs', ips, 'must be empty when `clusterIP` is not specified'));
  const families = new Seen();
  texts(spec, 'ipFamilies').forEach((family, index) => {
    if (!['IPv4', 'IPv6'].includes(family))
      errors.push(notSupported(`spec.ipFamilies[${index}]`, family, ['IPv4', 'IPv6']));
    if (!families.add(family)) errors.push(duplicate(`spec.ipFamilies[${index}]`, family));
  });
  const policy = text(spec, 'ipFamilyPolicy');
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
  if (has(spec, 'ipFamilyPolicy') && !policies.includes(policy))
    errors.push(notSupported('spec.ipFamilyPolicy', policy, policies));
  const all = ips.length > 0 ? ips : first === '' ? [] : [first];
  let wrong = false;
  all.forEach((ip, index) => {
    if (index === 0 && ip === 'None') {
      if (all.length === 1) return;
      errors.push(invalid('spec.clusterIPs', all, "'None' must be the first and only value"));
      wrong = true;
    } else if (!isIp(ip)) {
      errors.push(invalid(`spec.clusterIPs[${index}]`, ip, NOT_AN_IP));
      wrong = true;
    }
  });
  if (all.length > 2) errors.push(invalid('spec.clusterIPs', all, 'may only hold up to 2 values'));
  if (wrong) return;
  if (all.length > 1 && new Set(all.map(isIpv6)).size === 1)
    errors.push(invalid('spec.clusterIPs', all, 'may specify no more than one IP for each IP family'));
  if (all[0] === 'None') return;
  all.forEach((ip, index) => {
    const family = texts(spec, 'ipFamilies')[index];
    if (family === 'IPv4' && isIpv6(ip))
      errors.push(
        invalid(`spec.clusterIPs[${index}]`, ip, `expected an IPv4 value as indicated by \`ipFamilies[${index}]\``),
      );
    if (family === 'IPv6' && !isIpv6(ip))
      errors.push(
        invalid(`spec.clusterIPs[${index}]`, ip, `expected an IPv6 value as indicated by \`ipFamilies[${index}]\``),
      );
  });
}

/** An address that is not special. (ValidateNonSpecialIP) */
export function externalIp(errors: Errors, ip: string, path: string): void {
  if (!isIp(ip)) errors.push(invalid(path, ip, NOT_AN_IP));
  else if (ip === '0.0.0.0' || ip === '::') errors.push(invalid(path, ip, `may not be unspecified (${ip})`));
  else if (ip.startsWith('127.') || ip === '::1')
    errors.push(invalid(path, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  else if (ip.startsWith('169.254.') || /^fe[89ab]/i.test(ip))
    errors.push(invalid(path, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  else if (ip.startsWith('224.0.0.') || ip.toLowerCase().startsWith('ff02:'))
    errors.push(invalid(path, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'));
}

/** (The field is written with a capital there, by accident.) */
function sourceRanges(errors: Errors, spec: JsonObject, type: string): void {
  const ranges = texts(spec, 'loadBalancerSourceRanges');
  if (ranges.length > 0 && type !== 'LoadBalancer')
    errors.push(forbidden('spec.LoadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"));
  ranges.forEach((range, index) => {
    const own = range.trim();
    if (!isCidr(own)) errors.push(invalid(`spec.LoadBalancerSourceRanges[${index}]`, own, NOT_A_CIDR));
  });
  if (has(spec, 'allocateLoadBalancerNodePorts') && type !== 'LoadBalancer')
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"));
}

/** A cluster IP stays, as long as the service keeps a type that has one. */
function update(errors: Errors, spec: JsonObject, old: JsonObject): void {
  if (text(old, 'type') !== 'ExternalName' && text(spec, 'type') !== 'ExternalName') {
    const [was, now] = [texts(old, 'clusterIPs'), texts(spec, 'clusterIPs')];
    const first = was[0] ?? text(old, 'clusterIP');
    const own = now[0] ?? text(spec, 'clusterIP');
    if (first !== '' && own !== '' && first !== own)
      errors.push(invalid('spec.clusterIPs[0]', now.length > 0 ? now : [own], 'may not change once set'));
  }
  const balanced = [old, spec].every((one) => text(one, 'type') === 'LoadBalancer');
  if (balanced && !equalOr(old['loadBalancerClass'], spec['loadBalancerClass']))
    errors.push(invalid('spec.loadBalancerClass', spec['loadBalancerClass'] ?? null, 'may not change once set'));
  const checked = balanced && [old, spec].every((one) => text(one, 'externalTrafficPolicy') === 'Local');
  if (checked && number(old, 'healthCheckNodePort') !== number(spec, 'healthCheckNodePort'))
    errors.push(forbidden('spec.healthCheckNodePort', IMMUTABLE));
}
