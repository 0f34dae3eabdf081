import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { type KubeObject, type ObjectRef, refOf } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import type { KubeClient, KubeError } from '../../kube/client.ts';
import { cycleOf, dependencyRefs, type Lookup, printDependency, rootOf } from './dependency-graph.ts';
import { conditionOf } from './plan.ts';
import { sourceRef } from './source.ts';

/** A dependency that is not met. `terminal`: no retry helps, the expression is wrong. */
export interface Unmet {
  readonly terminal: boolean;
  /** As Flux words it. */
  readonly message: string;
}

/** Evaluates a `readyExpr` over the dependent (`self`) and the dependency (`dep`). */
export type ReadyExpression = (expression: string, self: JsonObject, dep: JsonObject) => boolean | Unmet;

export interface DependencyPorts {
  readonly client: KubeClient;
  /**
   * Reads what is of another kind: an expression sees all of it, so that nobody may see more than the account that the Kustomization
   * is applied as. Flux reads Kustomizations as itself, of any namespace.
   */
  readonly tenant: KubeClient;
  readonly noCrossNamespaceRefs: boolean;
  readonly evaluate: ReadyExpression;
  /** Ready conditions count beside a `readyExpr`, too. */
  readonly additive: boolean;
  /** Finds objects that watches know, for the message. */
  readonly lookup: Lookup;
  /** Whether an object of another kind is ready: kstatus. */
  readonly isCurrent: (object: KubeObject) => boolean;
  /** Told of a dependency of another kind that is not met: its changes are a cause to look again. */
  readonly awaits: (ref: ObjectRef) => Promise<void>;
}

/** The first dependency that is not met; undefined when all are. Source: kustomize-controller@1.9 checkDependencies. */
export async function unmetDependency(
  object: Kustomization,
  revision: string,
  ports: DependencyPorts,
): Promise<Unmet | undefined> {
  const refs = dependencyRefs(object as unknown as KubeObject);
  for (const [index, ref] of refs.entries()) {
    const unmet = await judge(object, revision, ref, object.spec.dependsOn?.[index]?.readyExpr ?? '', ports);
    if (unmet === undefined) continue;
    if (ref.kind === object.kind && isHiddenFrom(object, ports)(ref)) {
      const seen = await ports.tenant.get(ref);
      if (!seen.ok) return { terminal: false, message: notFound(ref, object, seen.error) };
    }
    if (ref.kind !== object.kind) await ports.awaits(ref);
    return unmet;
  }
  return undefined;
}

async function judge(
  object: Kustomization,
  revision: string,
  ref: ObjectRef,
  expression: string,
  ports: DependencyPorts,
): Promise<Unmet | undefined> {
  const name = printDependency(ref, object.kind);
  if (ref.apiVersion === '') {
    return { terminal: false, message: `dependency '${name}' needs an apiVersion: its kind is none of Flux's` };
  }
  const isOther = ref.kind !== object.kind || ref.apiVersion !== object.apiVersion;
  const isHidden = isHiddenFrom(object, ports);
  if (isOther && isHidden(ref)) {
    const message = `can't access '${ref.kind}/${ref.namespace}/${ref.name}', cross-namespace references have been blocked`;
    return { terminal: false, message };
  }
  // An expression tells all that it sees, bit by bit.
  const reader = isOther || (isHidden(ref) && expression !== '') ? ports.tenant : ports.client;
  const found = await reader.get(ref);
  if (!found.ok) return { terminal: false, message: notFound(ref, object, found.error) };
  const dependency = found.value as unknown as Kustomization;
  if (expression !== '') {
    const self = object as unknown as JsonObject;
    const ready = ports.evaluate(expression, self, found.value as unknown as JsonObject);
    if (typeof ready !== 'boolean') return ready;
    if (!ready) return { terminal: false, message: `dependency '${name}' is not ready according to readyExpr eval` };
    if (!ports.additive) return undefined;
  }
  if (!(ref.kind === object.kind ? isReady(dependency) : ports.isCurrent(found.value))) {
    return { terminal: false, message: `dependency '${name}' is not ready${why(object, ref, ports)}` };
  }
  if (ref.kind !== object.kind || !sameSource(object, dependency)) return undefined;
  return dependency.status?.lastAppliedRevision === revision
    ? undefined
    : { terminal: false, message: `dependency '${name}' revision is not up to date` };
}

function notFound(ref: ObjectRef, { kind }: Kustomization, { message }: KubeError): string {
  return `dependency '${printDependency(ref, kind)}' not found: ${message}`;
}

function isReady(dependency: Kustomization): boolean {
  const observed = dependency.status?.observedGeneration;
  return observed === dependency.metadata.generation && conditionOf(dependency, 'Ready')?.status === 'True';
}

/**
 * Whether a reference leads where a tenant must not look: under `--no-cross-namespace-refs`, out of its own namespace. Flux lets any
 * Kustomization wait for any other all the same, and repositories do: that stays, and tells no more than whether it waits, but to an account that may look there.
 */
function isHiddenFrom({ metadata }: Kustomization, ports: DependencyPorts): (ref: ObjectRef) => boolean {
  return ({ namespace }) => ports.noCrossNamespaceRefs && namespace !== metadata.namespace;
}

/** What Flux leaves to be found out: the cycle, or the end of the chain. Where the dependency itself is what fails there is no more to say. */
function why(object: Kustomization, ref: ObjectRef, ports: DependencyPorts): string {
  const isHidden = isHiddenFrom(object, ports);
  const lookup: Lookup = (of) => (isHidden(of) ? undefined : ports.lookup(of));
  const own = refOf(object as unknown as KubeObject);
  const cycle = cycleOf(own, lookup);
  if (cycle !== undefined) {
    return `: dependency cycle: ${cycle.map((step) => printDependency(step, object.kind)).join(' -> ')}`;
  }
  const root = rootOf(ref, lookup);
  if (root === undefined) return '';
  const blocker = `: blocked by '${printDependency(root.ref, object.kind)}'`;
  return isHidden(root.ref) ? blocker : `${blocker} (${root.reason})`;
}

function sameSource(a: Kustomization, b: Kustomization): boolean {
  const [one, other] = [sourceRef(a), sourceRef(b)];
  return one.kind === other.kind && one.name === other.name && one.namespace === other.namespace;
}
