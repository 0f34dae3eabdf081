import { crdOf } from '../../api/crd.ts';
import { kinds } from '../../api/kinds/all.ts';
import type { KubeObject } from '../../api/object.ts';
import { deployment } from './deployment.ts';
import { type InstallOptions, labelsOf } from './options.ts';
import { roles } from './roles.ts';

/** Components whose kinds this version does not serve yet: they are accepted, and nothing is installed for them. */
export function withoutKinds(components: readonly string[]): readonly string[] {
  return components.filter((component) => !kinds.some((kind) => kind.component === component));
}

/** All objects of an installation, in the order in which they can be created. */
export function installObjects(options: InstallOptions): readonly KubeObject[] {
  const crds = kinds
    .filter(({ component }) => options.components.includes(component))
    .map((kind) => crdOf(kind, labelsOf(options, kind.component)));
  return [
    namespaceObject(options),
    ...(options.networkPolicy ? networkPolicies(options) : []),
    resourceQuota(options),
    ...crds,
    ...roles(options),
    ...pullSecret(options),
    ...services(options),
    deployment(options),
  ];
}

function namespaceObject(options: InstallOptions): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      labels: {
        ...labelsOf(options),
        'pod-security.kubernetes.io/warn': 'restricted',
        'pod-security.kubernetes.io/warn-version': 'latest',
      },
      name: options.namespace,
    },
  };
}

/** Who may reach the pods: each other; Prometheus' port; webhooks' port. Source: fluxcd/flux2@v2 manifests/policies. */
function networkPolicies(options: InstallOptions): readonly KubeObject[] {
  const policy = (name: string, spec: KubeObject['spec']): KubeObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { labels: labelsOf(options), name, namespace: options.namespace },
    ...(spec === undefined ? {} : { spec }),
  });
  return [
    policy('allow-egress', {
      egress: [{}],
      ingress: [{ from: [{ podSelector: {} }] }],
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    }),
    policy('allow-scraping', {
      ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 8080, protocol: 'TCP' }] }],
      podSelector: {},
      policyTypes: ['Ingress'],
    }),
    policy('allow-webhooks', {
      ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 9292, protocol: 'TCP' }] }],
      podSelector: {},
      policyTypes: ['Ingress'],
    }),
  ];
}

/** Lets the namespace run pods of a critical priority. Source: fluxcd/flux2@v2 manifests/rbac/resourcequota.yaml. */
function resourceQuota(options: InstallOptions): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: {
      labels: labelsOf(options),
      name: `critical-pods-${options.namespace}`,
      namespace: options.namespace,
    },
    spec: {
      hard: { pods: '1000' },
      scopeSelector: {
        matchExpressions: [
          {
            operator: 'In',
            scopeName: 'PriorityClass',
            values: ['system-node-critical', 'system-cluster-critical'],
          },
        ],
      },
    },
  };
}

function pullSecret(options: InstallOptions): readonly KubeObject[] {
  if (options.registryCredentials === undefined || options.imagePullSecret === undefined) return [];
  const colon = options.registryCredentials.indexOf(':');
  const username = options.registryCredentials.slice(0, colon);
  const password = options.registryCredentials.slice(colon + 1);
  const auth = Buffer.from(options.registryCredentials).toString('base64');
  const config = JSON.stringify({ auths: { [options.registry]: { username, password, auth } } });
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { labels: labelsOf(options), name: options.imagePullSecret, namespace: options.namespace },
    stringData: { '.dockerconfigjson': config },
    type: 'kubernetes.io/dockerconfigjson',
  };
  return [secret as KubeObject];
}

/** Addresses that artifacts' URLs are made of stay Flux's. */
function services(options: InstallOptions): readonly KubeObject[] {
  if (!options.components.includes('source-controller')) return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        labels: { ...labelsOf(options, 'source-controller'), 'control-plane': 'controller' },
        name: 'source-controller',
        namespace: options.namespace,
      },
      spec: {
        ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 'http' }],
        selector: { app: 'weir' },
        type: 'ClusterIP',
      },
    },
  ];
}
