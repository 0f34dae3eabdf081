import { Buffer } from 'node:buffer';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { field, isObject } from '../../base/json.ts';
import type { Substitution } from '../../build/build.ts';
import { addVariables } from '../../engine/envsubst/object.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';

/** Reads the variables of `spec.postBuild`; undefined when it has none. Source: fluxcd/pkg@e2cfd1a kustomize loadVars. */
export async function readVariables(
  { metadata, spec }: Kustomization,
  client: KubeClient,
  strict: boolean,
): Promise<Substitution | undefined> {
  if (spec.postBuild === undefined) return undefined;
  const { substitute = {}, substituteFrom = [], substituteStrategy } = spec.postBuild;
  const variables = new Map<string, string>();
  const result = { variables, strict, always: substituteStrategy === 'Always' };
  for (const { kind, name, optional } of substituteFrom) {
    const namespace = metadata.namespace ?? '';
    const found = await client.get({ apiVersion: 'v1', kind, namespace, name });
    if (!found.ok) {
      if (optional === true && isNotFound(found.error)) continue;
      return { ...result, error: `substitute from '${kind}/${name}' error: ${found.error.message}` };
    }
    const data = field(found.value as unknown as Parameters<typeof field>[0], 'data');
    addVariables(variables, isObject(data) ? textEntries(data, kind === 'Secret') : []);
  }
  addVariables(variables, Object.entries(substitute));
  return result;
}

function textEntries(data: Readonly<Record<string, unknown>>, encoded: boolean): [string, string][] {
  return Object.entries(data).flatMap(([key, value]): [string, string][] => {
    if (typeof value !== 'string') return [];
    return [[key, encoded ? Buffer.from(value, 'base64').toString('utf8') : value]];
  });
}
