import type { YamlNode } from '../yaml/node.ts';
import { Accumulator } from './accumulator.ts';
import type { BuildTrack, FileEvent, TrackEvent } from './build-track.ts';
import type { Loader } from './load.ts';
import type { Resource } from './resource.ts';
import type { TransformerConfig } from './transformer-config.ts';
import type { VarSet } from './vars.ts';

/** Of one build: about 150 bytes each. */
const MAX_NODES = 250_000;

/** What a kustomization below another came to, as it was before that other one worked on it. */
export interface Layer {
  /** All that happened while it was built. */
  readonly events: readonly TrackEvent[];
  readonly warnings: readonly string[];
  readonly resources: readonly Resource[];
  /** For each resource: which event read it, and the how manieth object of that file it is. */
  readonly sources: readonly ({ readonly event: number; readonly index: number } | undefined)[];
  readonly config: TransformerConfig;
  readonly vars: VarSet;
  /** YAML nodes of its resources. */
  readonly nodes: number;
  readonly depth: number;
}

/** Layers by their directory in the tree. */
export type KeptLayers = ReadonlyMap<string, Layer>;

/** What building a layer shares with the whole build. */
interface Shared {
  readonly warnings: string[];
  readonly filesRead: Set<string>;
}

/** Where in the course of a build a layer began. */
export interface LayerStart {
  readonly events: number;
  readonly warnings: number;
}

/** The layers of one build: those that an earlier build left and no change touches, and those that it makes itself. */
export class Layers {
  /** Whether anything comes from an earlier build. */
  reused = false;
  private readonly track: BuildTrack;
  private readonly before: KeptLayers;
  private readonly changed: ReadonlySet<string>;
  private readonly made = new Map<string, Layer>();
  private madeNodes = 0;

  /** @param changed files that are no longer as `before` saw them */
  constructor(track: BuildTrack, before: KeptLayers = new Map(), changed: ReadonlySet<string> = new Set()) {
    this.track = track;
    this.before = before;
    this.changed = changed;
  }

  /** What the kustomization at `loader` comes to, if that is known. */
  take(loader: Loader, { warnings, filesRead }: Shared): Accumulator | undefined {
    const { track } = this;
    if (!track.repeatable) return undefined;
    const key = loader.rootInTree;
    const layer = this.made.get(key) ?? this.clean(key);
    if (layer === undefined || !loader.mayEnterAll(rootsIn(layer))) return undefined;
    const start = track.events.length;
    for (const event of layer.events) {
      track.replay(event, loader.depth - layer.depth);
      if (event.kind === 'read') filesRead.add(event.path);
    }
    warnings.push(...layer.warnings);
    const accumulator = new Accumulator();
    const copies = layer.resources.map((resource) => resource.copy());
    for (const [index, source] of layer.sources.entries()) {
      if (source === undefined) continue;
      const event = track.events[start + source.event] as FileEvent;
      track.sources.set(copies[index] as Resource, { event, index: source.index });
    }
    accumulator.resources.appendAll(copies);
    accumulator.config = layer.config;
    accumulator.vars = layer.vars;
    return accumulator;
  }

  private clean(key: string): Layer | undefined {
    const layer = this.before.get(key);
    if (layer === undefined) return undefined;
    if (hasRead(layer, this.changed)) return undefined;
    this.reused = true;
    this.put(key, layer);
    // What is below is as clean, and the next change may be there.
    for (const { root } of rootsIn(layer)) {
      const below = this.before.get(root);
      if (below !== undefined && !this.made.has(root)) this.put(root, below);
    }
    return layer;
  }

  begin({ warnings }: Shared): LayerStart {
    return { events: this.track.events.length, warnings: warnings.length };
  }

  /** Keeps what the kustomization at `loader` came to, where that is worth its memory. */
  keep(start: LayerStart, loader: Loader, { resources, config, vars }: Accumulator, { warnings }: Shared): void {
    const { track } = this;
    const key = loader.rootInTree;
    if (!track.repeatable || !isKept(loader.depth) || this.made.has(key)) return;
    const room = MAX_NODES - this.shallowerNodes(loader.depth);
    let nodes = 0;
    for (const { node } of resources.list) {
      nodes += node === undefined ? 0 : countNodes(node);
      if (nodes > room) return;
    }
    const sources = resources.list.map((resource) => {
      const source = track.sources.get(resource);
      return source && { event: source.event.position - start.events, index: source.index };
    });
    this.put(key, {
      events: track.events.slice(start.events),
      warnings: warnings.slice(start.warnings),
      resources: resources.list.map((resource) => resource.copy()),
      sources,
      config,
      vars,
      nodes,
      depth: loader.depth,
    });
  }

  private shallowerNodes(depth: number): number {
    let nodes = 0;
    for (const layer of this.made.values()) if (layer.depth <= depth) nodes += layer.nodes;
    return nodes;
  }

  /** The nearer to what is built, the more a layer saves: of too many, the deepest go. */
  private put(key: string, layer: Layer): void {
    this.made.set(key, layer);
    this.madeNodes += layer.nodes;
    if (this.madeNodes <= MAX_NODES) return;
    for (const [other, { nodes }] of [...this.made].sort(([, a], [, b]) => b.depth - a.depth)) {
      if (this.madeNodes <= MAX_NODES) return;
      this.made.delete(other);
      this.madeNodes -= nodes;
    }
  }

  /** What the next build may take. */
  kept(): KeptLayers {
    return this.made;
  }
}

/** `layers` but for those that hold what a `changed` file said. */
export function untouched(layers: KeptLayers, changed: ReadonlySet<string>): KeptLayers {
  return new Map([...layers].filter(([, layer]) => !hasRead(layer, changed)));
}

function hasRead({ events }: Layer, files: ReadonlySet<string>): boolean {
  return events.some((event) => event.kind === 'read' && files.has(event.path));
}

/** YAML nodes of all `layers`. */
export function nodesOf(layers: KeptLayers): number {
  let nodes = 0;
  for (const layer of layers.values()) nodes += layer.nodes;
  return nodes;
}

/** With these, a change anywhere in a chain makes at most about twice the layers again that it must. */
function isKept(depth: number): boolean {
  const below = depth - 1;
  return below <= 4 || (below & (below - 1)) === 0;
}

function rootsIn(layer: Layer): { readonly root: string; readonly below: number }[] {
  return layer.events.flatMap((event) =>
    event.kind === 'root' ? [{ root: event.root, below: event.depth - layer.depth }] : [],
  );
}

/** Infinite where the node points at one that others share: a copy would share it as well. */
function countNodes(node: YamlNode): number {
  if (node.alias !== undefined) return Number.POSITIVE_INFINITY;
  let count = 1;
  for (const child of node.content) count += countNodes(child);
  return count;
}
