import type { KubeObject } from '../../api/object.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import { withMeta } from './draft.ts';
import type { Kernel } from './kernel.ts';
import type { Outcome } from './operation.ts';
import { apply } from './patch-apply.ts';
import { type MergeKind, patchKind, patchObject } from './patch-object.ts';
import { presenter } from './read.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { operationOf } from './write.ts';
import { checkWriteOptions } from './write-options.ts';

export async function patch(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, query } = request;
  const kind = patchKind(request);
  if (!kind.ok) return kind;
  const bad = checkWriteOptions('PatchOptions', query, kind.value === 'apply');
  if (bad !== undefined) return err(bad);
  if (type.deprecation !== undefined) request.warn(type.deprecation);
  return kind.value === 'apply' ? apply(kernel, request) : merge(kernel, request, kind.value);
}

async function merge(kernel: Kernel, request: ResourceRequest, kind: MergeKind): Promise<Result<Reply, StatusError>> {
  const { type, path } = request;
  const name = path.name as string;
  const transform = (current: KubeObject): Outcome => {
    const before = kernel.codec.fromStorage(type, current);
    const patched = patchObject(kernel, request, type, kind, before);
    return patched.ok ? ok(kernel.codec.toStorage(type, keepIdentity(patched.value, before))) : patched;
  };
  const outcome = await kernel.objects.update(operationOf(request, 'update'), name, transform, { derived: true });
  return outcome.ok ? ok(answer(presenter(kernel, request).object(outcome.value))) : outcome;
}

/** What no patch changes by leaving it out. */
function keepIdentity(object: KubeObject, before: KubeObject): KubeObject {
  return withMeta(object, (meta) => {
    meta.namespace ??= before.metadata.namespace;
  });
}
