import { AsyncLocalStorage } from 'node:async_hooks';

/** A process that ends at a file operation: from then on nothing of it happens any more. */
interface Life {
  /** Operations that still happen. */
  left: number;
  /** Whether a write that is the end has reached the disk by half. */
  readonly torn: boolean;
  /** What operations fail with from the end on, instead of being the end. */
  readonly exhausted?: Exhaustion;
  died(): void;
}

/** `ENOSPC`, `EROFS`: nothing can be written. `EMFILE`: nothing can be opened. */
export type Exhaustion = 'ENOSPC' | 'EROFS' | 'EMFILE';

const OPENING = /^(?:open|opendir|readdir|readFile|writeFile|appendFile|copyFile)$/;
const WRITING = /^(?:(?:handle\.)?(?:writeFile|write|appendFile)|mkdir|mkdtemp|open|rename|copyFile|link|symlink)$/;
const UNDOING = /^(?:rm|rmdir|unlink|chmod|utimes)$/;

function failsWith(exhaustion: Exhaustion, name: string): boolean {
  if (exhaustion === 'EMFILE') return OPENING.test(name);
  return WRITING.test(name) || (exhaustion === 'EROFS' && UNDOING.test(name));
}

const lives = new AsyncLocalStorage<Life>();
const never = new Promise<never>(() => undefined);

/**
 * Runs `work` as a process that is killed at its file operation `count` (0 is the first), or in the middle of it where it writes.
 * True when it ended before. What hung in an operation hangs for ever.
 */
export async function killedAt(count: number, torn: boolean, work: () => Promise<unknown>): Promise<boolean> {
  let died: () => void = () => undefined;
  const dead = new Promise<boolean>((resolve) => {
    died = () => resolve(false);
  });
  return lives.run({ left: count, torn, died }, () => Promise.race([dead, work().then(() => true)]));
}

/**
 * Runs `work` on a machine that has nothing left of something from its file operation `count` on. Tells how many operations failed
 * for it.
 */
export async function exhaustedAt<T>(
  count: number,
  exhausted: Exhaustion,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly failed: number }> {
  let failed = 0;
  const life = { left: count, torn: false, exhausted, died: () => void failed++ };
  const result = await lives.run(life, work);
  return { result, failed };
}

type Operation = (...args: unknown[]) => Promise<unknown>;

/** The functions of `node:fs/promises` (and of the handles it opens), as one that {@link killedAt} can end. */
export function mortal<T extends object>(functions: T): T {
  const wrapped: Record<string, unknown> = {};
  Object.assign(wrapped, functions);
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value === 'function') wrapped[name] = operation(name, value as Operation);
  }
  return wrapped as T;
}

function operation(name: string, run: Operation): Operation {
  return async (...args) => {
    const life = lives.getStore();
    if (life === undefined) return opened(name, await run(...args));
    if (life.left-- > 0) {
      const result = await run(...args);
      return life.left < 0 && life.exhausted === undefined ? never : opened(name, result);
    }
    if (life.exhausted !== undefined) {
      if (!failsWith(life.exhausted, name)) return opened(name, await run(...args));
      life.died();
      throw Object.assign(new Error(`${life.exhausted}: ${name}`), { code: life.exhausted });
    }
    if (life.left === -1 && life.torn && name.endsWith('writeFile')) await run(...halved(args));
    life.left = -1;
    life.died();
    return never;
  };
}

function opened(name: string, result: unknown): unknown {
  if (name !== 'open') return result;
  const handle = result as object;
  return new Proxy(handle, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? operation(`handle.${String(key)}`, value.bind(target) as Operation) : value;
    },
  });
}

/** The arguments of a write of half of what it is to write. */
function halved(args: readonly unknown[]): readonly unknown[] {
  return args.map((arg) => (arg instanceof Uint8Array ? arg.subarray(0, Math.floor(arg.length / 2)) : arg));
}
