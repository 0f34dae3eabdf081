import type { YamlNode } from '../yaml/node.ts';
import { fieldOf } from './node-edit.ts';
import type { Resource } from './resource.ts';

/** A resource as those see it that may name it: it keeps what the object itself loses at the end of a build. */
export type Referral = Pick<
  Resource,
  'id' | 'kind' | 'name' | 'namespace' | 'originalId' | 'previousIds' | 'renamings' | 'toYaml'
>;

/** The reading of a resource file. */
export interface FileEvent {
  readonly kind: 'file';
  readonly place: string;
  readonly path: string;
  readonly identities: readonly string[];
  /** How often the file had been read for its objects before. */
  readonly use: number;
  /** Its place among the events of its build. */
  readonly position: number;
}

/** What happens in a build that a later one must know, even where it takes the result. */
export type TrackEvent =
  | FileEvent
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'inseparable' }
  /** A kustomization is entered. */
  | { readonly kind: 'root'; readonly root: string; readonly depth: number };

/** What a build that makes only a part again must know of the one before. */
interface EarlierBuild {
  readonly referrals: readonly Referral[];
  readonly placed: ReadonlyMap<string, string>;
}

/** What a build notes while it runs, and, where it makes only a part again, what it leaves out. */
export class BuildTrack {
  /** Whether objects depend on each other by nothing but their names. */
  separable = true;
  readonly placed: Map<string, string> = new Map();
  readonly identities: Map<string, readonly string[]> = new Map();
  readonly sources: Map<Resource, { readonly event: FileEvent; readonly index: number }> = new Map();
  readonly events: TrackEvent[] = [];
  /** Whether the build is made of nothing but files in the tree. */
  repeatable = true;
  referrals: readonly Referral[] = [];
  /** With it, only the objects of these files are made. */
  readonly only: ReadonlySet<string> | undefined;
  private readonly before: EarlierBuild | undefined;
  private readonly uses = new Map<string, number>();
  private readonly reads = new Map<string, number>();

  constructor(before?: EarlierBuild, only?: ReadonlySet<string>) {
    this.before = before;
    this.only = only;
    if (before !== undefined) this.referrals = before.referrals;
  }

  /** Whether the file that `place` names is left out of this build. */
  leavesOut(place: string): boolean {
    if (this.only === undefined) return false;
    const path = this.before?.placed.get(place);
    return path !== undefined && !this.only.has(path);
  }

  noteRead(path: string): void {
    this.events.push({ kind: 'read', path });
    this.reads.set(path, (this.reads.get(path) ?? 0) + 1);
  }

  otherReads(): ReadonlyMap<string, number> {
    return new Map([...this.reads].map(([path, count]) => [path, count - (this.uses.get(path) ?? 0)]));
  }

  /** Notes that `resources` are what the file at `path` holds. */
  note(place: string, path: string, resources: readonly Resource[]): void {
    const event = this.noteFile(place, path, resources.map(identityOf));
    for (const [index, resource] of resources.entries()) this.sources.set(resource, { event, index });
  }

  private noteFile(place: string, path: string, identities: readonly string[]): FileEvent {
    this.placed.set(place, path);
    const use = this.uses.get(path) ?? 0;
    this.uses.set(path, use + 1);
    this.identities.set(path, identities);
    const event: FileEvent = { kind: 'file', place, path, identities, use, position: this.events.length };
    this.events.push(event);
    return event;
  }

  /** Notes that an object's content may reach other objects. */
  noteInseparable(): void {
    this.separable = false;
    this.events.push({ kind: 'inseparable' });
  }

  noteRoot(root: string, depth: number): void {
    this.events.push({ kind: 'root', root, depth });
  }

  /** Notes what happened when something was built that is now taken as it was, `deeper` than it lay then. */
  replay(event: TrackEvent, deeper: number): void {
    if (event.kind === 'read') this.noteRead(event.path);
    else if (event.kind === 'file') this.noteFile(event.place, event.path, event.identities);
    else if (event.kind === 'root') this.noteRoot(event.root, event.depth + deeper);
    else this.noteInseparable();
  }

  /** Where `resource` was read: path, use and index; '' for one that was generated. */
  sourceOf(resource: Resource): string {
    const source = this.sources.get(resource);
    return source === undefined ? '' : `${source.event.path}\0${source.event.use}\0${source.index}`;
  }
}

/** All by which another object, a selector or a rule could know this one. */
function identityOf(resource: Resource): string {
  return `${resource.apiVersion()}\0${resource.kind()}\0${nodeText(fieldOf(resource.node, 'metadata'))}`;
}

function nodeText(node: YamlNode | undefined): string {
  if (node === undefined) return '';
  return JSON.stringify([node.kind, node.tag, node.style, node.value, node.content.map(nodeText)]);
}

/** What others see of `resource`, as it is now. */
export function referralOf(resource: Resource): Referral {
  const [id, original, previous] = [resource.id(), resource.originalId(), [...resource.previousIds()]];
  const renamings = resource.renamings();
  const [kind, name, namespace] = [resource.kind(), resource.name(), resource.namespace()];
  return {
    id: () => id,
    kind: () => kind,
    name: () => name,
    namespace: () => namespace,
    originalId: () => original,
    previousIds: () => previous,
    renamings: () => renamings,
    toYaml: () => resource.toYaml(),
  };
}
