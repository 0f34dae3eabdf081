/** What one case of a vector set came to. */
export interface CaseResult {
  readonly id: string;
  readonly passed: boolean;
  /** Why it failed: the first difference. */
  readonly detail?: string;
}

/** A set of vectors recorded from a real tool, and how Weir plays it. */
export interface ConformanceSet {
  /** Name of its folder in the conformance directory. */
  readonly name: string;
  /** Where its vectors are, when they are part of this repository. */
  readonly directory?: string;
  /** Plays all cases of `directory`, which has the format that the set's README gives. */
  run(directory: string): Promise<readonly CaseResult[]>;
  /**
   * Plays just these cases, again: for sets whose runner waits by the clock, where a busy machine can make a case late. A case
   * counts as it comes out alone.
   */
  readonly replay?: (directory: string, ids: readonly string[]) => Promise<readonly CaseResult[]>;
}
