import { type CelEnvironment, compileCel } from '../../engine/cel/cel.ts';
import { BOOL, type CelType, DYN, INT, list, map, opaque, STRING, struct, TIMESTAMP } from '../../engine/cel/types.ts';

/** Which optional variables a policy's expressions may name. */
export interface Declared {
  readonly params: boolean;
  readonly authorizer: boolean;
  /** Expressions make `Object` and `JSONPatch`. Variables' never do. */
  readonly mutation?: boolean;
  /** In order: each may name those before it. Without any there is no `variables` at all. */
  readonly variables: readonly { readonly name: string; readonly expression: string }[] | undefined;
}

const STRINGS = list(STRING);
const KIND = struct('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING });
const RESOURCE = struct('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING });

/** Source: kubernetes@1.34 apiserver/pkg/admission/plugin/cel/compile.go BuildRequestType. */
const REQUEST = struct('kubernetes.AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: struct('kubernetes.UserInfo', {
    username: STRING,
    uid: STRING,
    groups: STRINGS,
    extra: map(STRING, STRINGS),
  }),
  dryRun: BOOL,
  options: DYN,
});

/** Source: the same, BuildNamespaceType. */
const NAMESPACE = struct('kubernetes.Namespace', {
  metadata: struct('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: map(STRING, STRING),
    annotations: map(STRING, STRING),
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: STRINGS,
  }),
  spec: struct('kubernetes.NamespaceSpec', { finalizers: STRINGS }),
  status: struct('kubernetes.NamespaceStatus', {
    conditions: list(
      struct('kubernetes.NamespaceCondition', {
        status: STRING,
        type: STRING,
        lastTransitionTime: TIMESTAMP,
        message: STRING,
        reason: STRING,
      }),
    ),
    phase: STRING,
  }),
});

/** Variables of admission expressions and their types; `types` replaces `dyn` where the objects' kinds are known. */
export function admissionEnvironment(
  declared: Declared,
  types: { readonly object?: CelType; readonly params?: CelType } = {},
): CelEnvironment {
  const object = types.object ?? DYN;
  const base: { [name: string]: CelType } = { object, oldObject: object, request: REQUEST, namespaceObject: NAMESPACE };
  if (declared.params) base['params'] = types.params ?? DYN;
  if (declared.authorizer) {
    base['authorizer'] = opaque('kubernetes.authorization.Authorizer');
    base['authorizer.requestResource'] = opaque('kubernetes.authorization.ResourceCheck');
  }
  const libraries = declared.mutation === true ? 'mutations' : 'kubernetes';
  if (declared.variables === undefined) return { variables: base, libraries };
  const fields: { [name: string]: CelType } = {};
  const variables = { ...base, variables: struct('kubernetes.variables', fields) };
  for (const { name, expression } of declared.variables) {
    const compiled = compileCel(expression, { variables, libraries: 'kubernetes' });
    fields[name] = compiled.ok ? declarable(compiled.value.type) : DYN;
  }
  return { variables, libraries };
}

/** Of a variable's type only what a declaration can say is kept. Source: the same package, composition.go convertCelTypeToDeclType. */
function declarable(type: CelType): CelType {
  switch (type.kind) {
    case 'list':
      return list(declarable(type.item));
    case 'map':
      return map(declarable(type.key), declarable(type.value));
    case 'simple':
      return DECLARABLE.has(type.name) ? type : DYN;
    case 'struct':
    case 'object':
      return type;
    default:
      return DYN;
  }
}

const DECLARABLE = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'null', 'string', 'timestamp', 'uint']);
