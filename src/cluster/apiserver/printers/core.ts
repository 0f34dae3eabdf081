import type { Json, JsonObject } from '../../../base/json.ts';
import { at, field, isObject, stringAt } from '../../../base/json.ts';
import { printSelector } from '../selector-text.ts';
import { age } from './age.ts';
import { count, list, number, orNone, text } from './fields.ts';
import { type Cells, created, nameOf, shorten, simple } from './printer.ts';

export const namespaceCells: Cells = simple((object) => [text(object, 'status', 'phase')]);
export const configMapCells: Cells = simple((object) => [count(object, 'data') + count(object, 'binaryData')]);
export const secretCells: Cells = simple((object) => [text(object, 'type'), count(object, 'data')]);
export const serviceAccountCells: Cells = simple((object) => [count(object, 'secrets')]);
export const leaseCells: Cells = simple((object) => [text(object, 'spec', 'holderIdentity')]);

export const componentStatusCells: Cells = (object) => {
  const healthy = list(object, 'conditions').find((one) => stringAt(one, 'type') === 'Healthy');
  const status = healthy === undefined ? 'Unknown' : stringAt(healthy, 'status') === 'True' ? 'Healthy' : 'Unhealthy';
  return [nameOf(object), status, text(healthy, 'message'), text(healthy, 'error')];
};

export const nodeCells: Cells = (object, now) => {
  const address = (type: string): string =>
    orNone(
      text(
        list(object, 'status', 'addresses').find((one) => field(one, 'type') === type),
        'address',
      ),
    );
  const info = (key: string): string => text(object, 'status', 'nodeInfo', key) || '<unknown>';
  return [
    nameOf(object),
    nodeStatus(object),
    orNone(roles(object)),
    created(object, now),
    text(object, 'status', 'nodeInfo', 'kubeletVersion'),
    address('InternalIP'),
    address('ExternalIP'),
    info('osImage'),
    info('kernelVersion'),
    info('containerRuntimeVersion'),
  ];
};

function nodeStatus(object: JsonObject): string {
  const ready = list(object, 'status', 'conditions').find((one) => stringAt(one, 'type') === 'Ready');
  const status = ready === undefined ? 'Unknown' : stringAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return at(object, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status;
}

const ROLE = 'node-role.kubernetes.io/';

function roles(object: JsonObject): string {
  const labels = at(object, 'metadata', 'labels');
  if (!isObject(labels)) return '';
  const named = Object.keys(labels)
    .filter((key) => key.startsWith(ROLE) && key.length > ROLE.length)
    .map((key) => key.slice(ROLE.length));
  const old = stringAt(labels, 'kubernetes.io/role') ?? '';
  return [...new Set(old === '' ? named : [...named, old])].sort().join(',');
}

export const quotaCells: Cells = (object, now) => {
  const hard = at(object, 'status', 'hard');
  const names = isObject(hard) ? Object.keys(hard).sort() : [];
  const limit = (name: string): boolean => name.startsWith('limits.');
  const row = (of: readonly string[]): string =>
    of.map((name) => `${name}: ${text(object, 'status', 'used', name) || '0'}/${text(hard, name)}`).join(', ');
  return [nameOf(object), row(names.filter((name) => !limit(name))), row(names.filter(limit)), created(object, now)];
};

export const eventCells: Cells = (object, now) => {
  // The two kinds of events name the same fields differently; the one of events.k8s.io calls the old ones deprecated.
  const about = at(object, 'involvedObject') ?? at(object, 'regarding');
  const either = (old: string): string =>
    text(object, old) || text(object, `deprecated${old[0]?.toUpperCase() ?? ''}${old.slice(1)}`);
  const source = at(object, 'source') ?? at(object, 'deprecatedSource');
  const first = either('firstTimestamp') || text(object, 'eventTime');
  const last = text(object, 'series', 'lastObservedTime') || either('lastTimestamp') || first;
  const component =
    text(source, 'component') || text(object, 'reportingComponent') || text(object, 'reportingController');
  const host = text(source, 'host') || text(object, 'reportingInstance');
  const times = number(object, 'series', 'count') || number(object, 'count') || number(object, 'deprecatedCount') || 1;
  const kind = text(about, 'kind').toLowerCase();
  const name = text(about, 'name');
  return [
    age(last, now),
    text(object, 'type'),
    text(object, 'reason'),
    name === '' ? kind : `${kind}/${name}`,
    text(about, 'fieldPath'),
    host === '' ? component : `${component}, ${host}`,
    (text(object, 'message') || text(object, 'note')).trim(),
    age(first, now),
    times,
    nameOf(object),
  ];
};

export const serviceCells: Cells = simple(
  (object) => [
    text(object, 'spec', 'type'),
    orNone(text(object, 'spec', 'clusterIP')),
    externalIp(object),
    orNone(servicePorts(object)),
  ],
  (object) => [orNone(printSelector(at(object, 'spec', 'selector')))],
);

/** Distinct addresses of a load balancer, sorted. */
export function balancerAddresses(object: JsonObject): readonly string[] {
  const points = list(object, 'status', 'loadBalancer', 'ingress').map(
    (one) => text(one, 'ip') || text(one, 'hostname'),
  );
  return [...new Set(points.filter((one) => one !== ''))].sort();
}

function externalIp(object: JsonObject): string {
  const given = list(object, 'spec', 'externalIPs').map(String);
  switch (text(object, 'spec', 'type')) {
    case 'ExternalName':
      return text(object, 'spec', 'externalName');
    case 'LoadBalancer':
      return [...balancerAddresses(object), ...given].join(',') || '<pending>';
    default:
      return given.length === 0 ? '<none>' : given.join(',');
  }
}

function servicePorts(object: JsonObject): string {
  return list(object, 'spec', 'ports')
    .map((port) => {
      const node = number(port, 'nodePort');
      return `${text(port, 'port')}${node === 0 ? '' : `:${node}`}/${text(port, 'protocol')}`;
    })
    .join(',');
}

export const endpointsCells: Cells = simple((object) => {
  const all = list(object, 'subsets').flatMap((subset) => {
    const addresses = list(subset, 'addresses').map((one) => text(one, 'ip'));
    const ports = list(subset, 'ports');
    return ports.length === 0
      ? addresses
      : ports.flatMap((port) => addresses.map((ip) => `${ip.includes(':') ? `[${ip}]` : ip}:${text(port, 'port')}`));
  });
  return [list(object, 'subsets').length === 0 ? '<none>' : shorten(all, 3, '')];
});

export const podTemplateCells: Cells = (object) => [
  nameOf(object),
  ...containerCells(at(object, 'template')),
  orNone(printSelector(at(object, 'template', 'metadata', 'labels'))),
];

/** Names and images of a template's containers. */
export function containerCells(template: Json | undefined): readonly [string, string] {
  const containers = list(template, 'spec', 'containers');
  return [containers.map((one) => text(one, 'name')).join(','), containers.map((one) => text(one, 'image')).join(',')];
}

/** Kinds without cells of their own. Source: kubernetes@1.34 apiserver/pkg/registry/rest/table.go. */
export const createdAtCells: Cells = (object) => [nameOf(object), text(object, 'metadata', 'creationTimestamp')];
