import type { Json, JsonObject } from '../../../base/json.ts';
import { dns1123Label, envVarName, portName } from '../names.ts';
import {
  duplicate,
  type Errors,
  each,
  forbidden,
  has,
  invalid,
  items,
  nonNegative,
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
import { mounts } from './volumes.ts';

type Volumes = ReadonlyMap<string, JsonObject>;

const FIELD_PATHS = new Set([
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
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

/** The containers of a pod in the order the server looks at them. (ValidateContainers, validateInitContainers) */
export function containers(errors: Errors, spec: JsonObject, known: Volumes, path: string): void {
  const list = items(spec, 'containers');
  if (list.length === 0) errors.push(required(`${path}.containers`));
  const names = new Seen();
  list.forEach((container, index) => {
    const at = `${path}.containers[${index}]`;
    common(errors, container, known, at);
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
    common(errors, container, known, at);
    name(errors, container, names, at);
    const sidecar = text(container, 'restartPolicy') === 'Always';
    if (sidecar) handlers(errors, container, at);
    else {
      for (const key of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
        if (has(container, key))
          errors.push(forbidden(`${at}.${key}`, 'may not be set for init containers without restartPolicy=Always'));
      }
    }
    if (has(container, 'restartPolicy') && !sidecar)
      errors.push(notSupported(`${at}.restartPolicy`, text(container, 'restartPolicy'), ['Always']));
  });
}

/** Names are unique over containers and init containers. */
function name(errors: Errors, container: Json, names: Seen, path: string): void {
  const own = text(container, 'name');
  if (own !== '' && !names.add(own)) errors.push(duplicate(`${path}.name`, own));
}

function common(errors: Errors, container: Json, known: Volumes, path: string): void {
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
    else errors.push(notSupported(`${path}.terminationMessagePolicy`, termination, ['FallbackToLogsOnError', 'File']));
  }
  ports(errors, container, `${path}.ports`);
  env(errors, container, `${path}.env`);
  envFrom(errors, container, `${path}.envFrom`);
  mounts(errors, container, known, `${path}.volumeMounts`);
  const policy = text(container, 'imagePullPolicy');
  if (policy === '') errors.push(required(`${path}.imagePullPolicy`));
  else if (!PULL_POLICIES.includes(policy)) errors.push(notSupported(`${path}.imagePullPolicy`, policy, PULL_POLICIES));
  resourceRequirements(errors, object(container, 'resources'), `${path}.resources`);
  securityContext(errors, object(container, 'securityContext'), `${path}.securityContext`);
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
  if (reference !== undefined) fieldRef(errors, reference, `${path}.fieldRef`);
  const resource = object(from, 'resourceFieldRef');
  if (resource !== undefined && text(resource, 'resource') === '')
    errors.push(required(`${path}.resourceFieldRef.resource`));
  for (const kind of ['configMapKeyRef', 'secretKeyRef']) {
    const selector = object(from, kind);
    if (selector === undefined) continue;
    if (text(selector, 'name') === '') errors.push(required(`${path}.${kind}.name`));
    if (text(selector, 'key') === '') errors.push(required(`${path}.${kind}.key`));
  }
  if (kinds.length === 0) {
    errors.push(
      invalid(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  } else if (value !== '') errors.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  else if (kinds.length > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
}

function fieldRef(errors: Errors, reference: JsonObject, path: string): void {
  const own = text(reference, 'fieldPath');
  if (text(reference, 'apiVersion') === '') errors.push(required(`${path}.apiVersion`));
  else if (own === '') errors.push(required(`${path}.fieldPath`));
  else if (/^metadata\.(?:labels|annotations)\['[^']*'\]$/.test(own)) return;
  else if (!FIELD_PATHS.has(own)) {
    const known = ['metadata.annotations', 'metadata.labels'].includes(own);
    if (known) errors.push(notSupported(`${path}.fieldPath`, own, [...FIELD_PATHS]));
    else
      errors.push(invalid(`${path}.fieldPath`, own, `error converting fieldPath: field label not supported: ${own}`));
  }
}

function envFrom(errors: Errors, container: Json, path: string): void {
  items(container, 'envFrom').forEach((from, index) => {
    const at = `${path}[${index}]`;
    const prefix = text(from, 'prefix');
    if (prefix !== '') each(errors, envVarName(prefix), `${at}.prefix`, prefix);
    const kinds = ['configMapRef', 'secretRef'].filter((kind) => object(from, kind) !== undefined);
    for (const kind of kinds) if (text(object(from, kind), 'name') === '') errors.push(required(`${at}.${kind}.name`));
    if (kinds.length === 0) errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (kinds.length > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
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
      portNumberOrName(errors, action['port'], `${at}.port`);
      if (!['HTTP', 'HTTPS'].includes(text(action, 'scheme')))
        errors.push(notSupported(`${at}.scheme`, text(action, 'scheme'), ['HTTP', 'HTTPS']));
    }
    if (kind === 'tcpSocket') portNumberOrName(errors, action['port'], `${at}.port`);
    if (kind === 'grpc') portNumber(errors, number(action, 'port') ?? 0, `${at}.port`);
  }
  if (count === 0) errors.push(required(path, 'must specify a handler type'));
}

function securityContext(errors: Errors, own: JsonObject | undefined, path: string): void {
  if (own === undefined) return;
  for (const key of ['runAsUser', 'runAsGroup']) {
    const id = number(own, key);
    if (id !== undefined && (id < 0 || id > 2_147_483_647))
      errors.push(invalid(`${path}.${key}`, id, 'must be between 0 and 2147483647, inclusive'));
  }
  const escalation = own['allowPrivilegeEscalation'];
  if (escalation === false) {
    if (own['privileged'] === true)
      errors.push(invalid(path, own, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    if (items(object(own, 'capabilities'), 'add').includes('CAP_SYS_ADMIN')) {
      errors.push(
        invalid(path, own, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'),
      );
    }
  }
}
