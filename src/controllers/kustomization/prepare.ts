import { Buffer } from 'node:buffer';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { contentHash } from '../../apply/applied-memory.ts';
import type { Desired } from '../../apply/apply.ts';
import { normalise } from '../../apply/normalise.ts';
import { withMetadata } from '../../apply/owner.ts';
import { type JsonObject, stringifyJson } from '../../base/json.ts';
import type { BuildResult } from '../../build/build.ts';
import type { Remembered } from './memory.ts';
import { GROUP } from './plan.ts';

/** Objects as they are sent, with their hashes: made once per build and spec. */
export function prepare(object: Kustomization, { objects }: BuildResult, remembered: Remembered): readonly Desired[] {
  const common = stringifyJson((object.spec.commonMetadata ?? {}) as JsonObject);
  const last = remembered.prepared;
  if (last?.built === objects && last.common === common) return last.objects;
  const { namespace = '', name } = object.metadata;
  const owner = { group: GROUP, namespace, name };
  const prepared = objects.map((built): Desired => {
    const labelled = withMetadata(normalise(built, base64), owner, object.spec.commonMetadata as never);
    return { object: labelled, hash: contentHash(labelled as unknown as JsonObject) };
  });
  remembered.prepared = { built: objects, common, objects: prepared };
  return prepared;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
