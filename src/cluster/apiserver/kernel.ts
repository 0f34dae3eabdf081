import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { PodPrograms } from '../pod-program.ts';
import type { Store } from '../store/store.ts';
import type { Authorizer } from './authorizer.ts';
import type { Codec } from './codec.ts';
import type { Conversions } from './conversions.ts';
import type { Objects } from './objects.ts';
import type { RbacAuthorizer } from './rbac.ts';
import type { ResourceTable } from './resource-table.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import type { Watches } from './watch-encoding.ts';

/** The parts of a running API server that its handlers share. */
export interface Kernel {
  readonly store: Store;
  readonly clock: Clock;
  /** Moves a time that stands still; undefined where the clock runs by itself. */
  readonly advance?: (ms: number) => Promise<number>;
  readonly log: Log;
  readonly random: (below: number) => number;
  readonly uuid: () => string;
  readonly table: ResourceTable;
  readonly objects: Objects;
  readonly codec: Codec;
  readonly conversions: Conversions;
  readonly authorizer: Authorizer;
  readonly rbac: RbacAuthorizer;
  readonly tokens: ServiceAccountTokens;
  readonly programs: PodPrograms;
  readonly watches: Watches;
  /** Calls `listener` when the server stops; the returned function unsubscribes. */
  readonly ended: (listener: () => void) => () => void;
}
