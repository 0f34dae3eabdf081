import type { KubeObject } from '../../src/api/object.ts';
import { at, type Json, stringAt } from '../../src/base/json.ts';

/** Where everything of the bench lies. */
export const NAMESPACE = 'bench';
export const KUSTOMIZATION = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' } as const;
export const REPOSITORY = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' } as const;
/** Label of what a Kustomization applied. */
export const OWNED = 'kustomize.toolkit.fluxcd.io/name';

export type Place = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
};

export function repository(url: string): KubeObject {
  return {
    ...REPOSITORY,
    metadata: { name: 'repo', namespace: NAMESPACE },
    spec: { interval: '60m', url: `${url}/bench.git`, ref: { branch: 'main' } },
  };
}

/** One that applies the five objects of a folder, under names of its own. */
export function kustomization(name: string, path: string): KubeObject {
  return {
    ...KUSTOMIZATION,
    metadata: { name, namespace: NAMESPACE },
    spec: {
      interval: '60m',
      path: `./apps/${path}`,
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'repo' },
      targetNamespace: NAMESPACE,
      postBuild: { substitute: { name } },
    },
  };
}

/** Files of a folder: five objects that all tell the note. */
export function folderFiles(note: string): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(Object.entries(OBJECTS).map(([file, text]) => [file, text(note)])),
    ...configFile(note),
  };
}

/** The ConfigMap alone. */
export function configFile(note: string): Readonly<Record<string, string>> {
  return { 'config.yaml': CONFIG(note) };
}

export function isApplied(status: Json | undefined, revision: string): boolean {
  const conditions = at(status, 'conditions');
  const ready = Array.isArray(conditions)
    ? conditions.find((item: Json) => stringAt(item, 'type') === 'Ready')
    : undefined;
  return stringAt(ready, 'status') === 'True' && stringAt(status, 'lastAppliedRevision') === revision;
}

export function dataOf(object: KubeObject, key: string): string | undefined {
  return stringAt(object as unknown as Json, 'data', key);
}

// oxlint-disable no-template-curly-in-string -- these are postBuild's
const CONFIG = (note: string): string =>
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}-config\ndata:\n  name: "${name}"\n' +
  `  note: ${note}\n`;

const noted = (note: string): string => `  annotations:\n    note: ${note}\n`;

const OBJECTS: Readonly<Record<string, (note: string) => string>> = {
  'account.yaml': (note) => `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: \${name}\n${noted(note)}`,
  'service.yaml': (note) =>
    `apiVersion: v1\nkind: Service\nmetadata:\n  name: \${name}\n${noted(note)}spec:\n  selector:\n    app: \${name}\n  ports:\n    - port: 80\n      targetPort: 8080\n`,
  'deployment.yaml': (note) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: \${name}\n${noted(note)}spec:\n  replicas: 0\n  selector:\n    matchLabels:\n      app: \${name}\n  template:\n    metadata:\n      labels:\n        app: \${name}\n    spec:\n      serviceAccountName: \${name}\n      containers:\n        - name: app\n          image: example/app:1\n          envFrom:\n            - configMapRef:\n                name: \${name}-config\n`,
  'ingress.yaml': (note) =>
    `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: \${name}\n${noted(note)}spec:\n  rules:\n    - host: \${name}.example.com\n      http:\n        paths:\n          - path: /\n            pathType: Prefix\n            backend:\n              service:\n                name: \${name}\n                port:\n                  number: 80\n`,
};
// oxlint-enable no-template-curly-in-string
