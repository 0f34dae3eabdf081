/** What was last seen of an object that was applied: with the same content wanted, it needs no request while it stays so. */
export interface AppliedState {
  /** Hash of the object as it was sent. */
  readonly desired: string;
  /** Version of the live object that was found equal to it, or that applying it made. */
  readonly resourceVersion: string;
}

/** Remembers, per owner, the state of each object by inventory id. Lost on restart: then everything is compared once. */
export class AppliedMemory {
  readonly #states = new Map<string, AppliedState>();

  get(id: string): AppliedState | undefined {
    return this.#states.get(id);
  }

  set(id: string, state: AppliedState): void {
    this.#states.set(id, state);
  }

  delete(id: string): void {
    this.#states.delete(id);
  }

  /** Forgets what is not among `ids`. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#states.keys()) if (!ids.has(id)) this.#states.delete(id);
  }
}
