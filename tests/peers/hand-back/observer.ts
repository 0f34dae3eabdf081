import type { KubeObject } from '../../../src/api/object.ts';
import { at, type Json, stringAt } from '../../../src/base/json.ts';
import { silent } from '../../../src/base/log.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { type Informer, watchKind } from '../../../src/kube/informer.ts';
import { systemClock } from '../../../src/kube/system-clock.ts';

const POLL_MS = 50;

/** Watches Kustomizations, and remembers what their Ready conditions said. */
export class Observer {
  readonly #informer: Informer;
  readonly #stop = new AbortController();
  readonly #passesBefore = new Map<string, number>();
  readonly #told = new Set<string>();

  constructor(client: KubeClient) {
    const kind = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
    this.#informer = watchKind({ client, kind, clock: systemClock, log: silent, signal: this.#stop.signal });
    this.#informer.subscribe(({ type, object }) => {
      if (type !== 'DELETED') this.#note(object);
    });
  }

  /** From here on, only later passes count. */
  begin(): void {
    for (const object of this.#informer.list()) this.#passesBefore.set(object.metadata.name, passes(object));
    this.#told.clear();
  }

  /**
   * Who was not ready since the beginning, and why: `name: reason: message`. That something it depends on is being looked at is
   * nothing to complain of, nor what fails anyway.
   */
  complaints(): readonly string[] {
    return [...this.#told];
  }

  /** Whether each has been passed over since the beginning, and is ready at the revision. */
  areReady(names: readonly string[], revisionOf: (name: string) => string): boolean {
    return names.every((name) => {
      const object = this.#named(name);
      return (
        object !== undefined &&
        readyOf(object) === 'True' &&
        stringAt(object.status, 'lastAppliedRevision') === revisionOf(name) &&
        passes(object) > (this.#passesBefore.get(name) ?? 0)
      );
    });
  }

  /** Seconds until `test` holds. @throws after `limitMs`, with what is not ready. */
  async until(test: () => boolean, limitMs: number): Promise<number> {
    const begun = performance.now();
    while (!test()) {
      if (performance.now() - begun > limitMs) throw new Error(`not there:\n${this.#state().join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return (performance.now() - begun) / 1000;
  }

  #state(): readonly string[] {
    return this.#informer.list().map((object) => `${object.metadata.name}: ${JSON.stringify(readyCondition(object))}`);
  }

  /** Whether Ready has this status while a revision is worked on. */
  says(name: string, status: string, revision: string): boolean {
    const object = this.#named(name);
    if (object === undefined || readyOf(object) !== status) return false;
    return stringAt(object.status, 'lastAttemptedRevision') === revision;
  }

  stop(): void {
    this.#stop.abort();
  }

  #named(name: string): KubeObject | undefined {
    return this.#informer.list().find(({ metadata }) => metadata.name === name);
  }

  #note(object: KubeObject): void {
    const condition = readyCondition(object);
    const reason = stringAt(condition, 'reason');
    if (readyOf(object) !== 'False' || reason === 'DependencyNotReady' || reason === 'ReconciliationFailed') return;
    this.#told.add(`${object.metadata.name}: ${reason}: ${stringAt(condition, 'message')}`);
  }
}

function readyCondition(object: KubeObject | undefined): Json | undefined {
  const conditions = (at(object?.status, 'conditions') ?? []) as readonly Json[];
  return conditions.find((condition) => stringAt(condition, 'type') === 'Ready');
}

function readyOf(object: KubeObject): string | undefined {
  return stringAt(readyCondition(object), 'status');
}

/** How often something was built for it. */
function passes(object: KubeObject): number {
  const history = (at(object.status, 'history') ?? []) as readonly Json[];
  return history.reduce<number>((sum, entry) => sum + Number(at(entry, 'totalReconciliations') ?? 0), 0);
}
