import { describe, expect, it } from 'vitest';
import { type Json, type JsonObject, stringAt } from '../../base/json.ts';
import { decodeProtobuf } from '../../engine/protobuf/decode.ts';
import { applyBuiltinDefaults } from '../../engine/schema/builtin-defaults.ts';
import { validateBuiltin } from '../../engine/schema/builtin-validation/registry.ts';
import { decodeGo } from '../../engine/schema/go-decode.ts';
import { bootstrapRbac, builtinSchema, definitionName, protobufMessages, resolveBuiltin } from './builtins.ts';

function read(value: JsonObject): JsonObject | string {
  const definition = definitionName(stringAt(value, 'apiVersion') ?? '', stringAt(value, 'kind') ?? '') ?? '';
  const decoded = decodeGo(value, definition, resolveBuiltin);
  return decoded.ok ? applyBuiltinDefaults(decoded.value.value) : decoded.error.message;
}
const pod = (container: Json, spec: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [container], ...spec },
});

describe('built-in kinds', () => {
  it('know their schemas and the first cluster roles', () => {
    expect(builtinSchema('apps/v1', 'Deployment')?.properties?.['spec']).toBeDefined();
    expect(builtinSchema('apps/v1', 'Nothing')).toBeUndefined();
    expect(bootstrapRbac().map(({ metadata }) => metadata.name)).toContain('cluster-admin');
  });

  it.each<[string, JsonObject, string]>([
    [
      'a string for a struct',
      { apiVersion: 'v1', kind: 'Pod', spec: 'x' },
      'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec',
    ],
    [
      'a string for a number deep inside',
      pod({ ports: [{ containerPort: '80' }] }),
      'json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
    ],
    [
      'a fraction',
      { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'what is no base64',
      { apiVersion: 'v1', kind: 'Secret', data: { a: 'abc!' } },
      'illegal base64 data at input byte 3',
    ],
  ])('refuse %s in the words of Go', (_what, value, message) => {
    expect(read(value)).toBe(message);
  });

  it('are defaulted as in a real server', () => {
    const read1 = read({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
    expect(read1).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: {
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        type: 'ClusterIP',
        sessionAffinity: 'None',
        internalTrafficPolicy: 'Cluster',
      },
      status: { loadBalancer: {} },
    });
  });

  it.each<[string, JsonObject, string[]]>([
    ['an image is missing', pod({ name: 'c' }), ['spec.containers[0].image: Required value']],
    [
      'a mount has no volume',
      pod({ name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ],
    [
      'a request is above its limit',
      pod({ name: 'c', image: 'i', resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
      ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [
      'a policy is unknown',
      pod({ name: 'c', image: 'i' }, { restartPolicy: 'Maybe' }),
      ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"'],
    ],
  ])('are refused when %s', (_what, value, expected) => {
    const object = read(value);
    expect(
      typeof object === 'string' ? object : validateBuiltin(object).map(({ field, message }) => `${field}: ${message}`),
    ).toEqual(expected);
  });

  it('keep what may not change', () => {
    const map = (data: JsonObject): JsonObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c' },
      immutable: true,
      data,
    });
    expect(validateBuiltin(map({ a: '2' }), map({ a: '1' }))).toMatchObject([
      { field: 'data', reason: 'FieldValueForbidden' },
    ]);
  });
});

describe('definitions of custom resources', () => {
  const definition = (schema: JsonObject): JsonObject => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'ws.g.io' },
    spec: {
      group: 'g.io',
      scope: 'Namespaced',
      names: { plural: 'ws', singular: 'w', kind: 'W', listKind: 'WList' },
      conversion: { strategy: 'None' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  });
  it.each<[string, JsonObject, string[]]>([
    ['fit', { type: 'object' }, []],
    [
      'need types',
      { type: 'object', properties: { a: {} } },
      [
        'spec.validation.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields',
      ],
    ],
    [
      'need rules that compile',
      { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.zz', message: 'm' }] },
      [
        `spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.zz","Message":"m","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'zz'\n | self.zz\n | ....^`,
      ],
    ],
  ])('%s', (_what, schema, expected) => {
    const extra =
      schema['x-kubernetes-validations'] === undefined ? schema : { ...schema, properties: { a: { type: 'string' } } };
    expect(validateBuiltin(definition(extra)).map(({ field, message }) => `${field}: ${message}`)).toEqual(expected);
  });
});

describe('protobuf', () => {
  const text = (value: string): number[] => Array.from(value).map((char) => char.charCodeAt(0));
  const block = (field: number, bytes: readonly number[]): number[] => [(field << 3) | 2, bytes.length, ...bytes];
  const body = [
    ...text('k8s\0'),
    ...block(1, [...block(1, text('v1')), ...block(2, text('ConfigMap'))]),
    ...block(2, [...block(1, block(1, text('n'))), ...block(2, [...block(1, text('k')), ...block(2, text('v'))])]),
  ];
  it('reads an envelope', () => {
    const decoded = decodeProtobuf(Uint8Array.from(body), protobufMessages());
    expect(decoded.ok && decoded.value.object).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'n' },
      data: { k: 'v' },
    });
  });

  it('refuses every truncation without a crash', () => {
    for (let length = 0; length < body.length; length++) {
      const decoded = decodeProtobuf(Uint8Array.from(body.slice(0, length)), protobufMessages());
      expect(decoded.ok ? JSON.stringify(decoded.value.object).length < 200 : decoded.error.message).toBeTruthy();
    }
    expect(decodeProtobuf(Uint8Array.from(body.slice(0, -1)), protobufMessages())).toMatchObject({
      ok: false,
      error: { message: 'unexpected EOF' },
    });
  });

  it('refuses a length beyond the body', () => {
    const decoded = decodeProtobuf(Uint8Array.from([...text('k8s\0'), 10, 255, 255, 255, 255, 15]), protobufMessages());
    expect(decoded).toMatchObject({ ok: false, error: { code: 'syntax' } });
  });
});
