import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import type { ViewNode } from '../../src/api/view.ts';
import { layOut } from './api/flow-layout.ts';
import { forestOf, pathThrough } from './api/forest.ts';
import { type Live, nothingYet, receive } from './api/live.ts';
import { Page } from './app.tsx';

afterEach(cleanup);

function node(id: string, more: Partial<ViewNode> = {}): ViewNode {
  const [, kind = '', namespace = '', name = ''] = id.split('/');
  const base = {
    id,
    kind,
    namespace,
    name,
    apiVersion: 'v1',
    tier: 'object',
    state: 'Ready',
    message: 'fine',
  } as const;
  return { ...base, parents: [], dependsOn: [], facts: [], ...more };
}
const source = node('s/GitRepository/a/repo', { tier: 'source', revision: 'master@sha1:0123456789abcdef' });
const applier = node('k/Kustomization/a/app', { tier: 'applier', parents: [source.id] });
const deployment = node('apps/Deployment/b/web', {
  parents: [applier.id],
  facts: [{ name: 'image', value: 'web:v1' }],
});
const pod = node('/Pod/b/web-1', { tier: 'pod', parents: [deployment.id] });
const quiet = ['one', 'two', 'three'].map((name) => node(`/ConfigMap/b/${name}`, { parents: [applier.id] }));
const all = [pod, deployment, ...quiet, applier, source];

const snapshot = receive(nothingYet, { type: 'snapshot', cluster: 'demo', nodes: all, events: [] });
const home = { place: 'tree', query: '', state: '', node: '' } as const;

describe('the forest', () => {
  it('hangs pods below what owns them, down from the source', () => {
    const names = (branches: ReturnType<typeof forestOf>): unknown[] =>
      branches.map((branch) => [branch.node.name, names(branch.below)]);
    expect(names(forestOf([source, applier, deployment, pod]))).toEqual([
      ['repo', [['app', [['web', [['web-1', []]]]]]]],
    ]);
  });

  it('lights the way from a node to its source and its pods, and nothing else', () => {
    const nodes = new Map(all.map((item) => [item.id, item]));
    expect([...pathThrough(nodes, deployment.id)].sort()).toEqual(
      [source, applier, deployment, pod].map(({ id }) => id).sort(),
    );
  });
});

describe('the flow', () => {
  it('folds ready objects that only clutter, and shows one that fails', () => {
    const ids = (nodes: readonly ViewNode[]) => layOut(forestOf(nodes), new Set()).cards.map(({ id }) => id);
    expect(ids(all)).toEqual([source.id, applier.id, deployment.id, pod.id, `${applier.id}#folded`]);
    const broken = node('/ConfigMap/b/broken', { parents: [applier.id], state: 'Failed' });
    expect(ids([...all, broken])).toContain(broken.id);
  });
});

describe('the page', () => {
  const show = (live: Live, location: Parameters<typeof Page>[0]['location'] = home) =>
    render(<Page live={live} location={location} />);

  it('shows each object with state, short revision and message', () => {
    show(snapshot);
    expect(screen.getByText('master@0123456')).toBeTruthy();
    expect(document.querySelectorAll('tr[data-state="Ready"]')).toHaveLength(all.length);
  });

  it('takes a delta without losing the rest', () => {
    const failed = { ...deployment, state: 'Failed', message: 'no such image' } as const;
    show(receive(snapshot, { type: 'delta', nodes: [failed], removed: [pod.id], events: [] }));
    expect(screen.getByText('no such image')).toBeTruthy();
    expect(document.querySelectorAll('tbody tr')).toHaveLength(all.length - 1);
  });

  it('shows only what the address asks for', () => {
    show(snapshot, { ...home, query: 'web:v1' });
    expect([...document.querySelectorAll('tbody tr')].map((row) => row.getAttribute('data-node'))).toEqual([
      source.id,
      applier.id,
      deployment.id,
      pod.id,
    ]);
  });

  it('writes markup in a message as text', () => {
    show(
      receive(snapshot, {
        type: 'delta',
        nodes: [{ ...applier, message: '<img src=x onerror=alert(1)>' }],
        removed: [],
        events: [],
      }),
    );
    expect(document.querySelector('img[src="x"]')).toBeNull();
    expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
  });

  it('says since when it is old after the stream broke', () => {
    show({ ...snapshot, connection: { state: 'lost', sinceMs: Date.now() - 5000 } });
    expect(screen.getByRole('status').textContent).toContain('connection lost 5s ago');
  });
});
