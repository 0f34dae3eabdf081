/** The cost budget is used up: nothing absorbs it. */
export class OutOfBudget extends Error {}

/**
 * Steps that one evaluation may take beside what Kubernetes counts as cost, which leaves out much of the work: characters and elements
 * read, made and compared. As many take some tenths of a second at most.
 */
const MAX_STEPS = 4_000_000;

// An evaluation runs from start to end without a pause, and nothing else evaluates meanwhile: one figure will do for all the
// functions that work on values without knowing who evaluates.
let left = Number.POSITIVE_INFINITY;

/** Counts steps. Throws {@link OutOfBudget} when the evaluation has taken all that it may. */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0) throw new OutOfBudget();
}

/** Runs an evaluation within its bound of steps. */
export function bounded<T>(evaluation: () => T): T {
  const outer = left;
  left = MAX_STEPS;
  try {
    return evaluation();
  } finally {
    left = outer;
  }
}
