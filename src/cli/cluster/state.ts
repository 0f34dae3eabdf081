import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClusterAccess } from './kubeconfig.ts';

/** What a cluster's process writes down about itself once it answers. */
export interface ClusterState extends ClusterAccess {
  readonly pid: number;
  readonly port: number;
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

  exists(): boolean {
    return existsSync(this.path);
  }

  make(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
  }

  write(state: ClusterState): void {
    writeFileSync(this.#state, JSON.stringify(state), { mode: 0o600 });
  }

  /** What the process last wrote; undefined when it never answered. */
  read(): ClusterState | undefined {
    try {
      return JSON.parse(readFileSync(this.#state, 'utf8')) as ClusterState;
    } catch {
      return undefined;
    }
  }

  /** The state of the process, when it is alive. */
  running(): ClusterState | undefined {
    const state = this.read();
    return state !== undefined && isAlive(state.pid, this.path) ? state : undefined;
  }

  lastLogLine(): string {
    try {
      return readFileSync(this.log, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    } catch {
      return '';
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A process id may have gone to another program meanwhile: where /proc tells, its arguments must name this cluster. */
function isAlive(pid: number, path: string): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(path);
  } catch {
    return true;
  }
}

export function listClusters(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}
