import { at, field, stringAt } from '../../../base/json.ts';
import { printSelector } from '../selector-text.ts';
import { balancerAddresses } from './core.ts';
import { count, list, orNone, text } from './fields.ts';
import { type Cells, created, nameOf, shorten, simple } from './printer.ts';

export const ingressCells: Cells = simple((object) => {
  const rules = list(object, 'spec', 'rules');
  const hosts = rules.map((rule) => text(rule, 'host')).filter((host) => host !== '');
  const more = rules.length > 3 && hosts.length >= 3 ? ` + ${rules.length - 3} more...` : '';
  return [
    orNone(text(object, 'spec', 'ingressClassName')),
    hosts.length === 0 ? '*' : hosts.slice(0, 3).join(',') + more,
    balancerAddresses(object).join(','),
    count(object, 'spec', 'tls') > 0 ? '80, 443' : '80',
  ];
});

export const ingressClassCells: Cells = simple((object) => {
  const parameters = at(object, 'spec', 'parameters');
  const group = text(parameters, 'apiGroup');
  const shown =
    parameters === undefined
      ? '<none>'
      : `${text(parameters, 'kind')}${group === '' ? '' : `.${group}`}/${text(parameters, 'name')}`;
  return [text(object, 'spec', 'controller'), shown];
});

export const networkPolicyCells: Cells = simple((object) => [orNone(printSelector(at(object, 'spec', 'podSelector')))]);

export const endpointSliceCells: Cells = simple((object) => {
  const ports = list(object, 'ports').map(
    (port) => text(port, 'port') || (field(port, 'name') === undefined ? '*' : text(port, 'name')),
  );
  const addresses = list(object, 'endpoints').flatMap((one) => list(one, 'addresses').map(String));
  return [text(object, 'addressType'), shorten(ports, 3, '<unset>'), shorten(addresses, 3, '<unset>')];
});

/** The server prints the age too, in a column that it does not declare. */
export const ipAddressCells: Cells = (object, now) => {
  const parent = at(object, 'spec', 'parentRef');
  const group = text(parent, 'group');
  const resource = `${text(parent, 'resource')}${group === '' ? '' : `.${group}`}`.toLowerCase();
  const namespace = text(parent, 'namespace');
  const shown =
    parent === undefined ? '<none>' : `${resource}${namespace === '' ? '' : `/${namespace}`}/${text(parent, 'name')}`;
  return [nameOf(object), shown, created(object, now)];
};

export const serviceCidrCells: Cells = simple((object) => [list(object, 'spec', 'cidrs').map(String).join(',')]);

/** Source: kubernetes@1.34 kube-aggregator/pkg/registry/apiservice/etcd/etcd.go. */
export const apiServiceCells: Cells = simple((object) => {
  const service = at(object, 'spec', 'service');
  const available = list(object, 'status', 'conditions').find((one) => stringAt(one, 'type') === 'Available');
  const status = text(available, 'status') || 'Unknown';
  const reason = text(available, 'reason');
  return [
    service === undefined || service === null ? 'Local' : `${text(service, 'namespace')}/${text(service, 'name')}`,
    status === 'True' || reason === '' ? status : `${status} (${reason})`,
  ];
});
