const cm = (name: string, data = '{a: "1"}', more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: apps${more}}\ndata: ${data}\n`;
const ks = (name: string, path: string): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: flux-system}
spec: {interval: 10m, path: ${path}, prune: true, sourceRef: {kind: GitRepository, name: fleet}}
`;
const sops = 'sops: {version: 3.9.0, mac: "ENC[AES256_GCM,data:a,type:str]"}';

/** Local files that both programs build and compare with the cluster. */
export const FOLDER: Readonly<Record<string, string>> = {
  'plain/a.yaml': cm('a'),
  'plain/b.yaml': `${cm('b', '{multi: "x\\ny\\n"}')}---\napiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: apps}\nspec: {ports: [{port: 80}]}\n`,
  'nested/ks.yaml': `${ks('inner', './inner')}---\n${ks('inner-too', './inner-too')}---\n${cm('beside')}`,
  'inner/cm.yaml': cm('inner'),
  'inner-too/ks.yaml': ks('innermost', './plain'),
  'sealed/a.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: apps}\ndata: {a: RU5DWw==}\nstringData: {b: x}\n${sops}\n`,
  'sealed/b.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: d, namespace: apps}\ntype: kubernetes.io/dockerconfigjson\ndata: {.dockerconfigjson: RU5DWw==}\n${sops}\n`,
  'kustomized/kustomization.yaml': 'namePrefix: p-\nresources: [a.yaml]\nimages: [{name: x, newTag: "2"}]\n',
  'kustomized/a.yaml': cm('a'),
  'variables/a.yaml': cm('v', '{r: "${region}", d: "${none:=def}", n: "${nope}"}'),
  'skipped/a.yaml': cm('skipped', '{a: "1"}', ', annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}'),
  'new-namespace/a.yaml':
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: fresh}\n',
  'new-kind/a.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  names: {kind: Gadget, plural: gadgets}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: g, namespace: apps}
`,
  'broken/a.yaml': 'not: [valid\n',
  'many.yaml': `${ks('first', './x')}---\n${ks('many', './plain')}---\n${ks('many', './other')}`,
};

/** A tree without the circle that the golden rows' cluster has: Flux walks that one for ever. */
export const NEST = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: nest, namespace: flux-system}
spec: {interval: 10m, path: ./, prune: true, sourceRef: {kind: GitRepository, name: fleet}}
status:
  inventory:
    entries:
    - {id: _apps__Namespace, v: v1}
    - {id: _system__aggregate_rbac.authorization.k8s.io_ClusterRole, v: v1}
    - {id: flux-system_leaf_kustomize.toolkit.fluxcd.io_Kustomization, v: v1}
    - {id: flux-system_nest_kustomize.toolkit.fluxcd.io_Kustomization, v: v1}
    - {id: flux-system_fleet_source.toolkit.fluxcd.io_GitRepository, v: v1}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: leaf, namespace: flux-system}
spec: {interval: 10m, path: ./, prune: true, sourceRef: {kind: GitRepository, name: fleet}}
status:
  inventory:
    entries:
    - {id: apps_web_apps_Deployment, v: v1}
    - {id: apps_a_kustomize.toolkit.fluxcd.io_Other, v: v1}
`;
