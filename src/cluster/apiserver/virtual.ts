import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Access } from './authorizer.ts';
import { json } from './draft.ts';
import type { Kernel } from './kernel.ts';
import { bindPod } from './pod-subresources.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { badRequest, invalid, invalidValue } from './status.ts';
import type { User } from './user.ts';
import { readObject } from './write.ts';

/** Kinds that are answered and never stored (reviews, bindings); undefined for every other. */
export async function virtualCreate(
  kernel: Kernel,
  request: ResourceRequest,
): Promise<Result<Reply, StatusError> | undefined> {
  const { group, plural } = request.type;
  if (group === '' && plural === 'bindings') return bindPod(kernel, request);
  if (group !== 'authentication.k8s.io' && group !== 'authorization.k8s.io') return undefined;
  const object = readObject(kernel, request);
  if (!object.ok) return object;
  const body = json(object.value);
  switch (plural) {
    case 'selfsubjectreviews':
      return reply(body, { userInfo: userInfo(request.user) }, kernel.objects.now());
    case 'tokenreviews':
      return tokenReview(kernel, body);
    case 'selfsubjectaccessreviews':
      return accessReview(kernel, body, request.user);
    case 'subjectaccessreviews':
    case 'localsubjectaccessreviews':
      return subjectReview(kernel, request, body);
    case 'selfsubjectrulesreviews':
      return rulesReview(kernel, body, request.user);
    default:
      return undefined;
  }
}

function reply(body: JsonObject, status: Json, created?: string): Result<Reply, StatusError> {
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  const { spec, ...rest } = body;
  return ok(
    answer(
      {
        ...rest,
        metadata: created === undefined ? metadata : { ...metadata, creationTimestamp: created },
        ...(spec === undefined ? {} : { spec }),
        status,
      },
      201,
    ),
  );
}

function userInfo({ name, uid, groups, extra }: User): JsonObject {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(Object.keys(extra).length === 0 ? {} : { extra: extra as JsonObject }),
  };
}

function tokenReview(kernel: Kernel, body: JsonObject): Result<Reply, StatusError> {
  const token = stringAt(body, 'spec', 'token') ?? '';
  const audiences = at(body, 'spec', 'audiences');
  if (token === '') return err(badRequest('token is required for TokenReview in authentication'));
  const verified = kernel.tokens.verify(
    token,
    isArray(audiences) && audiences.length > 0 ? audiences.map(String) : undefined,
  );
  if (!verified.ok) return reply(body, { user: {}, error: verified.error });
  return reply(body, { authenticated: true, user: userInfo(verified.value.user), audiences: verified.value.audiences });
}

function attributes(spec: Json | undefined): Omit<Access, 'user'> | undefined {
  const resource = field(spec, 'resourceAttributes');
  if (isObject(resource)) {
    const text = (key: string): string | undefined => stringAt(resource, key);
    const [namespace, name, subresource] = [text('namespace'), text('name'), text('subresource')];
    return {
      verb: text('verb') ?? '',
      resource: {
        group: text('group') ?? '',
        version: text('version') ?? '',
        plural: text('resource') ?? '',
        ...(namespace === undefined || namespace === '' ? {} : { namespace }),
        ...(name === undefined || name === '' ? {} : { name }),
        ...(subresource === undefined || subresource === '' ? {} : { subresource }),
      },
    };
  }
  const other = field(spec, 'nonResourceAttributes');
  if (!isObject(other)) return undefined;
  return { verb: stringAt(other, 'verb') ?? '', path: stringAt(other, 'path') ?? '' };
}

function accessReview(kernel: Kernel, body: JsonObject, user: User): Result<Reply, StatusError> {
  const access = attributes(body['spec']);
  if (access === undefined)
    return err(
      invalid({ group: 'authorization.k8s.io', kind: '' }, '', [
        invalidValue(
          'spec.resourceAttributes',
          null,
          'exactly one of nonResourceAttributes or resourceAttributes must be specified',
        ),
      ]),
    );
  const { allowed, reason } = kernel.authorizer.authorize({ ...access, user });
  return reply(body, { allowed, ...(reason === '' ? {} : { reason }) });
}

function subjectReview(kernel: Kernel, request: ResourceRequest, body: JsonObject): Result<Reply, StatusError> {
  const name = stringAt(body, 'spec', 'user') ?? '';
  const given = at(body, 'spec', 'groups');
  const groups = isArray(given) ? given.map(String) : [];
  const kind = { group: 'authorization.k8s.io', kind: '' };
  if (name === '' && groups.length === 0)
    return err(invalid(kind, '', [invalidValue('spec.user', '', 'at least one of user or group must be specified')]));
  if (request.type.namespaced) {
    const namespace = stringAt(body, 'spec', 'resourceAttributes', 'namespace') ?? '';
    if (namespace !== request.path.namespace)
      return err(
        invalid(kind, '', [
          invalidValue('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace'),
        ]),
      );
  }
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  const placed = request.type.namespaced
    ? { ...body, metadata: { ...metadata, namespace: request.path.namespace as string } }
    : body;
  return accessReview(kernel, placed, { name, groups, extra: {} });
}

function rulesReview(kernel: Kernel, body: JsonObject, user: User): Result<Reply, StatusError> {
  const namespace = stringAt(body, 'spec', 'namespace') ?? '';
  if (namespace === '') return err(badRequest('no namespace on request'));
  const seen = new Set<string>();
  // A member of system:masters has a rule of its own here, and the same one by its binding.
  const rules = kernel.rbac.rulesFor(user, namespace).filter((rule) => {
    const text = JSON.stringify(rule);
    return seen.size !== seen.add(text).size;
  });
  const resourceRules = rules
    .filter(({ resources }) => resources.length > 0)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames.length === 0 ? {} : { resourceNames }),
    }));
  const nonResourceRules = rules
    .filter(({ nonResourceURLs }) => nonResourceURLs.length > 0)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
  const status: MutableJsonObject = { resourceRules, nonResourceRules, incomplete: false };
  return reply({ ...body, spec: {} }, status);
}
