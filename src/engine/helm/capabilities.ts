/** What a chart may ask of the cluster. */
export interface Capabilities {
  readonly kubeVersion: KubeVersion;
  readonly apiVersions: readonly string[];
}

export interface KubeVersion {
  /** As it was given, with a `v`: `v1.33.4-gke.1245000`. */
  readonly version: string;
  /** Numbers only, for `kubeVersion` constraints: `v1.33.4`. */
  readonly normalized: string;
  readonly major: string;
  readonly minor: string;
}

/** Reads a Kubernetes version; undefined when it is none. Source: k8s.io/apimachinery@0.35 util/version ParseGeneric. */
export function parseKubeVersion(text: string): KubeVersion | undefined {
  const match = /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)((?:\.(?:0|[1-9]\d*))*)(?![\d])/.exec(text.trim());
  if (match === null) return undefined;
  const [, major = '', minor = '', rest = ''] = match;
  const version = text.startsWith('v') ? text : `v${text}`;
  return { version, normalized: `v${major}.${minor}${rest === '' ? '.0' : rest}`, major, minor };
}

/** The version for which Helm's client was built; it stands where no cluster is asked. Source: helm@4.1.4 go.mod. */
export const DEFAULT_KUBE_VERSION: KubeVersion = {
  version: 'v1.35.0',
  normalized: 'v1.35.0',
  major: '1',
  minor: '35',
};

/** API versions that Helm's client knows, in its order: its `.Capabilities.APIVersions` where no cluster is asked. */
export const DEFAULT_API_VERSIONS: readonly string[] = [
  'v1',
  ...versions('admissionregistration.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('internal.apiserver.k8s.io', 'v1alpha1'),
  ...versions('apps', 'v1', 'v1beta1', 'v1beta2'),
  ...versions('authentication.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('authorization.k8s.io', 'v1', 'v1beta1'),
  ...versions('autoscaling', 'v1', 'v2', 'v2beta1', 'v2beta2'),
  ...versions('batch', 'v1', 'v1beta1'),
  ...versions('certificates.k8s.io', 'v1', 'v1beta1', 'v1alpha1'),
  ...versions('coordination.k8s.io', 'v1alpha2', 'v1beta1', 'v1'),
  ...versions('discovery.k8s.io', 'v1', 'v1beta1'),
  ...versions('events.k8s.io', 'v1', 'v1beta1'),
  ...versions('extensions', 'v1beta1'),
  ...versions('flowcontrol.apiserver.k8s.io', 'v1', 'v1beta1', 'v1beta2', 'v1beta3'),
  ...versions('networking.k8s.io', 'v1', 'v1beta1'),
  ...versions('node.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('policy', 'v1', 'v1beta1'),
  ...versions('rbac.authorization.k8s.io', 'v1', 'v1beta1', 'v1alpha1'),
  ...versions('resource.k8s.io', 'v1', 'v1beta2', 'v1beta1', 'v1alpha3'),
  ...versions('scheduling.k8s.io', 'v1alpha1', 'v1beta1', 'v1'),
  ...versions('storage.k8s.io', 'v1beta1', 'v1', 'v1alpha1'),
  ...versions('storagemigration.k8s.io', 'v1beta1'),
  ...versions('apiextensions.k8s.io', 'v1beta1', 'v1'),
];

function versions(group: string, ...names: readonly string[]): readonly string[] {
  return names.map((name) => `${group}/${name}`);
}
