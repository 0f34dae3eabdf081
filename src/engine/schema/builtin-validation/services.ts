import type { Json, JsonObject } from '../../../base/json.ts';
import { isIpv4, isIpv6 } from '../formats.ts';
import { dns1123Label, dns1123Subdomain, portName } from '../names.ts';
import { protocol } from './containers.ts';
import {
  duplicate,
  type Errors,
  each,
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

const isIp = (value: string): boolean => isIpv4(value) || isIpv6(value);

/** (kubernetes@1.34 pkg/apis/core/validation ValidateService) */
export function service(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  const type = text(spec, 'type');
  const headless = text(spec, 'clusterIP') === 'None';
  const list = items(spec, 'ports');
  if (list.length === 0 && !headless && type !== 'ExternalName') errors.push(required('spec.ports'));
  if (type === 'LoadBalancer') {
    list.forEach((port, index) => {
      if (number(port, 'port') === 10_250)
        errors.push(
          invalid(`spec.ports[${index}]`, 10_250, 'may not expose port 10250 externally since it is used by kubelet'),
        );
    });
    if (headless)
      errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"));
  } else if (type === 'NodePort') {
    if (headless) errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"));
  } else if (type === 'ExternalName') externalName(errors, spec);
  ports(errors, list, headless);
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
  }
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
  nodePorts(errors, list, type);
  sourceRanges(errors, spec, type);
  for (const key of ['externalTrafficPolicy', 'internalTrafficPolicy']) {
    const policy = text(spec, key);
    if (policy !== '' && !['Cluster', 'Local'].includes(policy))
      errors.push(notSupported(`spec.${key}`, policy, ['Cluster', 'Local']));
  }
  if (text(spec, 'externalTrafficPolicy') !== '' && type === 'ClusterIP' && items(spec, 'externalIPs').length === 0) {
    errors.push(
      invalid(
        'spec.externalTrafficPolicy',
        text(spec, 'externalTrafficPolicy'),
        'may only be set for externally-accessible services',
      ),
    );
  }
  if (old !== undefined) update(errors, spec, object(old, 'spec') ?? {});
}

function externalName(errors: Errors, spec: JsonObject): void {
  const ip = text(spec, 'clusterIP');
  if (ip !== '') errors.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
  const name = text(spec, 'externalName').replace(/\.$/, '');
  if (name === '') errors.push(required('spec.externalName'));
  else each(errors, dns1123Subdomain(name), 'spec.externalName', name);
}

function ports(errors: Errors, list: readonly Json[], headless: boolean): void {
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
    if (headless && typeof target === 'number' && target !== number(port, 'port') && target < 0) {
      errors.push(invalid(`${at}.targetPort`, target, "must be equal to the value of 'port' when clusterIP = None"));
    }
  });
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

function nodePorts(errors: Errors, list: readonly Json[], type: string): void {
  if (type === 'ClusterIP') return;
  const taken = new Seen();
  list.forEach((port, index) => {
    const own = number(port, 'nodePort') ?? 0;
    if (own === 0) return;
    const key = `${text(port, 'protocol')}/${own}`;
    if (!taken.add(key)) errors.push(duplicate(`spec.ports[${index}].nodePort`, own));
  });
}

function addresses(errors: Errors, spec: JsonObject, type: string): void {
  const policy = text(spec, 'ipFamilyPolicy');
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
  texts(spec, 'ipFamilies').forEach((family, index) => {
    if (!['IPv4', 'IPv6'].includes(family))
      errors.push(notSupported(`spec.ipFamilies[${index}]`, family, ['IPv4', 'IPv6']));
  });
  if (policy !== '' && !policies.includes(policy)) errors.push(notSupported('spec.ipFamilyPolicy', policy, policies));
  if (type === 'ExternalName') return;
  const ips = texts(spec, 'clusterIPs');
  const all = ips.length > 0 ? ips : text(spec, 'clusterIP') === '' ? [] : [text(spec, 'clusterIP')];
  if (ips.length > 0 && text(spec, 'clusterIP') !== '' && ips[0] !== text(spec, 'clusterIP')) {
    errors.push(invalid('spec.clusterIPs', ips, 'first value must match `clusterIP`'));
  }
  all.forEach((ip, index) => {
    if (ip !== 'None' && !isIp(ip)) errors.push(invalid(`spec.clusterIPs[${index}]`, ip, NOT_AN_IP));
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

function sourceRanges(errors: Errors, spec: JsonObject, type: string): void {
  const ranges = texts(spec, 'loadBalancerSourceRanges');
  if (ranges.length > 0 && type !== 'LoadBalancer') {
    errors.push(forbidden('spec.loadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"));
    return;
  }
  if (has(spec, 'allocateLoadBalancerNodePorts') && type !== 'LoadBalancer') {
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"));
  }
}

/** A cluster IP stays, as long as the service keeps a type that has one. */
function update(errors: Errors, spec: JsonObject, old: JsonObject): void {
  if (text(old, 'type') === 'ExternalName' || text(spec, 'type') === 'ExternalName') return;
  const [was, now] = [texts(old, 'clusterIPs'), texts(spec, 'clusterIPs')];
  const first = was[0] ?? text(old, 'clusterIP');
  const own = now[0] ?? text(spec, 'clusterIP');
  if (first !== '' && own !== '' && first !== own)
    errors.push(invalid('spec.clusterIPs[0]', now.length > 0 ? now : own, IMMUTABLE));
}
