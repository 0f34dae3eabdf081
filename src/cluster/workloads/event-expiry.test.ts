import { expect, it, vi } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { silent } from '../../base/log.ts';
import { createControlPlane } from '../control-plane.ts';
import { startWorkloads } from './start-workloads.ts';

const EVENTS = { group: '', plural: 'events' };

it('keeps an Event for an hour after it was last seen', async () => {
  const start = Date.UTC(2026, 0, 1);
  const clock = new ManualClock(start);
  const plane = await createControlPlane({ clock });
  const workloads = startWorkloads({
    registry: plane.registry,
    clock,
    log: silent,
    random: () => 0.5,
    caPem: '',
    kubelet: false,
    scheduler: false,
  });
  const event = (name: string, minutes: number): object => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'R',
    message: 'm',
    type: 'Normal',
    lastTimestamp: new Date(start + minutes * 60_000).toISOString().replace('.000', ''),
  });
  const there = (): readonly string[] =>
    plane.registry
      .list(EVENTS)
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith('seen'));
  for (const [name, minutes] of [
    ['seen-before', -50],
    ['seen-later', 30],
  ] as const)
    expect(await plane.registry.create(EVENTS, event(name, minutes) as never, 'test')).toMatchObject({ ok: true });
  const after = async (minutes: number, expected: readonly string[]): Promise<void> => {
    await workloads.idle();
    clock.advance(minutes * 60_000);
    await vi.waitFor(() => expect(there()).toEqual(expected), { timeout: 20_000, interval: 5 });
  };
  await after(59, ['seen-before', 'seen-later']);
  // What is old when it is written is kept for an hour as well.
  await after(2, ['seen-later']);
  await after(28, ['seen-later']);
  await after(2, []);
  workloads.stop();
  await plane.stop();
});
