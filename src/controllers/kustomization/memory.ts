import type { KubeObject } from '../../api/object.ts';
import { AppliedMemory } from '../../apply/applied-memory.ts';
import type { Desired } from '../../apply/apply.ts';
import type { Memory } from './plan.ts';

/** What this process remembers of one Kustomization between passes. Losing it costs requests, never correctness. */
export class Remembered {
  readonly applied: AppliedMemory = new AppliedMemory();
  lastFull: Memory['lastFull'];
  /** Revision that the last pass began with, which the status may not tell yet. */
  attempted: string | undefined;
  /** When everything was last compared with the server. */
  verifiedAtMs: number = Number.NEGATIVE_INFINITY;
  /** Generation of the spec that it was compared for. */
  verifiedGeneration: number | undefined;
  /** What was applied last, by inventory id. */
  desired: ReadonlyMap<string, Desired> = new Map();
  /** Objects prepared from a build's, while build and spec stay the same. */
  prepared:
    | { readonly built: readonly KubeObject[]; readonly common: string; readonly objects: readonly Desired[] }
    | undefined;
}
