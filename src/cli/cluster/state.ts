import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClusterAccess } from './kubeconfig.ts';

/** A lock that a dead process left is taken away and asked for again this often. */
const LOCK_TRIES = 5;

/** What a cluster's process writes down about itself once it answers. */
export interface ClusterState extends ClusterAccess {
  readonly pid: number;
  /** When the process started, as the system counts it: another process may get its number later. Empty where that is not told. */
  readonly started: string;
  readonly port: number;
  readonly ephemeral: boolean;
  /** Its time stands still until it is moved. Absent: it does not. */
  readonly manualClock?: boolean;
  /** The flags of these names, as they were given. */
  readonly featureGates?: string;
  readonly runtimeConfig?: string;
}

/** Where clusters are kept: `$XDG_STATE_HOME/weir/clusters`, else `~/.local/state/weir/clusters`. */
export function clustersDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const state = env['XDG_STATE_HOME'] ?? join(env['HOME'] ?? homedir(), '.local', 'state');
  return join(state, 'weir', 'clusters');
}

export const NAME: RegExp = /^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/;

export function contextOf(name: string): string {
  return `weir-${name}`;
}

/** One cluster's folder: its data, its log, and where its process is. */
export class ClusterDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get data(): string {
    return join(this.path, 'data');
  }

  get log(): string {
    return join(this.path, 'log');
  }

  get #state(): string {
    return join(this.path, 'cluster.json');
  }

  get #lock(): string {
    return join(this.path, 'lock');
  }

  /** Whether there is a cluster; a folder of other things is none. */
  exists(): boolean {
    return existsSync(this.#state) || [this.data, this.log, this.#lock].some((path) => existsSync(path));
  }

  /** @throws when the folder cannot be made, or holds other things. */
  make(): void {
    if (!this.exists() && existsSync(this.path) && readdirSync(this.path).length > 0)
      throw new Error(`${this.path} holds other things than a cluster`);
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
  }

  write(state: ClusterState): void {
    const part = `${this.#state}.part`;
    writeFileSync(part, JSON.stringify(state), { mode: 0o600 });
    renameSync(part, this.#state);
  }

  /** Makes this process the only one that uses the folder, until it ends; undefined is success, else who has it. */
  lock(): number | undefined {
    const mine = `${this.#lock}.${process.pid}`;
    writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }), { mode: 0o600 });
    try {
      for (let attempt = 0; attempt < LOCK_TRIES; attempt++) {
        try {
          // Whole or not at all: nobody may take it for one whose process is gone.
          linkSync(mine, this.#lock);
          return undefined;
        } catch (cause) {
          if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
        }
        const holder = this.holder();
        if (holder !== undefined) return holder;
        rmSync(this.#lock, { force: true });
      }
      return 0;
    } finally {
      rmSync(mine, { force: true });
    }
  }

  unlock(): void {
    rmSync(this.#lock, { force: true });
  }

  /** The process that uses the folder. */
  holder(): number | undefined {
    const holder = readJson(this.#lock) as { readonly pid: number; readonly started: string } | undefined;
    return holder !== undefined && isAlive(holder.pid, holder.started) ? holder.pid : undefined;
  }

  /** What the process last wrote; undefined when it never answered. */
  read(): ClusterState | undefined {
    return readJson(this.#state) as ClusterState | undefined;
  }

  /** The state of the process, when it is alive. */
  running(): ClusterState | undefined {
    const state = this.read();
    return state !== undefined && isAlive(state.pid, state.started) ? state : undefined;
  }

  lastLogLine(): string {
    try {
      return readFileSync(this.log, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    } catch {
      return '';
    }
  }

  /** Takes away what belongs to the cluster, and the folder when nothing else is in it. */
  remove(): void {
    for (const name of ['data', 'engine', 'log', 'lock', 'cluster.json.part', 'cluster.json'])
      rmSync(join(this.path, name), { recursive: true, force: true });
    try {
      rmdirSync(this.path);
    } catch {
      // Somebody's own files: they stay.
    }
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** When a process started, in the system's own count; empty where /proc does not tell. */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, which may hold anything; the 22nd is the start.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(pid: number, started: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = startOf(pid);
  return started === '' || now === '' || now === started;
}

/** Names of the clusters below `directory`, sorted. */
export function listClusters(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => NAME.test(name) && new ClusterDirectory(join(directory, name)).exists())
    .sort();
}
