import type { KubeObject } from '../../src/api/object.ts';
import type { Clock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/log.ts';
import { createControlPlane } from '../../src/cluster/control-plane.ts';
import type { GroupResource, Registry } from '../../src/cluster/registry.ts';
import { SteppedTime } from '../../src/cluster/stepped-time.ts';
import { startWorkloads, type Workloads, type WorkloadsOptions } from '../../src/cluster/workloads/start-workloads.ts';

/** A control plane with its controllers, on a clock that stands still until told. */
export interface World {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly workloads: Workloads;
  /** Lets the clock run for so long, timer by timer. */
  readonly run: (ms: number) => Promise<void>;
  /** Writes as a user; a refusal fails the test. */
  readonly create: (resource: GroupResource, object: KubeObject) => Promise<KubeObject>;
  readonly update: (resource: GroupResource, object: KubeObject) => Promise<KubeObject>;
}

export async function world(options: Partial<WorkloadsOptions> = {}): Promise<World> {
  const time = new SteppedTime(Date.UTC(2026, 0, 1));
  const { clock } = time;
  const { registry } = await createControlPlane({ time });
  const workloads = startWorkloads({
    registry,
    clock,
    log: silent,
    random: () => 0.5,
    caPem: 'PEM',
    kubelet: true,
    scheduler: true,
    ...options,
  });
  time.waitFor(() => workloads.idle());
  const run = async (ms: number): Promise<void> => {
    await time.advance(ms);
  };
  await run(0);
  return {
    registry,
    clock,
    workloads,
    run,
    create: async (resource, object) => valueOf(await registry.create(resource, object, 'test')),
    update: async (resource, object) => valueOf(await registry.update(resource, object, 'test')),
  };
}

function valueOf<T>(
  result:
    | { readonly ok: true; readonly value: T }
    | { readonly ok: false; readonly error: { readonly message: string } },
): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

export function conditions(object: KubeObject | undefined): string[] {
  const all = (object?.status?.['conditions'] ?? []) as { type: string; status: string; reason: string }[];
  return all.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

export function events(registry: Registry): string[] {
  return registry
    .list({ group: '', plural: 'events' })
    .map((event) => event as unknown as { reason: string; message: string })
    .map(({ reason, message }) => `${reason}: ${message}`);
}
