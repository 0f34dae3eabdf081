/** A tree of kustomizations, path -> text; what is built is its root. */
export type Tree = Readonly<Record<string, string>>;

const PATCHES = 50;

/** What most people build: a base with an overlay. */
export function small(): Tree {
  return {
    'kustomization.yaml': [
      'namespace: prod',
      'namePrefix: prod-',
      'resources: [base]',
      'images: [{name: nginx, newTag: "9"}]',
      'configMapGenerator: [{name: settings, literals: [mode=prod]}]',
      'patches:',
      patch(0),
    ].join('\n'),
    'base/kustomization.yaml':
      'resources: [web.yaml, config.yaml]\nlabels: [{pairs: {team: x}, includeSelectors: true}]\n',
    'base/web.yaml': deployment(0),
    'base/config.yaml': configMap(1),
  };
}

/** `size` ConfigMaps and Deployments with a prefix, labels, an image and patches, in one file or `split` into one each. */
export function overlay(size: number, split = false): Tree {
  const resources = Array.from({ length: size }, (_, index) =>
    index % 2 === 0 ? deployment(index) : configMap(index),
  );
  const files = split
    ? Object.fromEntries(resources.map((text, index) => [`r${index}.yaml`, text]))
    : { 'all.yaml': resources.join('---\n') };
  return {
    'kustomization.yaml': [
      'namePrefix: p-',
      `resources: [${Object.keys(files).join(', ')}]`,
      'labels: [{pairs: {team: x}, includeSelectors: true}]',
      'images: [{name: nginx, newTag: "9"}]',
      'patches:',
      ...Array.from({ length: PATCHES }, (_, index) => patch(index * 2)),
    ].join('\n'),
    ...files,
  };
}

/**
 * `count` overlays of one base, beside each other or each over the one before. Each has a ConfigMap of its own and an annotation
 * for all, or does no more than rename.
 */
export function overlays(count: number, shape: 'wide' | 'deep', renamesOnly = false): Tree {
  const tree: Record<string, string> = {
    'base/kustomization.yaml': 'resources: [web.yaml, config.yaml]\n',
    'base/web.yaml': deployment(0),
    'base/config.yaml': configMap(1),
  };
  for (let index = 1; index < count; index++) {
    const below = shape === 'wide' || index === 1 ? 'base' : `overlay-${index - 1}`;
    if (renamesOnly) {
      tree[`overlay-${index}/kustomization.yaml`] = `resources: [../${below}]\nnamePrefix: o${index}-\n`;
      continue;
    }
    tree[`overlay-${index}/own.yaml`] = configMap(1000 + index);
    tree[`overlay-${index}/kustomization.yaml`] =
      `resources: [../${below}, own.yaml]\nnamePrefix: o${index}-\ncommonAnnotations: {a${index}: x}\n`;
  }
  const over =
    shape === 'wide'
      ? Array.from({ length: count - 1 }, (_, index) => `overlay-${index + 1}`)
      : [`overlay-${count - 1}`];
  tree['kustomization.yaml'] = `resources: [${over.join(', ')}]\nnamePrefix: top-\n`;
  return tree;
}

/** One multi-document file of 50 MB: 500 ConfigMaps of 100 KB. */
export function fileOf50Mb(): Tree {
  const lines = Array.from({ length: 1000 }, (_, line) => `  line-${line}: "${'x'.repeat(80)}"`).join('\n');
  const documents = Array.from(
    { length: 515 },
    (_, index) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-${index}\ndata:\n${lines}\n`,
  );
  return { 'kustomization.yaml': 'resources: [all.yaml]\n', 'all.yaml': documents.join('---\n') };
}

function configMap(index: number): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: config-${index}
data:
  key: value-${index}
`;
}

function deployment(index: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-${index}
spec:
  selector:
    matchLabels:
      app: web-${index}
  template:
    metadata:
      labels:
        app: web-${index}
    spec:
      containers:
      - name: main
        image: nginx:1.2
        envFrom:
        - configMapRef:
            name: config-${index + 1}
`;
}

function patch(index: number): string {
  return `- patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web-${index}}, spec: {replicas: 5}}'`;
}
