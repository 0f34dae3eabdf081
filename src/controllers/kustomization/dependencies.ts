import type { Kustomization } from '../../api/kinds/kustomization.ts';
import type { ObjectRef } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import type { KubeClient } from '../../kube/client.ts';
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
  readonly evaluate: ReadyExpression;
  /** Ready conditions count beside a `readyExpr`, too. */
  readonly additive: boolean;
}

export function dependencyRefs({ apiVersion, kind, metadata, spec }: Kustomization): readonly ObjectRef[] {
  return (spec.dependsOn ?? []).map(({ name, namespace }) => {
    return { apiVersion, kind, name, namespace: namespace || (metadata.namespace ?? '') };
  });
}

/** The first dependency that is not met; undefined when all are. Source: kustomize-controller@1.9 checkDependencies. */
export async function unmetDependency(
  object: Kustomization,
  revision: string,
  ports: DependencyPorts,
): Promise<Unmet | undefined> {
  const refs = dependencyRefs(object);
  for (const [index, ref] of refs.entries()) {
    const name = `${ref.namespace}/${ref.name}`;
    const found = await ports.client.get(ref);
    if (!found.ok) return { terminal: false, message: `dependency '${name}' not found: ${found.error.message}` };
    const dependency = found.value as unknown as Kustomization;
    const expression = object.spec.dependsOn?.[index]?.readyExpr ?? '';
    if (expression !== '') {
      const self = object as unknown as JsonObject;
      const ready = ports.evaluate(expression, self, found.value as unknown as JsonObject);
      if (typeof ready !== 'boolean') return ready;
      if (!ready) return { terminal: false, message: `dependency '${name}' is not ready according to readyExpr eval` };
      if (!ports.additive) continue;
    }
    const observed = dependency.status?.observedGeneration;
    if (observed !== dependency.metadata.generation || conditionOf(dependency, 'Ready')?.status !== 'True') {
      return { terminal: false, message: `dependency '${name}' is not ready` };
    }
    if (sameSource(object, dependency) && dependency.status?.lastAppliedRevision !== revision) {
      return { terminal: false, message: `dependency '${name}' revision is not up to date` };
    }
  }
  return undefined;
}

function sameSource(a: Kustomization, b: Kustomization): boolean {
  const [one, other] = [sourceRef(a), sourceRef(b)];
  return one.kind === other.kind && one.name === other.name && one.namespace === other.namespace;
}
