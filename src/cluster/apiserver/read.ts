import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Kernel } from './kernel.ts';
import { list, parseVersion } from './list.ts';
import { Presenter } from './present.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { notFound, tooLargeVersion } from './status.ts';
import { TablePrinter } from './table.ts';
import { STALL_MS, watch } from './watch.ts';
import { encodeEvents } from './watch-encoding.ts';

export function presenter(kernel: Kernel, request: ResourceRequest): Presenter {
  const tables = new TablePrinter(() => kernel.clock.now());
  return new Presenter(kernel.codec, tables, request.type, request.wanted, request.query);
}

export function get(kernel: Kernel, request: ResourceRequest): Result<Reply, StatusError> {
  const { type, path, query } = request;
  if (type.deprecation !== undefined) request.warn(type.deprecation);
  const version = parseVersion(query.get('resourceVersion'));
  if (!version.ok) return err({ code: 500, reason: '', message: version.error });
  if ((version.value ?? 0) > kernel.store.revision)
    return err(tooLargeVersion(version.value as number, kernel.store.revision));
  const entry = kernel.objects.entry(type, path.namespace, path.name as string);
  if (entry === undefined) return err(notFound(type, path.name as string));
  return ok(answer(presenter(kernel, request).object(entry.object)));
}

export async function listObjects(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  if (request.type.deprecation !== undefined) request.warn(request.type.deprecation);
  const listing = list(kernel.store, request.type, request.path.namespace, request.query);
  if (!listing.ok) return listing;
  const failed = await kernel.conversions.prepare(request.type, listing.value.items);
  if (failed !== undefined) return err(failed);
  return ok(answer(presenter(kernel, request).list(listing.value)));
}

export function watchObjects(kernel: Kernel, request: ResourceRequest): Result<Reply, StatusError> {
  const { type, path, query, signal } = request;
  if (type.deprecation !== undefined) request.warn(type.deprecation);
  const events = watch(
    kernel.store,
    kernel.clock,
    kernel.random,
    { type, namespace: path.namespace, name: path.name, query, signal },
    kernel.ended,
  );
  if (!events.ok) return events;
  const chunks = encodeEvents(kernel.conversions.ahead(type, events.value), presenter(kernel, request), kernel.watches);
  return ok({ status: 200, content: { kind: 'stream', chunks, type: 'application/json', stallMs: STALL_MS } });
}
