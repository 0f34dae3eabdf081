import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { at, type Json, stringAt } from '../../base/json.ts';
import { type ControlPlane, createControlPlane } from '../control-plane.ts';

/** Answers that kube-apiserver 1.34.1 gave to the same questions. */
let clock: ManualClock;
let plane: ControlPlane;
beforeEach(async () => {
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  plane = await createControlPlane({ clock });
  for (const name of ['a', 'b'])
    await plane.registry.create(
      { group: '', plural: 'configmaps' },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } },
      'test',
    );
});
afterEach(() => plane.stop());

async function ask(query: string): Promise<{ readonly status: number; readonly lines: readonly Json[] }> {
  const path = `/api/v1/namespaces/default/configmaps?watch=true&${query}`;
  const response = await plane.handler({ method: 'GET', path, headers: {} });
  const lines: Json[] = [];
  const read = (async () => {
    for await (const chunk of response.body)
      for (const line of Buffer.from(chunk).toString().split('\n'))
        if (line !== '') lines.push(JSON.parse(line) as Json);
  })();
  let open = true;
  void read.finally(() => {
    open = false;
  });
  while (open) {
    await new Promise(setImmediate);
    clock.advance(1000);
  }
  return { status: response.status, lines };
}
const summary = (line: Json): string =>
  `${stringAt(line, 'type') ?? ''} ${stringAt(line, 'object', 'metadata', 'name') ?? stringAt(line, 'object', 'message') ?? ''}`
    .replace(/current: \d+$/, 'current: N')
    .trim();

it.each([
  ['timeoutSeconds=1', ['ADDED a', 'ADDED b']],
  ['timeoutSeconds=-1', []],
  [
    'timeoutSeconds=2&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
    ['ADDED a', 'ADDED b', 'BOOKMARK'],
  ],
  [
    'timeoutSeconds=10&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
    ['ADDED a', 'ADDED b', 'BOOKMARK', 'BOOKMARK'],
  ],
  ['timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan', []],
  ['timeoutSeconds=1&fieldSelector=metadata.name%3Db', ['ADDED b']],
  [
    'timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=999999999',
    ['ERROR Timeout: Too large resource version: 999999999, current: N'],
  ],
])('tells what there is by %s', async (query, told) => {
  const { status, lines } = await ask(query);
  expect(status).toBe(200);
  expect(lines.map(summary)).toEqual(told);
});

it('marks the end of what there was', async () => {
  const { lines } = await ask(
    'timeoutSeconds=10&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
  );
  expect(at(lines[2] ?? null, 'object', 'metadata', 'annotations')).toEqual({ 'k8s.io/initial-events-end': 'true' });
  expect(at(lines[3] ?? null, 'object', 'metadata', 'annotations')).toBeUndefined();
});

it.each([
  [
    'sendInitialEvents=true&resourceVersionMatch=Exact',
    422,
    'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
  ],
  ['sendInitialEvents=true', 422, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
  [
    'resourceVersionMatch=NotOlderThan',
    422,
    'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
  ],
  ['continue=x', 422, 'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided'],
  ['resourceVersion=x', 500, 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'],
])('refuses %s', async (query, code, message) => {
  const { status, lines } = await ask(query);
  expect(status).toBe(code);
  expect(at(lines[0] ?? null, 'message')).toContain(message);
});
