import type { Json, JsonObject } from '../../../base/json.ts';
import { configMapKey, dns1123Label, dns1123Subdomain, envVarName, portName } from '../names.ts';
import {
  duplicate,
  type Errors,
  each,
  forbidden,
  has,
  invalid,
  items,
  nonNegative,
  notFound,
  notSupported,
  number,
  object,
  portNumber,
  portNumberOrName,
  required,
  resourceRequirements,
  Seen,
  text,
} from './field-checks.ts';
import { fieldRef, resourceFieldRef, VARIABLE_FIELDS } from './field-refs.ts';
import { containerSecurity } from './security-context.ts';
import { mounts } from './volumes.ts';

type Volumes = ReadonlyMap<string, JsonObject>;

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

/** The containers of a pod in the order the server looks at them. (ValidateContainers, validateInitContainers) */
export function containers(errors: Errors, spec: JsonObject, known: Volumes, path: string): void {
  const list = items(spec, 'containers');
  if (list.length === 0) errors.push(required(`${path}.containers`));
  const names = new Seen();
  list.forEach((container, index) => {
    const at = `${path}.containers[${index}]`;
    common(errors, container, known, at, spec['hostUsers'] !== false);
    name(errors, container, names, at);
    if (has(container, 'restartPolicy') && text(container, 'restartPolicy') !== '') {
      errors.push(forbidden(`${at}.restartPolicy`, 'may not be set for non-init containers'));
    }
    handlers(errors, container, at);
  });
  hostPorts(errors, list, `${path}.containers`);
  const init = items(spec, 'initContainers');
  init.forEach((container, index) => {
    const at = `${path}.initContainers[${index}]`;
    common(errors, container, known, at, spec['hostUsers'] !== false);
    name(errors, container, names, at);
    const sidecar = text(container, 'restartPolicy') === 'Always';
    if (sidecar) handlers(errors, container, at);
    else {
      for (const key of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
        if (has(container, key))
          errors.push(forbidden(`${at}.${key}`, 'may not be set for init containers without restartPolicy=Always'));
      }
    }
  });
}

const NOT_EPHEMERAL = ['lifecycle', 'livenessProbe', 'ports', 'readinessProbe', 'startupProbe', 'resizePolicy'];

/** Containers that came later, to look at the others. (validateEphemeralContainers) */
export function laterContainers(errors: Errors, spec: JsonObject, known: Volumes, path: string): void {
  const others = new Set(
    ['containers', 'initContainers'].flatMap((key) => items(spec, key).map((one) => text(one, 'name'))),
  );
  const names = new Seen();
  items(spec, 'ephemeralContainers').forEach((container, index) => {
    const at = `${path}.ephemeralContainers[${index}]`;
    common(errors, container, known, at, spec['hostUsers'] !== false);
    const own = text(container, 'name');
    if (own !== '' && (!names.add(own) || others.has(own))) errors.push(duplicate(`${at}.name`, own));
    const target = text(container, 'targetContainerName');
    if (target !== '' && !others.has(target)) errors.push(notFound(`${at}.targetContainerName`, target));
    for (const key of NOT_EPHEMERAL)
      if (has(container, key)) errors.push(forbidden(`${at}.${key}`, 'cannot be set for an Ephemeral Container'));
    if (Object.keys(object(container, 'resources') ?? {}).length > 0)
      errors.push(forbidden(`${at}.resources`, 'cannot be set for an Ephemeral Container'));
    if (items(container, 'volumeMounts').some((mount) => text(mount, 'subPath') !== ''))
      errors.push(forbidden(`${at}.volumeMounts[0].subPath`, 'cannot be set for an Ephemeral Container'));
  });
}

/** Names are unique over containers and init containers. */
function name(errors: Errors, container: Json, names: Seen, path: string): void {
  const own = text(container, 'name');
  if (own !== '' && !names.add(own)) errors.push(duplicate(`${path}.name`, own));
}

function common(errors: Errors, container: Json, known: Volumes, path: string, hostUsers: boolean): void {
  const own = text(container, 'name');
  if (own === '') errors.push(required(`${path}.name`));
  else each(errors, dns1123Label(own), `${path}.name`, own);
  const image = text(container, 'image');
  if (image === '') errors.push(required(`${path}.image`));
  else if (image !== image.trim())
    errors.push(invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  const termination = text(container, 'terminationMessagePolicy');
  if (termination !== 'File' && termination !== 'FallbackToLogsOnError') {
    if (termination === '') errors.push(required(`${path}.terminationMessagePolicy`));
    else errors.push(notSupported(`${path}.terminationMessagePolicy`, termination, ['File', 'FallbackToLogsOnError']));
  }
  ports(errors, container, `${path}.ports`);
  env(errors, container, `${path}.env`);
  envFrom(errors, container, `${path}.envFrom`);
  mounts(errors, container, known, `${path}.volumeMounts`);
  const policy = text(container, 'imagePullPolicy');
  if (policy === '') errors.push(required(`${path}.imagePullPolicy`));
  else if (!PULL_POLICIES.includes(policy)) errors.push(notSupported(`${path}.imagePullPolicy`, policy, PULL_POLICIES));
  resourceRequirements(errors, object(container, 'resources'), `${path}.resources`);
  resizePolicy(errors, container, `${path}.resizePolicy`);
  containerSecurity(errors, object(container, 'securityContext'), `${path}.securityContext`, hostUsers);
}

function resizePolicy(errors: Errors, container: Json, path: string): void {
  const names = new Seen();
  items(container, 'resizePolicy').forEach((policy, index) => {
    const [name, restart] = [text(policy, 'resourceName'), text(policy, 'restartPolicy')];
    if (name !== '' && !names.add(name)) errors.push(duplicate(`${path}[${index}]`, name));
    if (name === '') errors.push(required(path));
    else if (!['cpu', 'memory'].includes(name)) errors.push(notSupported(path, name, ['cpu', 'memory']));
    if (restart === '') errors.push(required(path));
    else if (!['NotRequired', 'RestartContainer'].includes(restart))
      errors.push(notSupported(path, restart, ['NotRequired', 'RestartContainer']));
  });
}

function ports(errors: Errors, container: Json, path: string): void {
  const names = new Seen();
  items(container, 'ports').forEach((port, index) => {
    const at = `${path}[${index}]`;
    const own = text(port, 'name');
    if (own !== '') {
      const wrong = portName(own);
      each(errors, wrong, `${at}.name`, own);
      if (wrong.length === 0 && !names.add(own)) errors.push(duplicate(`${at}.name`, own));
    }
    const value = number(port, 'containerPort') ?? 0;
    if (value === 0) errors.push(required(`${at}.containerPort`));
    else portNumber(errors, value, `${at}.containerPort`);
    const host = number(port, 'hostPort') ?? 0;
    if (host !== 0) portNumber(errors, host, `${at}.hostPort`);
    protocol(errors, text(port, 'protocol'), `${at}.protocol`);
  });
}

export function protocol(errors: Errors, value: string, path: string): void {
  if (value === '') errors.push(required(path));
  else if (!['SCTP', 'TCP', 'UDP'].includes(value)) errors.push(notSupported(path, value, ['SCTP', 'TCP', 'UDP']));
}

function hostPorts(errors: Errors, list: readonly Json[], path: string): void {
  const taken = new Seen();
  list.forEach((container, index) => {
    items(container, 'ports').forEach((port, position) => {
      const host = number(port, 'hostPort') ?? 0;
      if (host === 0) return;
      const key = `${text(port, 'protocol')}/${text(port, 'hostIP')}/${host}`;
      if (!taken.add(key)) errors.push(duplicate(`${path}[${index}].ports[${position}].hostPort`, key));
    });
  });
}

function env(errors: Errors, container: Json, path: string): void {
  items(container, 'env').forEach((variable, index) => {
    const at = `${path}[${index}]`;
    const own = text(variable, 'name');
    if (own === '') errors.push(required(`${at}.name`));
    else each(errors, envVarName(own), `${at}.name`, own);
    const from = object(variable, 'valueFrom');
    if (from !== undefined) valueFrom(errors, from, text(variable, 'value'), `${at}.valueFrom`);
  });
}

function valueFrom(errors: Errors, from: JsonObject, value: string, path: string): void {
  const kinds = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'].filter(
    (kind) => object(from, kind) !== undefined,
  );
  const reference = object(from, 'fieldRef');
  if (reference !== undefined) fieldRef(errors, reference, `${path}.fieldRef`, VARIABLE_FIELDS);
  const resource = object(from, 'resourceFieldRef');
  if (resource !== undefined) resourceFieldRef(errors, resource, `${path}.resourceFieldRef`, false);
  for (const kind of ['configMapKeyRef', 'secretKeyRef']) {
    const selector = object(from, kind);
    if (selector === undefined) continue;
    const name = text(selector, 'name');
    each(errors, dns1123Subdomain(name), `${path}.${kind}.name`, name);
    const key = text(selector, 'key');
    if (key === '') errors.push(required(`${path}.${kind}.key`));
    else each(errors, configMapKey(key), `${path}.${kind}.key`, key);
  }
  if (kinds.length === 0) {
    errors.push(
      invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'),
    );
  } else if (value !== '') errors.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  else if (kinds.length > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
}

function envFrom(errors: Errors, container: Json, path: string): void {
  items(container, 'envFrom').forEach((from, index) => {
    const at = `${path}[${index}]`;
    const prefix = text(from, 'prefix');
    if (prefix !== '') each(errors, envVarName(prefix), `${at}.prefix`, prefix);
    const kinds = ['configMapRef', 'secretRef'].filter((kind) => object(from, kind) !== undefined);
    for (const kind of kinds) {
      const name = text(object(from, kind), 'name');
      if (name === '') errors.push(required(`${at}.${kind}.name`));
      else each(errors, dns1123Subdomain(name), `${at}.${kind}.name`, name);
    }
    if (kinds.length === 0) errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (kinds.length > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
  });
}

function handlers(errors: Errors, container: Json, path: string): void {
  const lifecycle = object(container, 'lifecycle');
  for (const key of ['postStart', 'preStop']) {
    const own = object(lifecycle, key);
    if (own !== undefined) handler(errors, own, `${path}.lifecycle.${key}`);
  }
  probe(errors, object(container, 'livenessProbe'), `${path}.livenessProbe`, true);
  probe(errors, object(container, 'readinessProbe'), `${path}.readinessProbe`, false);
  probe(errors, object(container, 'startupProbe'), `${path}.startupProbe`, true);
}

function probe(errors: Errors, own: JsonObject | undefined, path: string, once: boolean): void {
  if (own === undefined) return;
  handler(errors, own, path);
  for (const key of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ]) {
    nonNegative(errors, number(own, key), `${path}.${key}`);
  }
  const grace = number(own, 'terminationGracePeriodSeconds');
  if (grace !== undefined && grace <= 0)
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  const successes = number(own, 'successThreshold');
  if (once && successes !== undefined && successes !== 1)
    errors.push(invalid(`${path}.successThreshold`, successes, 'must be 1'));
}

const HEADER_RULE =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'];

function handler(errors: Errors, own: JsonObject, path: string): void {
  let count = 0;
  for (const kind of HANDLERS) {
    const action = object(own, kind);
    if (action === undefined) continue;
    if (++count > 1) {
      errors.push(forbidden(`${path}.${kind}`, 'may not specify more than 1 handler type'));
      continue;
    }
    const at = `${path}.${kind}`;
    if (kind === 'exec' && items(action, 'command').length === 0) errors.push(required(`${at}.command`));
    if (kind === 'httpGet') {
      if (text(action, 'path') === '') errors.push(required(`${at}.path`));
      portNumberOrName(errors, action['port'] ?? 0, `${at}.port`);
      if (!['HTTP', 'HTTPS'].includes(text(action, 'scheme')))
        errors.push(notSupported(`${at}.scheme`, text(action, 'scheme'), ['HTTP', 'HTTPS']));
      for (const header of items(action, 'httpHeaders')) {
        const name = text(header, 'name');
        if (!/^[-A-Za-z0-9]+$/.test(name)) errors.push(invalid(`${at}.httpHeaders`, name, HEADER_RULE));
      }
    }
    if (kind === 'tcpSocket') portNumberOrName(errors, action['port'] ?? 0, `${at}.port`);
    if (kind === 'grpc') portNumber(errors, number(action, 'port') ?? 0, `${at}.port`);
  }
  if (count === 0) errors.push(required(path, 'must specify a handler type'));
}
