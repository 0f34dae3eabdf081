import type { Result } from '../../base/result.ts';
import { err } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Kernel } from './kernel.ts';
import type { Reply } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { methodNotAllowed } from './status.ts';

/** Subresources other than `status`. */
export async function handleSubresource(
  _kernel: Kernel,
  _request: ResourceRequest,
): Promise<Result<Reply, StatusError>> {
  return err(methodNotAllowed());
}
