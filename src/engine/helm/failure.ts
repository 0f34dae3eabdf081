import { err, ok, type Result } from '../../base/result.ts';

/** What kind of thing is wrong with a chart, its values or what it renders. */
export type HelmErrorCode =
  /** The chart's files are none: missing or broken Chart.yaml, values.yaml, archive. */
  | 'chart'
  /** A dependency is missing, or its values are no map. */
  | 'dependencies'
  /** User values that cannot be read or merged. */
  | 'values'
  /** Values that `values.schema.json` refuses. */
  | 'schema'
  /** The chart wants another version of Kubernetes. */
  | 'incompatible'
  /** A template does not parse or fails. */
  | 'template'
  /** What a template renders is no manifest. */
  | 'manifest'
  /** More than this engine takes: files, bytes, charts. */
  | 'limit';

/** Why a chart was not rendered, in Helm's words. */
export interface HelmError {
  readonly code: HelmErrorCode;
  readonly message: string;
}

/** Thrown inside the engine only; {@link attempt} turns it into a Result. */
export class HelmFailure extends Error {
  readonly code: HelmErrorCode;

  constructor(code: HelmErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function fail(code: HelmErrorCode, message: string): never {
  throw new HelmFailure(code, message);
}

/** The value of `act`, or its expected failure. */
export function attempt<T>(act: () => T): Result<T, HelmError> {
  try {
    return ok(act());
  } catch (failure) {
    if (failure instanceof HelmFailure) return err({ code: failure.code, message: failure.message });
    throw failure;
  }
}

/** Runs `act`; a failure in it gets `prefix: ` in front. */
export function wrapped<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (failure) {
    if (failure instanceof HelmFailure) throw new HelmFailure(failure.code, `${prefix}: ${failure.message}`);
    throw failure;
  }
}
