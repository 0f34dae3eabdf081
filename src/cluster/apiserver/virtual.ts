import type { Result } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Kernel } from './kernel.ts';
import type { Reply } from './reply.ts';
import type { ResourceRequest } from './request.ts';

/** Kinds that are answered and never stored (reviews, bindings); undefined for every other. */
export async function virtualCreate(
  _kernel: Kernel,
  _request: ResourceRequest,
): Promise<Result<Reply, StatusError> | undefined> {
  return undefined;
}
