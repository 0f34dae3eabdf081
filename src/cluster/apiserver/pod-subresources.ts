import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import { decodeBody } from './body.ts';
import { deleteObject, parseDeleteOptions } from './deletion.ts';
import { json, withField, withMeta } from './draft.ts';
import type { Kernel } from './kernel.ts';
import { selects } from './label-selector.ts';
import { chooseContainer } from './pod-log.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { isDryRun } from './request.ts';
import { badRequest, conflict, notFound } from './status.ts';
import { decodeObject, operationOf } from './write.ts';

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

/** `POST /pods/NAME/eviction`: a deletion that budgets may refuse. Source: kubernetes@1.34 pkg/registry/core/pod/storage/eviction.go. */
export async function podEviction(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { path, type } = request;
  const { namespace, name = '' } = path;
  const body = decodeBody(request.headers['content-type'], request.body, 'Eviction');
  if (!body.ok) return body;
  const evictions = { ...type, group: 'policy', version: 'v1', kind: 'Eviction' };
  const read = decodeObject(kernel, { ...request, type: evictions }, body.value);
  if (!read.ok) return read;
  const asked = stringAt(body.value.value, 'metadata', 'name') ?? '';
  if (asked !== '' && asked !== name) return err(badRequest('name in URL does not match name in Eviction object'));
  const pod = kernel.objects.entry(type, namespace, name)?.object;
  if (pod === undefined) return err(notFound(type, name));
  const given = field(body.value.value, 'deleteOptions');
  const options = parseDeleteOptions(isObject(given) ? given : undefined, request.query);
  if (!options.ok) return options;
  const phase = stringAt(pod.status, 'phase');
  const free =
    phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;
  const budgets = kernel.store
    .list('policy/poddisruptionbudgets', `${namespace ?? ''}/`)
    .filter((budget) => selects(field(budget.spec, 'selector'), pod.metadata.labels));
  if (!free && budgets.length > 1)
    return err({
      code: 500,
      reason: 'InternalError',
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    });
  const [budget] = budgets;
  if (!free && budget !== undefined) {
    const allowed = Number(field(budget.status, 'disruptionsAllowed') ?? 0);
    if (allowed <= 0)
      return err({
        code: 429,
        reason: 'TooManyRequests',
        message: "Cannot evict pod as it would violate the pod's disruption budget.",
        details: {
          causes: [
            {
              reason: 'DisruptionBudget',
              message: `The disruption budget ${budget.metadata.name} needs ${Number(field(budget.status, 'desiredHealthy') ?? 0)} healthy pods and has ${Number(field(budget.status, 'currentHealthy') ?? 0)} currently`,
            },
          ],
        },
      });
  }
  const operation = {
    ...operationOf(request, 'delete'),
    subresource: undefined,
    dryRun: isDryRun(request) || options.value.dryRun.includes('All'),
  };
  const deleted = await deleteObject(kernel.objects, operation, name, options.value);
  return deleted.ok ? ok(answer(SUCCESS, 201)) : deleted;
}

/** The container that an exec or attach goes to, none for a port-forward; the pod must be on a node. Source: kubernetes@1.34 pkg/registry/core/pod/strategy.go streamLocation. */
export function connectedContainer(
  kernel: Kernel,
  kind: string,
  namespace: string,
  name: string,
  query: URLSearchParams,
): Result<string | undefined, StatusError> {
  const pod = kernel.store.get('/pods', `${namespace}/${name}`)?.object;
  if (pod === undefined) return err(notFound({ group: '', plural: 'pods' }, name));
  const container = kind === 'portforward' ? ok(undefined) : chooseContainer(pod, query.get('container') ?? '');
  if (container.ok && (stringAt(pod.spec, 'nodeName') ?? '') === '')
    return err(badRequest(`pod ${name} does not have a host assigned`));
  return container;
}

/** `POST /pods/NAME/binding`: gives the pod its node. */
export async function podBinding(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const body = decodeBody(request.headers['content-type'], request.body, 'Binding');
  return body.ok ? bind(kernel, request, request.path.name as string, body.value.value) : body;
}

/** `POST /bindings`: the same, with the pod's name in the body. */
export async function bindPod(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const body = decodeBody(request.headers['content-type'], request.body, 'Binding');
  if (!body.ok) return body;
  return bind(kernel, request, stringAt(body.value.value, 'metadata', 'name') ?? '', body.value.value);
}

async function bind(
  kernel: Kernel,
  request: ResourceRequest,
  name: string,
  body: JsonObject,
): Promise<Result<Reply, StatusError>> {
  const type = kernel.table.stored('', 'pods');
  if (type === undefined) return err(notFound({ group: '', plural: 'pods' }, name));
  const outage = (message: string): Result<never, StatusError> => err({ code: 500, reason: '', message });
  if ((stringAt(body, 'metadata', 'name') ?? name) !== name)
    return err(badRequest('name in URL does not match name in Binding object'));
  const node = stringAt(body, 'target', 'name') ?? '';
  const kind = stringAt(body, 'target', 'kind') ?? '';
  // What is wrong with it comes as it is. (kubernetes@1.34 pkg/registry/core/pod/storage)
  if (kind !== '' && kind !== 'Node')
    return outage(`target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`);
  if (node === '') return outage('target.name: Required value');
  const metadata = body['metadata'];
  const annotations = isObject(metadata) ? field(metadata, 'annotations') : undefined;
  const operation = { ...operationOf(request, 'update'), type, name, subresource: 'binding' };
  const outcome = await kernel.objects.update(
    operation,
    name,
    (pod) => {
      const current = stringAt(pod.spec, 'nodeName') ?? '';
      if (pod.metadata.deletionTimestamp !== undefined)
        return err(
          conflict(
            { group: '', plural: 'pods/binding' },
            name,
            `pod ${name} is being deleted, cannot be assigned to a host`,
          ),
        );
      if (current !== '')
        return err(
          conflict(
            { group: '', plural: 'pods/binding' },
            name,
            `pod ${name} is already assigned to node ${JSON.stringify(current)}`,
          ),
        );
      const conditions = field(pod.status, 'conditions');
      const others = (isArray(conditions) ? conditions : []).filter((one) => field(one, 'type') !== 'PodScheduled');
      const status = json(pod)['status'];
      const scheduled: Json = {
        type: 'PodScheduled',
        status: 'True',
        lastProbeTime: null,
        lastTransitionTime: kernel.objects.now(),
      };
      const bound = withField(withField(pod, 'spec', { ...pod.spec, nodeName: node }), 'status', {
        ...(isObject(status) ? status : {}),
        conditions: [...others, scheduled],
      });
      return ok(
        withMeta(bound, (meta) => {
          if (isObject(annotations))
            meta.annotations = { ...meta.annotations, ...(annotations as Record<string, string>) };
        }),
      );
    },
    // A binding belongs to nobody.
    { derived: true, tracked: true },
  );
  return outcome.ok ? ok(answer(SUCCESS, 201)) : outcome;
}
