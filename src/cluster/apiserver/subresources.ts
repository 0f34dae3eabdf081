import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Kernel } from './kernel.ts';
import { patch } from './patch.ts';
import { podLog } from './pod-log.ts';
import { connectedContainer, podBinding, podEviction } from './pod-subresources.ts';
import { proxyPod, proxyService } from './proxy.ts';
import { get } from './read.ts';
import type { Reply } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { readScale, writeScale } from './scale.ts';
import { badRequest, methodNotAllowed } from './status.ts';
import { createToken } from './token-request.ts';
import { update } from './write.ts';

const METHOD_VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** What an exec, attach or port-forward answers to a client that does not leave HTTP. */
function refuseWithoutUpgrade(
  kernel: Kernel,
  { path, query }: ResourceRequest,
  kind: string,
): Result<Reply, StatusError> {
  const container = connectedContainer(kernel, kind, path.namespace ?? '', path.name ?? '', query);
  return container.ok ? err(badRequest('Upgrade request required')) : container;
}

/** Subresources other than `status`. */
export async function handleSubresource(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path, method } = request;
  const sub = type.subresources.get(path.subresource as string);
  const verb = METHOD_VERBS[method];
  if (sub === undefined || verb === undefined || !sub.verbs.includes(verb)) return err(methodNotAllowed());
  switch (`${type.storage === '/pods' ? 'pods' : type.plural}/${sub.name}`) {
    case 'pods/log':
      return podLog(kernel, request);
    case 'pods/eviction':
      return podEviction(kernel, request);
    case 'pods/binding':
      return podBinding(kernel, request);
    case 'pods/exec':
    case 'pods/attach':
    case 'pods/portforward':
      return refuseWithoutUpgrade(kernel, request, sub.name);
    case 'pods/proxy':
      return proxyPod(kernel, request);
    case 'services/proxy':
      return proxyService(kernel, request);
    case 'serviceaccounts/token':
      return createToken(kernel, request);
    default:
      break;
  }
  if (sub.name === 'scale') return verb === 'get' ? readScale(kernel, request) : writeScale(kernel, request);
  if (verb === 'get') return get(kernel, request);
  if (verb === 'update') return update(kernel, request);
  if (verb === 'patch') return patch(kernel, request);
  return ok({
    status: 503,
    content: { kind: 'text', text: 'nothing to proxy to in a simulated cluster\n', type: 'text/plain' },
  });
}
