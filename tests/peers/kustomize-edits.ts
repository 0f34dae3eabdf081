/** Kustomizations that people may have, by name; undefined: there is none yet. */
export const KUSTOMIZATIONS: Readonly<Record<string, string | undefined>> = {
  plain: 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- a.yaml\n',
  comments:
    '# top\nnamePrefix: p-\n\n# res\nresources:\n# one\n- a.yaml # inline\n- b.yaml\n\n# images here\nimages:\n- name: nginx\n  newTag: "1"\n# end\n',
  full: `resources:
- a.yaml
- base
commonLabels:
  app: x
  team: yy
commonAnnotations:
  note: nn
namespace: old
nameSuffix: -s
configMapGenerator:
- name: cm
  literals:
  - a=1
  - b=2
- name: cmns
  namespace: ns1
  literals: [x=y]
secretGenerator:
- name: sec
  type: Opaque
  literals:
  - p=w
patches:
- path: p.yaml
- patch: |-
    - op: add
      path: /x
      value: 1
  target:
    kind: Deployment
replicas:
- name: web
  count: 2
buildMetadata: [originAnnotations]
generators: [g.yaml]
transformers: [t.yaml]
components: [comp]
`,
  labels: 'resources: [a.yaml]\nlabels:\n- pairs:\n    app: z\n  includeSelectors: true\n- pairs:\n    q: r\n',
  old: `bases:
- base
resources:
- a.yaml
patchesStrategicMerge:
- p.yaml
- |-
  apiVersion: v1
  kind: ConfigMap
  metadata:
    name: a
patchesJson6902:
- path: j.yaml
  target: {version: v1, kind: ConfigMap, name: a}
imageTags:
- name: nginx
  newTag: v1
configMapGenerator:
- name: e
  env: e.env
commonLabels: {k: v}
vars:
- name: V
  objref: {kind: ConfigMap, name: a, apiVersion: v1}
  fieldref: {fieldpath: metadata.name}
`,
  empty: '',
  broken: 'resources: [a\n',
  unknown: 'resources: [a.yaml]\nfoo: bar\n',
  component: 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [a.yaml]\n',
  'carriage returns': 'resources:\r\n- a.yaml\r\n',
  none: undefined,
};

const object = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: {v: $(V)}\n`;
const plugin = (kind: string, name: string): string =>
  `apiVersion: builtin\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

/** What lies beside them. */
export const FILES: Readonly<Record<string, string>> = {
  'a.yaml': object('a'),
  'b.yaml': object('b'),
  'c.yaml': object('c'),
  'p.yaml': object('a'),
  'sub/deep/d.yaml': object('d'),
  'j.yaml': '- {op: add, path: /x, value: 1}\n',
  'e.env': 'A=1\n',
  'f.txt': 'hi\n',
  'g.yaml': plugin('ConfigMapGenerator', 'g'),
  't.yaml': plugin('LabelTransformer', 't'),
  't2.yaml': plugin('LabelTransformer', 't2'),
  'base/kustomization.yaml': 'resources: []\nnamePrefix: x\n',
  'base2/kustomization.yaml': 'namePrefix: x\n',
  'comp/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n',
  'notes.md': 'x',
  'nok.yaml': 'a: b\n',
};

/** Command lines; single quotes hold words together. */
export const EDITS: readonly string[] = `
edit add annotation k:v
edit add annotation k:v,l:w
edit add annotation note:z
edit add annotation -f note:z
edit add annotation
edit add annotation k
edit add annotation a:b c:d
edit add annotation :v
edit add annotation 'k:a b'
edit add annotation k:v:w
edit add base base2
edit add base base
edit add base nope
edit add base base,base2
edit add base
edit add buildmetadata managedByLabel
edit add buildmetadata originAnnotations
edit add buildmetadata bogus
edit add buildmetadata managedByLabel,transformerAnnotations
edit add buildmetadata
edit add component comp
edit add component nope
edit add component
edit add component sub/*
edit add configmap n --from-literal=a=b
edit add configmap cm --from-literal=a=b
edit add configmap cm --from-literal=c=d
edit add configmap n --from-file=f.txt
edit add configmap n --from-file=key=f.txt
edit add configmap n --from-file=*.yaml
edit add configmap n --from-env-file=e.env
edit add configmap n --from-env-file=nope.env
edit add configmap n --from-file=nope
edit add configmap n
edit add configmap
edit add configmap n --from-literal=a
edit add configmap n --from-literal=a=b --behavior=merge --disableNameSuffixHash
edit add configmap n --from-literal=a=b --behavior=bogus
edit add configmap n --from-literal=a=b,c=d
edit add configmap n --from-literal=a=b --namespace=ns1
edit add configmap cm --from-literal=z=1 --namespace=default
edit add configmap n --from-literal='a="b c"'
edit add configmap n --from-env-file=e.env --from-file=f.txt
edit add configmap a b --from-literal=a=b
edit add generator g.yaml
edit add generator nope.yaml
edit add generator t.yaml
edit add generator
edit add label k:v
edit add label app:q
edit add label -f app:q
edit add label k:v --without-selector
edit add label k:v --without-selector --include-templates
edit add label k:v --include-templates
edit add label q:n --without-selector
edit add label q:n --without-selector -f
edit add label
edit add label bad
edit add label k:v,l:w
edit add patch --path p.yaml
edit add patch --path p.yaml --kind Deployment
edit add patch --patch '- op: add' --name x
edit add patch --path nope.yaml
edit add patch
edit add patch --path p.yaml --patch x
edit add patch --path p.yaml --group apps --version v1 --kind Deployment --name web --namespace ns --label-selector a=b --annotation-selector c=d
edit add patch --kind Deployment
edit add patch p.yaml
edit add patch --path j.yaml
edit add resource b.yaml
edit add resource a.yaml
edit add resource b.yaml c.yaml
edit add resource *.yaml
edit add resource nope.yaml
edit add resource
edit add resource --no-verify nope.yaml
edit add resource base2
edit add resource ./b.yaml
edit add resource sub/deep/d.yaml
edit add resource ./kustomization.yaml
edit add resource https://example.com/x.yaml --no-verify
edit add secret s --from-literal=a=b
edit add secret s --from-literal=a=b --type=kubernetes.io/tls
edit add secret sec --from-literal=q=r
edit add secret sec --from-literal=p=r
edit add secret s --from-file=f.txt --namespace=x
edit add secret s
edit add secret
edit add transformer t2.yaml
edit add transformer t.yaml
edit add transformer g.yaml
edit add transformer nope.yaml
edit add transformer
edit add bogus
edit add
edit set annotation k:v
edit set annotation note:z
edit set annotation note:
edit set annotation
edit set annotation a
edit set buildmetadata managedByLabel
edit set buildmetadata bogus
edit set buildmetadata originAnnotations,managedByLabel
edit set buildmetadata
edit set configmap cm --from-literal=a=9
edit set configmap cm --from-literal=z=9
edit set configmap nope --from-literal=a=9
edit set configmap cmns --namespace=ns1 --from-literal=x=9
edit set configmap cmns --namespace=ns1 --new-namespace=ns2
edit set configmap cm --new-namespace=ns2
edit set configmap cm
edit set configmap
edit set image nginx=nginx:2
edit set image nginx:2
edit set image nginx=other
edit set image nginx=other:tag@sha256:abc
edit set image nginx@sha256:abc
edit set image nginx=*:3
edit set image nginx=*
edit set image a=b c=d:1
edit set image
edit set image nginx
edit set image 'nginx=:'
edit set image registry:5000/app=x/y:1
edit set image *=foo:1
edit set image app:1.0 app2=foo@sha256:1234567890123456789012345678901234567890123456789012345678901234
edit set label k:v
edit set label app:q
edit set label k:v,l:w
edit set label bad
edit set label
edit set label k:v --without-selector
edit set nameprefix x-
edit set nameprefix
edit set nameprefix a b
edit set nameprefix -- -x
edit set namesuffix -- -x
edit set namesuffix x
edit set namesuffix -x
edit set namespace n
edit set namespace
edit set namespace Bad_Name
edit set namespace a b
edit set replicas web=5
edit set replicas web=5 db=1
edit set replicas web
edit set replicas web=x
edit set replicas web=-1
edit set replicas
edit set replicas =1
edit set secret sec --from-literal=p=9
edit set secret sec --from-literal=q=9
edit set secret nope --from-literal=p=9
edit set secret sec --new-namespace=q
edit remove annotation note
edit remove annotation nope
edit remove annotation -i nope
edit remove annotation
edit remove annotation note,nope
edit remove buildmetadata originAnnotations
edit remove buildmetadata managedByLabel
edit remove buildmetadata bogus
edit remove buildmetadata
edit remove configmap cm
edit remove configmap cmns --namespace=ns1
edit remove configmap cmns
edit remove configmap nope
edit remove configmap
edit remove configmap cm,cmns
edit remove label app
edit remove label nope
edit remove label -i nope
edit remove label app,team
edit remove label q
edit remove label
edit remove patch --path p.yaml
edit remove patch --path nope.yaml
edit remove patch --path p.yaml --kind X
edit remove patch
edit remove patch --patch x
edit remove resource a.yaml
edit remove resource *.yaml
edit remove resource nope.yaml
edit remove resource
edit remove resource a.yaml base
edit remove secret sec
edit remove secret nope
edit remove transformer t.yaml
edit remove transformer nope.yaml
edit remove transformer
edit fix
edit fix --vars
edit fix x
edit bogus
edit set
edit remove
edit set bogus
edit remove bogus
create
create --autodetect
create --autodetect --recursive
create --resources a.yaml
create --resources a.yaml,b.yaml --namespace n --nameprefix p --namesuffix s
create --resources nope.yaml
create --labels a:b,c:d --annotations e:f
create --labels bad
create --annotations a:b:c
create --resources *.yaml
create --namespace n
create --resources a.yaml --autodetect
`
  .trim()
  .split('\n');
