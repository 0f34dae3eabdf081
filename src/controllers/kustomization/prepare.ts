import { Buffer } from 'node:buffer';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { upgraded } from '../../api/legacy.ts';
import { printRef, refOf } from '../../api/object.ts';
import { contentHash } from '../../apply/applied-memory.ts';
import type { Desired } from '../../apply/apply.ts';
import { normalise } from '../../apply/normalise.ts';
import { withMetadata } from '../../apply/owner.ts';
import { type JsonObject, stringifyJson } from '../../base/json.ts';
import type { BuildResult } from '../../build/build.ts';
import type { Remembered } from './memory.ts';
import { GROUP } from './plan.ts';

/** Objects as they are sent, with their hashes: made once per build and spec. `tell` hears of what is sent in another version than written. */
export function prepare(
  object: Kustomization,
  { objects }: BuildResult,
  remembered: Remembered,
  tell: (message: string) => void,
): readonly Desired[] {
  const common = stringifyJson((object.spec.commonMetadata ?? {}) as JsonObject);
  const last = remembered.prepared;
  if (last?.built === objects && last.common === common) return last.objects;
  const { namespace = '', name } = object.metadata;
  const owner = { group: GROUP, namespace, name };
  const old: string[] = [];
  const prepared = objects.map((written): Desired => {
    const built = upgraded(written) ?? written;
    if (built !== written) old.push(`${printRef(refOf(written))} is written in ${written.apiVersion}`);
    const labelled = withMetadata(normalise(built, base64), owner, object.spec.commonMetadata as never);
    return { object: labelled, hash: contentHash(labelled as unknown as JsonObject) };
  });
  if (old.length > 0) tell(`applied in v1, which has taken the place of older versions:\n${old.join('\n')}`);
  remembered.prepared = { built: objects, common, objects: prepared };
  return prepared;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
