/** What went wrong, as kustomize words it. Thrown inside the engine only; `runBuild` turns it into a Result. */
export class KustomizeFailure extends Error {
  /** `yaml`: a file is no YAML. `http`: a server refused. */
  readonly code: 'build' | 'yaml' | 'http';

  constructor(message: string, code: KustomizeFailure['code'] = 'build') {
    super(message);
    this.code = code;
  }
}

/** Not a failure: something must be brought before the build can go on. No step of the build may catch it. */
export class Pending extends Error {
  /** `remote`: `urls` are not fetched yet. `regexp`: RE2 is not loaded yet. */
  readonly code: 'remote' | 'regexp';
  readonly urls: readonly string[];

  constructor(code: Pending['code'], message: string, urls: readonly string[] = []) {
    super(message);
    this.code = code;
    this.urls = urls;
  }
}

/** Kustomize itself panics here: no step of the build catches it. Flux does, after all of them. */
export class Panic extends Error {}

export function fail(message: string): never {
  throw new KustomizeFailure(message);
}

/** Runs `act`; a failure in it gets `prefix: ` in front, as Go's WrapPrefixf does. */
export function wrapped<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (failure) {
    throw withPrefix(prefix, failure);
  }
}

/** Runs `act`, a failure in which ends the build at once. */
export function panicking(act: () => void): void {
  try {
    act();
  } catch (failure) {
    throw failure instanceof KustomizeFailure ? new Panic(failure.message) : failure;
  }
}

export function withPrefix(prefix: string, failure: unknown): unknown {
  if (!(failure instanceof KustomizeFailure)) return failure;
  return new KustomizeFailure(`${prefix}: ${failure.message}`, failure.code);
}
