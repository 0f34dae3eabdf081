import { afterEach, describe, expect, it } from 'vitest';
import { at, type Json, type JsonObject, parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';

/** Answers as kube-apiserver 1.34.1 gave them to the same policies and requests. */

let plane: ControlPlane | undefined;
afterEach(async () => {
  await plane?.stop();
  plane = undefined;
});

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';

async function call(method: string, path: string, body: Json): Promise<{ body: Json; warning: string }> {
  const response = await (plane as ControlPlane).handler({
    method,
    path,
    headers: { 'user-agent': 'test/1', 'content-type': 'application/json' },
    body: new TextEncoder().encode(stringifyJson(body)),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { body: parseJson(Buffer.concat(chunks).toString()), warning: response.headers['warning'] ?? '' };
}

const configMap = (name: string, data: JsonObject, labels: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});

/** The message of a refused ConfigMap without what names the policy; 'ok' for one that is let through. */
async function verdict(spec: JsonObject, binding: JsonObject = {}): Promise<{ text: string; warning: string }> {
  plane = await createControlPlane();
  await call('POST', MAPS, configMap('limits', { max: '3' }, { p: 'x' }));
  const policy = await call('POST', `${REGISTRATION}/validatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
      },
      ...spec,
    },
  });
  expect(stringAt(policy.body, 'kind'), stringAt(policy.body, 'message')).toBe('ValidatingAdmissionPolicy');
  await call('POST', `${REGISTRATION}/validatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  });
  const { body, warning } = await call('POST', `${MAPS}?dryRun=All`, configMap('a', { a: '4' }));
  const message = stringAt(body, 'message');
  const head = /^configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p'(?: with binding 'b')? denied request: /;
  if (message !== undefined && !head.test(message)) throw new Error(message);
  return { text: message?.replace(head, '') ?? 'ok', warning };
}

const params = (reference: JsonObject): JsonObject => ({ paramRef: reference });
const WITH_PARAMS: JsonObject = {
  paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
  validations: [
    { expression: 'int(object.data.a) <= int(params.data.max)', messageExpression: "'max ' + params.data.max" },
  ],
};

describe('policies', () => {
  it.each<[string, JsonObject, JsonObject, string]>([
    ['shows the expression', { validations: [{ expression: 'false' }] }, {}, 'failed expression: false'],
    [
      'fails closed',
      { validations: [{ expression: 'object.data.zz == "1"' }] },
      {},
      `expression 'object.data.zz == "1"' resulted in error: no such key: zz`,
    ],
    ['fails open', { failurePolicy: 'Ignore', validations: [{ expression: 'object.data.zz == "1"' }] }, {}, 'ok'],
    [
      'names a failing variable',
      {
        variables: [{ name: 'bad', expression: 'object.data.zz' }],
        validations: [{ expression: 'variables.bad == "q"' }],
      },
      {},
      `expression 'variables.bad == "q"' resulted in error: composited variable "bad" fails to evaluate: no such key: zz`,
    ],
    [
      'leaves unread variables alone',
      {
        variables: [{ name: 'bad', expression: 'object.data.zz' }],
        validations: [{ expression: 'true || variables.bad == "q"' }],
      },
      {},
      'ok',
    ],
    [
      'lets a false condition win over one that fails',
      {
        matchConditions: [
          { name: 'a', expression: 'object.data.zz == "b"' },
          { name: 'b', expression: 'false' },
        ],
        validations: [{ expression: 'false' }],
      },
      {},
      'ok',
    ],
    ['asks for parameters', WITH_PARAMS, params({ name: 'limits', parameterNotFoundAction: 'Deny' }), 'max 3'],
    [
      'selects parameters',
      WITH_PARAMS,
      params({ selector: { matchLabels: { p: 'x' } }, parameterNotFoundAction: 'Deny' }),
      'max 3',
    ],
    [
      'denies without parameters',
      WITH_PARAMS,
      params({ name: 'none', parameterNotFoundAction: 'Deny' }),
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    ],
    ['allows without parameters', WITH_PARAMS, params({ name: 'none', parameterNotFoundAction: 'Allow' }), 'ok'],
    [
      'knows no such kind of parameters',
      { ...WITH_PARAMS, paramKind: { apiVersion: 'nope.io/v1', kind: 'Nope' } },
      params({ name: 'limits', parameterNotFoundAction: 'Deny' }),
      "failed to configure policy: failed to find resource referenced by paramKind: 'nope.io/v1, Kind=Nope'",
    ],
    [
      'asks what the user may do',
      {
        validations: [
          {
            expression: "authorizer.group('').resource('pods').check('get').allowed()",
            message: 'the administrator may',
          },
        ],
      },
      {},
      'ok',
    ],
    [
      'refuses names of service accounts that cannot be',
      { validations: [{ expression: "authorizer.serviceAccount('default','x_').path('/x').check('get').allowed()" }] },
      {},
      "expression 'authorizer.serviceAccount('default','x_').path('/x').check('get').allowed()' resulted in error: Invalid service account name",
    ],
    [
      'excludes resources by the binding',
      { validations: [{ expression: 'false' }] },
      {
        matchResources: {
          excludeResourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
          ],
        },
      },
      'ok',
    ],
  ])('%s', async (_name, spec, binding, expected) => {
    expect((await verdict(spec, binding)).text).toBe(expected);
  });

  it('warn instead, of every validation', async () => {
    const validations = [
      { expression: 'false', message: 'one' },
      { expression: 'false', message: 'two' },
    ];
    const { text, warning } = await verdict({ validations }, { validationActions: ['Warn'] });
    expect(text).toBe('ok');
    for (const which of ['one', 'two'])
      expect(warning).toContain(`Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': ${which}`);
  });

  it('deny for an audit annotation that cannot be made, whatever the actions are', async () => {
    const spec = { auditAnnotations: [{ key: 'k', valueExpression: 'string(object.data.zz)' }] };
    const { text } = await verdict(spec, { validationActions: ['Audit'] });
    expect(text).toBe("expression 'string(object.data.zz)' resulted in error: no such key: zz");
  });

  it('are refused with the place of the mistake', async () => {
    plane = await createControlPlane();
    const { body } = await call('POST', `${REGISTRATION}/validatingadmissionpolicies`, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'p' },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }],
        },
        validations: [{ expression: "request.zz == 'a'", messageExpression: "authorizer.path('/x')" }],
      },
    });
    expect(at(body, 'details', 'causes')).toEqual([
      {
        reason: 'FieldValueInvalid',
        field: 'spec.validations[0].expression',
        message: `Invalid value: "request.zz == 'a'": compilation failed: ERROR: <input>:1:8: undefined field 'zz'\n | request.zz == 'a'\n | .......^`,
      },
      {
        reason: 'FieldValueInvalid',
        field: 'spec.validations[0].messageExpression',
        message: `Invalid value: "authorizer.path('/x')": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')\n | authorizer.path('/x')\n | ^`,
      },
    ]);
  });
});

it('sees the scale of a request about it', async () => {
  plane = await createControlPlane();
  const deployments = '/apis/apps/v1/namespaces/default/deployments';
  await call('POST', deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  });
  const made = await call('POST', `${REGISTRATION}/validatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['deployments/scale'] },
        ],
      },
      validations: [
        {
          expression: 'object.spec.replicas < 5',
          messageExpression: "object.apiVersion + ' ' + object.kind + ' ' + oldObject.kind + ' ' + request.kind.kind",
        },
      ],
    },
  });
  expect(stringAt(made.body, 'message')).toBeUndefined();
  await call('POST', `${REGISTRATION}/validatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'] },
  });
  const scale = (replicas: number): JsonObject => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'd', namespace: 'default' },
    spec: { replicas },
  });
  expect(at((await call('PUT', `${deployments}/d/scale`, scale(4))).body, 'spec', 'replicas')).toBe(4);
  expect(stringAt((await call('PUT', `${deployments}/d/scale`, scale(5))).body, 'message')).toBe(
    `deployments.apps "d" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: autoscaling/v1 Scale Scale Scale`,
  );
});
