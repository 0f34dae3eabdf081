/** The files that the recorded commands read, written anew after what the commands say about them. */

const deployment = (replicas: number): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: w, labels: {app: w}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: w}}
  template:
    metadata: {labels: {app: w}}
    spec: {containers: [{name: c, image: "nginx:1"}]}
`;

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kustomizations.kustomize.toolkit.fluxcd.io}
spec:
  group: kustomize.toolkit.fluxcd.io
  scope: Namespaced
  names: {kind: Kustomization, listKind: KustomizationList, plural: kustomizations, singular: kustomization, shortNames: [ks]}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      additionalPrinterColumns:
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
        - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
        - {name: Status, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].message'}
      schema:
        openAPIV3Schema:
          type: object
          description: Kustomization is the Schema for the kustomizations API.
          properties:
            spec:
              type: object
              description: What to build and where to apply it.
              required: [interval, prune, sourceRef]
              properties:
                interval: {type: string, description: How often to reconcile.}
                path: {type: string}
                prune: {type: boolean}
                sourceRef:
                  type: object
                  required: [kind, name]
                  properties: {kind: {type: string}, name: {type: string}}
            status:
              type: object
              properties:
                conditions:
                  type: array
                  items:
                    type: object
                    properties: {type: {type: string}, status: {type: string}, message: {type: string}}
`;

const kustomization = (extra: string): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: k, namespace: default}
spec: {interval: 1m, prune: true, path: ./, sourceRef: {kind: GitRepository, name: g}${extra}}
`;

/** Text by path. */
export const INPUTS: Readonly<Record<string, string>> = {
  'dep.yaml': deployment(1),
  'dep2.yaml': deployment(2),
  'crd.yaml': DEFINITION,
  'ks-unknown.yaml': kustomization(', bogus: 1'),
  'ks-known.yaml': kustomization(''),
  'chart/Chart.yaml': 'apiVersion: v2\nname: tiny\nversion: 0.1.0\n',
  'chart/values.yaml': 'v: one\n',
  'chart/templates/cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-cm}
data:
  v: {{ .Values.v | quote }}
  there: {{ lookup "v1" "ConfigMap" .Release.Namespace "nope" | empty | quote }}
`,
  'chart/templates/svc.yaml': `apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-svc}
spec: {selector: {app: tiny}, ports: [{port: 80}]}
`,
};
