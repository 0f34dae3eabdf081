import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../base/clock.ts';
import { silent } from '../base/log.ts';
import { type ControlPlane, createControlPlane } from '../cluster/control-plane.ts';
import type { KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { systemClock } from '../kube/system-clock.ts';
import { runAsLeader } from './lease.ts';

const TIMES = { leaseDurationMs: 60_000, renewDeadlineMs: 30_000, retryPeriodMs: 20 };

let plane: ControlPlane;
let client: KubeClient;
let stop: AbortController;
const running: Promise<unknown>[] = [];
beforeEach(async () => {
  plane = await createControlPlane();
  client = createKubeClient({ handler: plane.handler, userAgent: 'test' });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running.splice(0));
  await plane.stop();
});

/** A machine whose clock somebody sets; its timers run on. */
function machine(): { readonly clock: Clock; jump(ms: number): void } {
  let offset = 0;
  return {
    clock: { now: () => systemClock.now() + offset, after: (delayMs, fire) => systemClock.after(delayMs, fire) },
    jump: (ms) => {
      offset += ms;
    },
  };
}

interface Engine {
  readonly jump: (ms: number) => void;
  /** Looks at the lease that it has made so far. */
  readonly looks: () => number;
  isHeld: (() => boolean) | undefined;
  signal: AbortSignal | undefined;
}

function enter(identity: string, retryPeriodMs: number = TIMES.retryPeriodMs): Engine {
  const own = machine();
  let looks = 0;
  const counted: KubeClient = Object.assign(Object.create(client) as KubeClient, {
    get: (...args: Parameters<KubeClient['get']>) => {
      looks++;
      return client.get(...args);
    },
    create: (...args: Parameters<KubeClient['create']>) => client.create(...args),
    update: (...args: Parameters<KubeClient['update']>) => client.update(...args),
  });
  const engine: Engine = { jump: (ms) => own.jump(ms), looks: () => looks, isHeld: undefined, signal: undefined };
  const options = {
    clock: own.clock,
    log: silent,
    namespace: 'default',
    name: 'weir',
    identity,
    times: { ...TIMES, retryPeriodMs },
  };
  running.push(
    runAsLeader({ ...options, client: counted, signal: stop.signal }, async (signal, isHeld) => {
      Object.assign(engine, { isHeld, signal });
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }),
  );
  return engine;
}

async function lookedAgain(engine: Engine): Promise<void> {
  const before = engine.looks();
  await expect.poll(() => engine.looks() > before + 2).toBe(true);
}

describe('C05, C14: when a clock jumps', () => {
  it.each([3_600_000, -3_600_000])(
    'that of one who waits (%d ms), it does not take over from one who leads',
    async (ms) => {
      // It renews its lease in time, and not between the two looks of the other.
      const first = enter('first', TIMES.renewDeadlineMs);
      await expect.poll(() => first.isHeld?.()).toBe(true);
      const second = enter('second');
      await lookedAgain(second);
      second.jump(ms);
      await lookedAgain(second);
      expect(second.isHeld).toBeUndefined();
      expect(first.isHeld?.()).toBe(true);
    },
  );

  it('back, the one who leads goes on', async () => {
    const first = enter('first');
    await expect.poll(() => first.isHeld?.()).toBe(true);
    first.jump(-3_600_000);
    await lookedAgain(first);
    expect(first.isHeld?.()).toBe(true);
    expect(first.signal?.aborted).toBe(false);
  });

  it('ahead, as after a sleep of the machine, the one who leads writes nothing until the lease is its own again', async () => {
    const first = enter('first');
    await expect.poll(() => first.isHeld?.()).toBe(true);
    first.jump(3_600_000);
    // Not before it has asked: another may lead by now.
    expect(first.isHeld?.()).toBe(false);
    await expect.poll(() => first.isHeld?.()).toBe(true);
    expect(first.signal?.aborted).toBe(false);
  });
});
