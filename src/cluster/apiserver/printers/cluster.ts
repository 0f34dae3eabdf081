import type { Json, JsonObject } from '../../../base/json.ts';
import { at, field, isObject, stringAt } from '../../../base/json.ts';
import { printSelector } from '../selector-text.ts';
import { age } from './age.ts';
import { count, list, number, orNone, text } from './fields.ts';
import { AGE, column, NAME, type Printer } from './printer.ts';

/** Source: kubernetes@1.34 pkg/printers/internalversion/printers.go. */

function created(object: JsonObject, nowMs: number): string {
  return age(at(object, 'metadata', 'creationTimestamp'), nowMs);
}

function name(object: JsonObject): string {
  return text(object, 'metadata', 'name');
}

/** A printer of a name, some fields and the age. */
function simple(
  columns: Printer['columns'],
  cells: (object: JsonObject, nowMs: number) => readonly Json[],
  wide: { readonly columns: Printer['columns']; readonly cells: (object: JsonObject) => readonly Json[] } = {
    columns: [],
    cells: () => [],
  },
): Printer {
  return {
    columns: [NAME, ...columns, AGE, ...wide.columns],
    cells: (object, now) => ({
      cells: [name(object), ...cells(object, now), created(object, now), ...wide.cells(object)],
    }),
  };
}

export const namespacePrinter: Printer = simple([column('Status')], (object) => [text(object, 'status', 'phase')]);
export const configMapPrinter: Printer = simple([column('Data')], (object) => [
  count(object, 'data') + count(object, 'binaryData'),
]);
export const secretPrinter: Printer = simple([column('Type'), column('Data')], (object) => [
  text(object, 'type'),
  count(object, 'data'),
]);
export const serviceAccountPrinter: Printer = simple([column('Secrets')], (object) => [count(object, 'secrets')]);
export const leasePrinter: Printer = simple([column('Holder')], (object) => [text(object, 'spec', 'holderIdentity')]);

export const servicePrinter: Printer = simple(
  [column('Type'), column('Cluster-IP'), column('External-IP'), column('Port(s)')],
  (object) => [
    text(object, 'spec', 'type'),
    orNone(text(object, 'spec', 'clusterIP')),
    externalIp(object),
    orNone(ports(object)),
  ],
  {
    columns: [column('Selector', 'string', 1)],
    cells: (object) => [orNone(printSelector(at(object, 'spec', 'selector')))],
  },
);

function externalIp(object: JsonObject): string {
  const given = list(object, 'spec', 'externalIPs').map(String);
  switch (text(object, 'spec', 'type')) {
    case 'ExternalName':
      return text(object, 'spec', 'externalName');
    case 'LoadBalancer': {
      const points = list(object, 'status', 'loadBalancer', 'ingress').map(
        (one) => text(one, 'ip') || text(one, 'hostname'),
      );
      const all = [...points, ...given].filter((one) => one !== '');
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    default:
      return given.length === 0 ? '<none>' : given.join(',');
  }
}

function ports(object: JsonObject): string {
  return list(object, 'spec', 'ports')
    .map((port) => {
      const node = number(port, 'nodePort');
      return `${text(port, 'port')}${node === 0 ? '' : `:${node}`}/${text(port, 'protocol')}`;
    })
    .join(',');
}

export const nodeWidePrinter: Printer = {
  columns: [
    NAME,
    column('Status'),
    column('Roles'),
    AGE,
    column('Version'),
    column('Internal-IP', 'string', 1),
    column('External-IP', 'string', 1),
    column('OS-Image', 'string', 1),
    column('Kernel-Version', 'string', 1),
    column('Container-Runtime', 'string', 1),
  ],
  cells: (object, now) => {
    const address = (type: string): string =>
      orNone(
        text(
          list(object, 'status', 'addresses').find((one) => field(one, 'type') === type),
          'address',
        ),
      );
    const info = (key: string): string => text(object, 'status', 'nodeInfo', key) || '<unknown>';
    return {
      cells: [
        name(object),
        nodeStatus(object),
        orNone(roles(object)),
        created(object, now),
        text(object, 'status', 'nodeInfo', 'kubeletVersion'),
        address('InternalIP'),
        address('ExternalIP'),
        info('osImage'),
        info('kernelVersion'),
        info('containerRuntimeVersion'),
      ],
    };
  },
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
  return Object.keys(labels)
    .filter((key) => key.startsWith(ROLE) && key.length > ROLE.length)
    .map((key) => key.slice(ROLE.length))
    .sort()
    .join(',');
}

export const ingressPrinter: Printer = simple(
  [column('Class'), column('Hosts'), column('Address'), column('Ports')],
  (object) => {
    const hosts = list(object, 'spec', 'rules')
      .map((rule) => text(rule, 'host'))
      .filter((host) => host !== '');
    const shown =
      hosts.length === 0
        ? '*'
        : hosts.length > 3
          ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...`
          : hosts.join(',');
    const address = list(object, 'status', 'loadBalancer', 'ingress').map(
      (one) => text(one, 'ip') || text(one, 'hostname'),
    );
    return [
      orNone(text(object, 'spec', 'ingressClassName')),
      shown,
      address.join(','),
      count(object, 'spec', 'tls') > 0 ? '80, 443' : '80',
    ];
  },
);
export const ingressClassPrinter: Printer = simple([column('Controller'), column('Parameters')], (object) => {
  const parameters = at(object, 'spec', 'parameters');
  const group = text(parameters, 'apiGroup');
  const shown =
    parameters === undefined
      ? '<none>'
      : `${text(parameters, 'kind')}${group === '' ? '' : `.${group}`}/${text(parameters, 'name')}`;
  return [text(object, 'spec', 'controller'), shown];
});
export const networkPolicyPrinter: Printer = simple([column('Pod-Selector')], (object) => [
  orNone(printSelector(at(object, 'spec', 'podSelector'))),
]);
export const endpointsPrinter: Printer = simple([column('Endpoints')], (object) => {
  const all = list(object, 'subsets').flatMap((subset) =>
    list(subset, 'addresses').flatMap((address) =>
      list(subset, 'ports').length === 0
        ? [text(address, 'ip')]
        : list(subset, 'ports').map((port) => `${text(address, 'ip')}:${text(port, 'port')}`),
    ),
  );
  return [
    all.length === 0 ? '<none>' : all.slice(0, 3).join(',') + (all.length > 3 ? ` + ${all.length - 3} more...` : ''),
  ];
});
export const endpointSlicePrinter: Printer = simple(
  [column('AddressType'), column('Ports'), column('Endpoints')],
  (object) => {
    const numbers = list(object, 'ports').map((port) => text(port, 'port') || '*');
    const addresses = list(object, 'endpoints').flatMap((one) => list(one, 'addresses').map(String));
    const short = (items: readonly string[], none: string): string =>
      items.length === 0
        ? none
        : items.slice(0, 3).join(',') + (items.length > 3 ? ` + ${items.length - 3} more...` : '');
    return [text(object, 'addressType'), short(numbers, '<unset>'), short(addresses, '<unset>')];
  },
);
export const claimPrinter: Printer = simple(
  [
    column('Status'),
    column('Volume'),
    column('Capacity'),
    column('Access Modes'),
    column('StorageClass'),
    column('VolumeAttributesClass'),
  ],
  (object) => {
    const volume = text(object, 'spec', 'volumeName');
    const phase =
      at(object, 'metadata', 'deletionTimestamp') === undefined ? text(object, 'status', 'phase') : 'Terminating';
    return [
      phase,
      volume,
      volume === '' ? '' : text(object, 'status', 'capacity', 'storage'),
      volume === '' ? '' : modes(list(object, 'status', 'accessModes')),
      text(object, 'spec', 'storageClassName'),
      text(object, 'spec', 'volumeAttributesClassName') || '<unset>',
    ];
  },
  {
    columns: [column('VolumeMode', 'string', 1)],
    cells: (object) => [text(object, 'spec', 'volumeMode') || '<unset>'],
  },
);
export const volumePrinter: Printer = simple(
  [
    column('Capacity'),
    column('Access Modes'),
    column('Reclaim Policy'),
    column('Status'),
    column('Claim'),
    column('StorageClass'),
    column('VolumeAttributesClass'),
    column('Reason'),
  ],
  (object) => {
    const claim = at(object, 'spec', 'claimRef');
    return [
      text(object, 'spec', 'capacity', 'storage'),
      modes(list(object, 'spec', 'accessModes')),
      text(object, 'spec', 'persistentVolumeReclaimPolicy'),
      at(object, 'metadata', 'deletionTimestamp') === undefined ? text(object, 'status', 'phase') : 'Terminating',
      claim === undefined ? '' : `${text(claim, 'namespace')}/${text(claim, 'name')}`,
      text(object, 'spec', 'storageClassName'),
      text(object, 'spec', 'volumeAttributesClassName') || '<unset>',
      text(object, 'status', 'reason'),
    ];
  },
  {
    columns: [column('VolumeMode', 'string', 1)],
    cells: (object) => [text(object, 'spec', 'volumeMode') || '<unset>'],
  },
);

function modes(list: readonly Json[]): string {
  const short: Readonly<Record<string, string>> = {
    ReadWriteOnce: 'RWO',
    ReadOnlyMany: 'ROX',
    ReadWriteMany: 'RWX',
    ReadWriteOncePod: 'RWOP',
  };
  return Object.keys(short)
    .filter((mode) => list.includes(mode))
    .map((mode) => short[mode])
    .join(',');
}

export const storageClassPrinter: Printer = {
  columns: [
    NAME,
    column('Provisioner'),
    column('ReclaimPolicy'),
    column('VolumeBindingMode'),
    column('AllowVolumeExpansion'),
    AGE,
  ],
  cells: (object, now) => {
    const annotations = at(object, 'metadata', 'annotations');
    const standard = stringAt(annotations, 'storageclass.kubernetes.io/is-default-class') === 'true';
    return {
      cells: [
        standard ? `${name(object)} (default)` : name(object),
        text(object, 'provisioner'),
        text(object, 'reclaimPolicy') || 'Delete',
        text(object, 'volumeBindingMode') || 'Immediate',
        at(object, 'allowVolumeExpansion') === true,
        created(object, now),
      ],
    };
  },
};
export const priorityClassPrinter: Printer = simple([column('Value'), column('Global-Default')], (object) => [
  number(object, 'value'),
  at(object, 'globalDefault') === true,
]);
export const roleBindingPrinter: Printer = simple(
  [column('Role')],
  (object) => [`${text(object, 'roleRef', 'kind')}/${text(object, 'roleRef', 'name')}`],
  {
    columns: [column('Users', 'string', 1), column('Groups', 'string', 1), column('ServiceAccounts', 'string', 1)],
    cells: (object) => {
      const of = (kind: string): string =>
        list(object, 'subjects')
          .filter((one) => stringAt(one, 'kind') === kind)
          .map((one) =>
            kind === 'ServiceAccount' ? `${text(one, 'namespace')}/${text(one, 'name')}` : text(one, 'name'),
          )
          .join(', ');
      return [of('User'), of('Group'), of('ServiceAccount')];
    },
  },
);
export const quotaPrinter: Printer = {
  columns: [NAME, column('Request'), column('Limit'), AGE],
  cells: (object, now) => {
    const hard = at(object, 'status', 'hard');
    const used = at(object, 'status', 'used');
    const pairs = isObject(hard)
      ? Object.keys(hard)
          .sort()
          .map((key) => ({ key, shown: `${key}: ${text(used, key) || '0'}/${text(hard, key)}` }))
      : [];
    const limits = pairs.filter(({ key }) => key.startsWith('limits')).map(({ shown }) => shown);
    const requests = pairs.filter(({ key }) => !key.startsWith('limits')).map(({ shown }) => shown);
    return { cells: [name(object), requests.join(', '), limits.join(', '), created(object, now)] };
  },
};
export const createdAtPrinter: Printer = {
  columns: [NAME, column('Created At', 'date')],
  cells: (object) => ({ cells: [name(object), at(object, 'metadata', 'creationTimestamp') ?? null] }),
};
export const eventPrinter: Printer = {
  columns: [
    column('Last Seen'),
    column('Type'),
    column('Reason'),
    column('Object'),
    column('Subobject', 'string', 1),
    column('Source', 'string', 1),
    column('Message'),
    column('First Seen', 'string', 1),
    column('Count', 'string', 1),
    { ...NAME, priority: 1 },
  ],
  cells: (object, now) => {
    const about = at(object, 'involvedObject') ?? at(object, 'regarding');
    const first = text(object, 'firstTimestamp') || text(object, 'eventTime');
    const last = text(object, 'series', 'lastObservedTime') || text(object, 'lastTimestamp') || first;
    const component = text(object, 'source', 'component') || text(object, 'reportingComponent');
    const host = text(object, 'source', 'host') || text(object, 'reportingInstance');
    const times = number(object, 'series', 'count') || number(object, 'count') || 1;
    return {
      cells: [
        age(last, now),
        text(object, 'type'),
        text(object, 'reason'),
        `${text(about, 'kind').toLowerCase()}/${text(about, 'name')}`,
        text(about, 'fieldPath'),
        host === '' ? component : `${component}, ${host}`,
        (text(object, 'message') || text(object, 'note')).trim(),
        age(first, now),
        times,
        name(object),
      ],
    };
  },
};
