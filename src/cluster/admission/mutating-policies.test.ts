import { afterEach, describe, expect, it } from 'vitest';
import { at, field, isArray, type Json, type JsonObject, parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';

/** Answers as kube-apiserver 1.34.1 gave them to the same policies and requests, with its flags for these kinds. */

let plane: ControlPlane | undefined;
afterEach(async () => {
  await plane?.stop();
  plane = undefined;
});

const VERSION = 'admissionregistration.k8s.io/v1beta1';
const ON = { featureGates: { MutatingAdmissionPolicy: true }, runtimeConfig: { [VERSION]: true } };
const POLICIES = `/apis/${VERSION}/mutatingadmissionpolicies`;
const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';

async function call(method: string, path: string, body?: Json): Promise<Json> {
  const response = await (plane as ControlPlane).handler({
    method,
    path,
    headers: { 'user-agent': 'test/1', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: new TextEncoder().encode(stringifyJson(body)) }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return parseJson(Buffer.concat(chunks).toString());
}

const apply = (expression: string): JsonObject => ({
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression },
});
const patch = (expression: string): JsonObject => ({ patchType: 'JSONPatch', jsonPatch: { expression } });
const rule = (resource: string): JsonObject => ({
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [resource] }],
});

const policyOf = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: VERSION,
  kind: 'MutatingAdmissionPolicy',
  metadata: { name },
  spec: { matchConstraints: rule('configmaps'), reinvocationPolicy: 'Never', ...spec },
});

async function install(name: string, spec: JsonObject, binding: JsonObject = {}): Promise<void> {
  const made = await call('POST', POLICIES, policyOf(name, spec));
  expect(stringAt(made, 'kind'), stringAt(made, 'message')).toBe('MutatingAdmissionPolicy');
  const bound = await call('POST', `/apis/${VERSION}/mutatingadmissionpolicybindings`, {
    apiVersion: VERSION,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, ...binding },
  });
  expect(stringAt(bound, 'kind'), stringAt(bound, 'message')).toBe('MutatingAdmissionPolicyBinding');
}

const configMap = (name: string, data: JsonObject, labels: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});
const pod: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a' },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i' }] },
};

const DENIED = "policy 'p' with binding 'p' denied request: ";

/** The ConfigMap's data, or why it was refused without what names the policy. */
async function mutated(spec: JsonObject, binding?: JsonObject): Promise<Json | undefined> {
  plane = await createControlPlane(ON);
  await call('POST', MAPS, configMap('one', { v: 'first' }, { role: 'param' }));
  await call('POST', MAPS, configMap('two', { v: 'second' }, { role: 'param' }));
  await install('p', spec, binding);
  const answer = await call('POST', `${MAPS}?dryRun=All`, configMap('x', { a: '1' }));
  const message = stringAt(answer, 'message');
  return message === undefined ? field(answer, 'data') : message.replace(DENIED, '');
}

const NOT_TYPED = 'error applying patch: failed to convert patch object to typed object: ';
const ATOMIC = 'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ';

describe('what a mutation does', () => {
  it.each<[string, JsonObject, Json]>([
    ['merges an Object', apply('Object{data: {"b": "2"}}'), { a: '1', b: '2' }],
    ['leaves an empty Object out', apply('Object{}'), { a: '1' }],
    ['takes optional fields', apply('Object{?data: optional.none()}'), { a: '1' }],
    [
      'reads the request',
      apply('Object{data: {"o": request.operation, "n": string(oldObject == null)}}'),
      { a: '1', n: 'true', o: 'CREATE' },
    ],
    ['refuses a field that is not there', apply('Object{foo: "b"}'), `${NOT_TYPED}.foo: field not declared in schema`],
    [
      'refuses another type',
      apply('Object{data: {"b": 2}}'),
      `${NOT_TYPED}.data.b: expected string, got &value.valueUnstructured{Value:2}`,
    ],
    ['refuses a null', apply('Object{data: null}'), `${NOT_TYPED}.data: expected map, got &{NULL_VALUE}`],
    [
      'refuses a duration',
      apply('Object{data: {"b": duration("90s")}}'),
      `${NOT_TYPED}.data.b: expected string, got &value.valueUnstructured{Value:90000000000}`,
    ],
    ['refuses other keys than texts', apply('Object{data: {1: "b"}}'), 'invalid return type: *dynamic.ObjectVal'],
    [
      'refuses an atomic list',
      apply('Object{metadata: Object.metadata{ownerReferences: [Object.metadata.ownerReferences{name: "p"}]}}'),
      `${ATOMIC}.metadata.ownerReferences[0]`,
    ],
    [
      'refuses a type at a wrong field',
      apply('Object{metadata: Object.spec{}}'),
      'type mismatch: unexpected type name "Object.spec", expected "Object.metadata", which matches field name path from root Object type',
    ],
    [
      'tells of a failed expression',
      apply('Object{data: {"b": object.data.zz}}'),
      `expression 'Object{data: {"b": object.data.zz}}' resulted in error: no such key: zz`,
    ],
    [
      'patches',
      patch('[JSONPatch{op: "add", path: "/data/b", value: "2"}, JSONPatch{op: "remove", path: "/data/a"}]'),
      { b: '2' },
    ],
    [
      'replaces what is not there',
      patch('[JSONPatch{op: "replace", path: "/data/z", value: "1"}]'),
      { a: '1', z: '1' },
    ],
    [
      'escapes a key',
      patch(
        '[JSONPatch{op: "add", path: "/data/" + (jsonpatch.escapeKey("x~y/z") == "x~0y~1z" ? "yes" : "no"), value: "1"}]',
      ),
      { a: '1', yes: '1' },
    ],
    [
      'does nothing after a failed test',
      patch('[JSONPatch{op: "test", path: "/data/a", value: "2"}, JSONPatch{op: "remove", path: "/data/a"}]'),
      { a: '1' },
    ],
    [
      'refuses a missing path',
      patch('[JSONPatch{op: "remove", path: "/data/zz"}]'),
      "JSON Patch: error in remove for path: '/data/zz': Unable to remove nonexistent key: zz: missing value",
    ],
    [
      'refuses an unknown operation',
      patch('[JSONPatch{op: "blah", path: "/data/a"}]'),
      'JSON Patch: Unexpected kind: blah',
    ],
    ['takes no operation for one', patch('[JSONPatch{path: "/data/a"}]'), 'JSON Patch: Unexpected kind: '],
    [
      'fails with a value that does not decode',
      patch('[JSONPatch{op: "add", path: "/data/b", value: 1}]'),
      'Internal error occurred: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
    [
      'fails with an unknown field',
      patch('[JSONPatch{op: "add", path: "/foo", value: "1"}]'),
      'Internal error occurred: strict decoding error: unknown field "foo"',
    ],
  ])('%s', async (_, mutation, answer) => {
    expect(await mutated({ mutations: [mutation] })).toEqual(answer);
  });

  it('shows each mutation what those before it made', async () => {
    const mutations = [
      apply('Object{data: {"b": object.data.a + "2"}}'),
      patch('[JSONPatch{op: "add", path: "/data/c", value: object.data.b + variables.v}]'),
    ];
    const variables = [{ name: 'v', expression: 'object.metadata.name' }];
    expect(await mutated({ mutations, variables })).toEqual({ a: '1', b: '12', c: '12x' });
  });

  it.each<[string, JsonObject, JsonObject, Json]>([
    [
      'goes on after a failure that is ignored',
      { failurePolicy: 'Ignore', mutations: [apply('Object{foo: "b"}'), apply('Object{data: {"b": "2"}}')] },
      {},
      { a: '1', b: '2' },
    ],
    [
      'leaves out what conditions exclude',
      {
        matchConditions: [{ name: 'c', expression: 'object.data.a == "2"' }],
        mutations: [apply('Object{data: {"b": "2"}}')],
      },
      {},
      { a: '1' },
    ],
    [
      'refuses when a condition fails',
      { matchConditions: [{ name: 'c', expression: 'object.data.q == "2"' }], mutations: [apply('Object{}')] },
      {},
      `expression 'object.data.q == "2"' resulted in error: no such key: q`,
    ],
    [
      'runs once for each parameter',
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        mutations: [apply('Object{data: {params.metadata.name: params.data.v}}')],
      },
      { paramRef: { selector: { matchLabels: { role: 'param' } }, parameterNotFoundAction: 'Deny' } },
      { a: '1', one: 'first', two: 'second' },
    ],
    [
      'refuses without its parameter',
      { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, mutations: [apply('Object{}')] },
      { paramRef: { name: 'nope', parameterNotFoundAction: 'Deny' } },
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    ],
    [
      'keeps to its binding',
      { mutations: [apply('Object{data: {"b": "2"}}')] },
      { matchResources: { namespaceSelector: { matchLabels: { env: 'dev' } } } },
      { a: '1' },
    ],
  ])('%s', async (_, spec, binding, answer) => {
    expect(await mutated(spec, binding)).toEqual(answer);
  });

  it('merges containers by name, and leaves their arguments alone', async () => {
    plane = await createControlPlane(ON);
    await install('p', {
      matchConstraints: rule('pods'),
      mutations: [
        apply(
          'Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, image: "reg/" + c.image, env: [Object.spec.containers.env{name: "A", value: "1"}]})}}',
        ),
      ],
    });
    const answer = await call('POST', `${PODS}?dryRun=All`, pod);
    expect(at(answer, 'spec', 'containers')).toMatchObject([
      {
        name: 'c',
        image: 'reg/i',
        env: [{ name: 'A', value: '1' }],
      },
    ]);
    await install('q', {
      matchConstraints: rule('pods'),
      mutations: [apply('Object{spec: Object.spec{containers: [Object.spec.containers{name: "c", args: ["a"]}]}}')],
    });
    expect(await call('POST', `${PODS}?dryRun=All`, pod)).toMatchObject({
      code: 403,
      reason: 'Invalid',
      message: `policy 'q' with binding 'q' denied request: ${ATOMIC}.spec.containers[0].args`,
      details: {
        name: 'a',
        kind: 'pods',
        causes: [{ message: `policy 'q' with binding 'q' denied request: ${ATOMIC}.spec.containers[0].args` }],
      },
    });
  });
});

describe('several policies', () => {
  const log = (letter: string): JsonObject =>
    apply(`Object{data: {"log": (has(object.data.log) ? object.data.log : "") + "${letter}"}}`);

  it('runs those that ask for it again when others changed the object, and nobody owns what they set', async () => {
    plane = await createControlPlane(ON);
    await install('b', { mutations: [log('b')], reinvocationPolicy: 'IfNeeded' });
    await install('a', { mutations: [log('a')], reinvocationPolicy: 'IfNeeded' });
    await install('c', { mutations: [log('c')] });
    const answer = await call('POST', `${MAPS}?fieldManager=me`, configMap('x', { a: '1' }));
    expect(field(answer, 'data')).toEqual({ a: '1', log: 'abcab' });
    expect(at(answer, 'metadata', 'managedFields')).toMatchObject([
      { manager: 'me', fieldsV1: { 'f:data': { '.': {}, 'f:a': {} } } },
    ]);
    expect(stringifyJson(at(answer, 'metadata', 'managedFields') ?? null)).not.toContain('f:log');
  });

  it('tells of all failures that count', async () => {
    plane = await createControlPlane(ON);
    await install('a', { mutations: [apply('Object{foo: "b"}')], failurePolicy: 'Ignore' });
    await install('b', { mutations: [apply('Object{foo: "b"}')] });
    await install('c', { mutations: [apply('Object{foo: "b"}')] });
    const answer = await call('POST', MAPS, configMap('x', { a: '1' }));
    const causes = at(answer, 'details', 'causes');
    expect(isArray(causes) ? causes.map((cause) => stringAt(cause, 'message')) : []).toEqual(
      ['b', 'c'].map(
        (name) =>
          `policy '${name}' with binding '${name}' denied request: ${NOT_TYPED}.foo: field not declared in schema`,
      ),
    );
  });
});

describe('what is said of a policy', () => {
  const at0 = 'spec.mutations[0]';
  it.each<[string, JsonObject, string]>([
    ['mutations', { mutations: [] }, 'spec.mutations: Required value: mutations must contain at least one item'],
    ['a kind of patch', { mutations: [{}] }, `${at0}.patchType: Required value`],
    [
      'a known kind of patch',
      { mutations: [{ patchType: 'X' }] },
      `${at0}.patchType: Unsupported value: "X": supported values: "ApplyConfiguration", "JSONPatch"`,
    ],
    [
      'the patch',
      { mutations: [{ patchType: 'JSONPatch' }] },
      `${at0}.jsonPatch: Required value: must be specified when patchType is JSONPatch`,
    ],
    [
      'no other patch',
      { mutations: [{ ...apply('Object{}'), jsonPatch: { expression: '[]' } }] },
      `${at0}.jsonPatch: Invalid value: "{jsonPatch}": must not be specified when patchType is ApplyConfiguration`,
    ],
    [
      'an Object',
      { mutations: [apply('Object.metadata{}')] },
      `${at0}.applyConfiguration.expression: Invalid value: "Object.metadata{}": must evaluate to Object but got Object.metadata`,
    ],
    [
      'operations',
      { mutations: [patch('[]')] },
      `${at0}.jsonPatch.expression: Invalid value: "[]": must evaluate to list(JSONPatch) but got list(dyn)`,
    ],
    [
      'fields of an operation',
      { mutations: [patch('[JSONPatch{op: 1}]')] },
      `${at0}.jsonPatch.expression: Invalid value: "[JSONPatch{op: 1}]": compilation failed: ERROR: <input>:1:14: expected type of field 'op' is 'string' but provided type is 'int'\n | [JSONPatch{op: 1}]\n | .............^`,
    ],
    [
      'no Object in a variable',
      { mutations: [apply('Object{}')], variables: [{ name: 'v', expression: 'Object{}' }] },
      `spec.variables[0].expression: Invalid value: "Object{}": compilation failed: ERROR: <input>:1:7: undeclared reference to 'Object' (in container '')\n | Object{}\n | ......^`,
    ],
    [
      'no deletions',
      {
        mutations: [apply('Object{}')],
        matchConstraints: {
          resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['DELETE'], resources: ['*'] }],
        },
      },
      'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ],
    [
      'when to run again',
      { mutations: [apply('Object{}')], reinvocationPolicy: '' },
      'spec.reinvocationPolicy: Required value',
    ],
  ])('wants %s', async (_, spec, message) => {
    plane = await createControlPlane(ON);
    const answer = await call('POST', POLICIES, policyOf('v', spec));
    expect(stringAt(answer, 'message')).toBe(
      `MutatingAdmissionPolicy.admissionregistration.k8s.io "v" is invalid: ${message}`,
    );
  });
});

describe('the switch', () => {
  const versions = async (): Promise<Json | undefined> =>
    field(await call('GET', '/apis/admissionregistration.k8s.io'), 'versions');

  it.each([
    ['nothing', {}],
    ['the gate alone', { featureGates: { MutatingAdmissionPolicy: true } }],
    ['the version alone', { runtimeConfig: { [VERSION]: true } }],
  ])('is off with %s', async (_, options) => {
    plane = await createControlPlane(options);
    expect(await versions()).toEqual([{ groupVersion: 'admissionregistration.k8s.io/v1', version: 'v1' }]);
    expect(await call('GET', POLICIES)).toMatchObject({ code: 404 });
    expect(stringifyJson(await call('GET', '/openapi/v3'))).not.toContain(VERSION);
  });

  it('shows the kinds in discovery and OpenAPI', async () => {
    plane = await createControlPlane(ON);
    expect(await versions()).toEqual([
      { groupVersion: 'admissionregistration.k8s.io/v1', version: 'v1' },
      { groupVersion: VERSION, version: 'v1beta1' },
    ]);
    const document = await call('GET', `/openapi/v3/apis/${VERSION}`);
    expect(at(document, 'paths', POLICIES)).toBeDefined();
    const schemas = field(document, 'components');
    expect(stringAt(schemas, 'schemas', 'io.k8s.api.admissionregistration.v1beta1.Mutation', 'description')).toMatch(
      /^Mutation/,
    );
    const v2 = await call('GET', '/openapi/v2');
    expect(at(v2, 'definitions', 'io.k8s.api.admissionregistration.v1beta1.Mutation')).toBeDefined();
  });
});
