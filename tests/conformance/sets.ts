import type { ConformanceSet } from './set.ts';

/** Every set that an engine has plugged in, in the order they run. */
export const sets: readonly ConformanceSet[] = [];
