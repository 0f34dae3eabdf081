import { cleanup, fireEvent, render, screen } from '@testing-library/react';
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

describe('events', () => {
  it('come newest first, and within one second what was told later', () => {
    const event = (id: string, at: string) =>
      ({ id, at, about: pod.id, severity: 'info', reason: 'r', message: id, count: 1 }) as const;
    const early = '2026-01-01T00:00:00Z';
    const late = '2026-01-01T00:00:01Z';
    const first = receive(nothingYet, {
      type: 'snapshot',
      cluster: '',
      nodes: [],
      events: [event('a', early), event('b', early)],
    });
    const then = receive(first, {
      type: 'delta',
      nodes: [],
      removed: [],
      events: [event('c', late), event('a', late)],
    });
    expect(then.events.map(({ id }) => id)).toEqual(['a', 'c', 'b']);
  });
});

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
  const rowOf = (id: string) => document.querySelector(`tbody tr[data-node="${id}"]`);

  it('shows each object with state, short revision and message', () => {
    show(snapshot);
    expect(screen.getByText('master@0123456')).toBeTruthy();
    expect(document.querySelectorAll('tr[data-state="Ready"]')).toHaveLength(all.length);
  });

  it('takes a delta without losing the rest', () => {
    const failed = { ...deployment, state: 'Failed', message: 'no such image' } as const;
    show(receive(snapshot, { type: 'delta', nodes: [failed], removed: [pod.id], events: [] }));
    expect(rowOf(deployment.id)?.textContent).toContain('no such image');
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

  it('leads with what is wrong and why', () => {
    const failed = { ...applier, state: 'Failed', message: 'build failed\nin detail' } as const;
    const waiting = { ...deployment, state: 'Waiting', message: 'waits for redis' } as const;
    show(receive(snapshot, { type: 'delta', nodes: [waiting, failed], removed: [], events: [] }));
    const rows = screen.getByRole('list', { name: 'What is not as it should be' }).querySelectorAll('li');
    expect([...rows].map((row) => row.textContent)).toEqual([
      expect.stringMatching(/^Failed.*a\/app.*build failed\s*$/),
      expect.stringMatching(/^Waiting.*b\/web.*waits for redis/),
    ]);
    expect(document.title).toBe('1 failed, Weir: demo');
  });

  it('shows one object with its way from git, its events, and the command that does what the page does not', () => {
    const event = { id: 'e', at: '2026-01-01T00:00:00Z', severity: 'info', message: 'done', count: 2 } as const;
    const events = [
      { ...event, about: applier.id, reason: 'Progressing' },
      { ...event, id: 'f', about: deployment.id, reason: 'ScalingReplicaSet' },
    ];
    show(receive(snapshot, { type: 'delta', nodes: [], removed: [], events }), { ...home, node: applier.id });
    const details = screen.getByRole('region', { name: 'Selected object' });
    expect(details.textContent).toContain('fromGitRepository repo');
    expect(details.textContent).toContain('weir reconcile kustomization app -n a --with-source');
    expect(document.querySelector('aside .events')?.textContent).toContain('Progressing2×');
    expect(document.querySelector('aside .events')?.textContent).not.toContain('ScalingReplicaSet');
  });

  it('folds a Kustomization and tells how much is below it', () => {
    show(snapshot);
    fireEvent.click(screen.getByRole('button', { name: 'Fold app' }));
    expect(document.querySelectorAll('tbody tr')).toHaveLength(2);
    expect(rowOf(applier.id)?.textContent).toContain('5 below');
    fireEvent.click(screen.getByRole('button', { name: 'Unfold app' }));
    expect(document.querySelectorAll('tbody tr')).toHaveLength(all.length);
  });

  it('folds what is all ready in a large tree, and not what fails', () => {
    const appliers = Array.from({ length: 20 }, (_, index) =>
      node(`k/Kustomization/a/app-${index}`, { tier: 'applier', parents: [source.id] }),
    );
    const objects = appliers.flatMap(({ id, name }) =>
      Array.from({ length: 20 }, (_, index) => node(`/ConfigMap/b/${name}-${index}`, { parents: [id] })),
    );
    const broken = { ...objects[0], state: 'Failed' } as ViewNode;
    const nodes = [source, ...appliers, ...objects.slice(1), broken];
    show(receive(nothingYet, { type: 'snapshot', cluster: 'demo', nodes, events: [] }));
    expect(document.querySelectorAll('tbody tr')).toHaveLength(1 + appliers.length + 20);
  });

  it('moves from card to card with the arrow keys', () => {
    show(snapshot, { ...home, place: 'flow' });
    const cards = [...document.querySelectorAll<HTMLElement>('.card')];
    for (const card of cards)
      Object.defineProperties(card, {
        offsetLeft: { value: Number.parseInt(card.style.left, 10) },
        offsetTop: { value: Number.parseInt(card.style.top, 10) },
      });
    cards[0]?.focus();
    fireEvent.keyDown(document.activeElement as Element, { key: 'ArrowRight' });
    expect(document.activeElement?.getAttribute('data-node')).toBe(applier.id);
    fireEvent.keyDown(document.activeElement as Element, { key: 'ArrowRight' });
    expect(document.activeElement?.getAttribute('data-node')).toBe(deployment.id);
  });

  it('says what to do first when there is nothing', () => {
    show(receive(nothingYet, { type: 'snapshot', cluster: 'demo', nodes: [], events: [] }));
    expect(screen.getByText('No sources yet')).toBeTruthy();
  });

  it('says since when it is old after the stream broke', () => {
    show({ ...snapshot, connection: { state: 'lost', sinceMs: Date.now() - 5000 } });
    expect(screen.getByRole('status').textContent).toContain('connection lost 5s ago');
  });
});
