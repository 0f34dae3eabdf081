import { afterEach, beforeEach, expect, it } from 'vitest';
import { at, type Json, parseJson, stringifyJson } from '../../base/json.ts';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';

let plane: ControlPlane;
beforeEach(async () => {
  plane = await createControlPlane();
});
afterEach(() => plane.stop());

async function call(method: string, path: string, body?: Json): Promise<Json> {
  const response = await plane.handler({
    method,
    path: `/api/v1/namespaces/default/${path}`,
    headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
    ...(body === undefined ? {} : { body: Buffer.from(stringifyJson(body)) }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return parseJson(Buffer.concat(chunks).toString());
}

/** A quota as the controller leaves it when there is nothing yet. */
async function quota(hard: { readonly [limit: string]: string }, rest: object = {}): Promise<void> {
  await call('POST', 'resourcequotas', {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q' },
    spec: { hard, ...rest },
  });
  const used = Object.fromEntries(Object.keys(hard).map((limit) => [limit, '0']));
  await call('PATCH', 'resourcequotas/q/status', { status: { hard, used } });
}

const used = async (): Promise<Json | undefined> => at(await call('GET', 'resourcequotas/q'), 'status', 'used');
const configMap = (name: string): Json => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const pod = (name: string, resources: Json, rest: object = {}): Json =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i', resources }], ...rest },
  }) as Json;

it('lets as many concurrent creates through as there is room, and no dry run counts', async () => {
  await quota({ configmaps: '3' });
  expect(at(await call('POST', 'configmaps?dryRun=All', configMap('dry')), 'kind')).toBe('ConfigMap');
  const answers = await Promise.all([...Array(8).keys()].map((n) => call('POST', 'configmaps', configMap(`m${n}`))));
  expect(answers.filter((answer) => at(answer, 'kind') === 'ConfigMap')).toHaveLength(3);
  expect(answers.filter((answer) => at(answer, 'code') === 403)).toHaveLength(5);
  expect(await used()).toEqual({ configmaps: '3' });
});

// Answers of kube-apiserver v1.34.1.
it.each([
  [
    { 'requests.cpu': '1', pods: '1' },
    pod('p', { requests: { cpu: '1100m' } }),
    'pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=1100m, used: requests.cpu=0, limited: requests.cpu=1',
  ],
  [
    { 'requests.cpu': '1', 'limits.memory': '1Gi' },
    pod('p', {}),
    'pods "p" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
  ],
  [
    { 'requests.example.com/gpu': '1' },
    pod('p', { requests: { 'example.com/gpu': '2' }, limits: { 'example.com/gpu': '2' } }),
    'pods "p" is forbidden: exceeded quota: q, requested: requests.example.com/gpu=2, used: requests.example.com/gpu=0, limited: requests.example.com/gpu=1',
  ],
  [{ 'requests.cpu': '1' }, pod('p', {}, { resources: { requests: { cpu: '1' } } }), undefined],
])('judges a pod by %j', async (hard, body, message) => {
  await quota(hard);
  const answer = await call('POST', 'pods', body);
  expect(at(answer, 'message')).toBe(message);
});

it('counts by scope', async () => {
  await quota({ pods: '0' }, { scopes: ['BestEffort'] });
  expect(at(await call('POST', 'pods', pod('a', {})), 'code')).toBe(403);
  expect(at(await call('POST', 'pods', pod('b', { requests: { cpu: '1' } })), 'kind')).toBe('Pod');
});

it('charges an update for what it takes more', async () => {
  await quota({ 'services.nodeports': '1' });
  const service = (type: string, ports: readonly number[]): Json => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { type, ports: ports.map((port) => ({ name: `p${port}`, port })) },
  });
  await call('POST', 'services', service('ClusterIP', [80]));
  expect(at(await call('PUT', 'services/s', service('NodePort', [80])), 'kind')).toBe('Service');
  expect(await used()).toEqual({ 'services.nodeports': '1' });
  expect(at(await call('PUT', 'services/s', service('NodePort', [80, 81])), 'message')).toBe(
    'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1',
  );
});
