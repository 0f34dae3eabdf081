import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import { type InstallOptions, labelsOf } from './options.ts';
import { SERVICE_ACCOUNT } from './roles.ts';

/** The one Deployment that runs every controller. Its shape and ports are those of Flux's source-controller. */
export function deployment(options: InstallOptions): KubeObject {
  const { namespace, tolerationKeys } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      labels: { ...labelsOf(options, 'weir'), 'control-plane': 'controller' },
      name: 'weir',
      namespace,
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'weir' } },
      // Artifacts are on a volume of the pod: two pods at once would serve different ones.
      strategy: { type: 'Recreate' },
      template: {
        metadata: {
          annotations: { 'prometheus.io/port': '8080', 'prometheus.io/scrape': 'true' },
          labels: { app: 'weir', ...labelsOf(options, 'weir') },
        },
        spec: {
          containers: [container(options)],
          ...(options.imagePullSecret === undefined ? {} : { imagePullSecrets: [{ name: options.imagePullSecret }] }),
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          priorityClassName: 'system-cluster-critical',
          securityContext: { fsGroup: 1337 },
          serviceAccountName: SERVICE_ACCOUNT,
          terminationGracePeriodSeconds: 60,
          ...(tolerationKeys.length === 0
            ? {}
            : { tolerations: tolerationKeys.map((key) => ({ key, operator: 'Exists' })) }),
          volumes: [
            { emptyDir: {}, name: 'data' },
            { emptyDir: {}, name: 'tmp' },
          ],
        },
      },
    },
  };
}

function container(options: InstallOptions): JsonObject {
  return {
    args: [
      'run',
      `--watch-all-namespaces=${options.watchAllNamespaces}`,
      `--log-level=${options.logLevel}`,
      '--log-encoding=json',
      '--enable-leader-election',
      '--metrics-addr=:8080',
      '--health-addr=:9440',
      '--storage-addr=:9090',
      '--storage-path=/data',
      `--storage-adv-addr=source-controller.$(RUNTIME_NAMESPACE).svc.${options.clusterDomain}.`,
    ],
    env: [{ name: 'RUNTIME_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }],
    image: `${options.registry}/weir:${options.version}`,
    imagePullPolicy: 'IfNotPresent',
    livenessProbe: { httpGet: { path: '/healthz', port: 'healthz' } },
    name: 'manager',
    ports: [
      { containerPort: 9090, name: 'http', protocol: 'TCP' },
      { containerPort: 8080, name: 'http-prom', protocol: 'TCP' },
      { containerPort: 9440, name: 'healthz', protocol: 'TCP' },
    ],
    readinessProbe: { httpGet: { path: '/readyz', port: 'healthz' } },
    resources: {
      limits: { cpu: '2000m', memory: '2Gi' },
      requests: { cpu: '100m', memory: '256Mi' },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { mountPath: '/data', name: 'data' },
      { mountPath: '/tmp', name: 'tmp' },
    ],
  };
}
