import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { at, field, isArray, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import { decodeBody } from './body.ts';
import type { Kernel } from './kernel.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { isDryRun } from './request.ts';
import type { BoundObject } from './service-account-tokens.ts';
import { ISSUER } from './service-account-tokens.ts';
import { badRequest, conflict, invalid, invalidValue, notFound } from './status.ts';

const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;

/** `POST /serviceaccounts/NAME/token`. Source: kubernetes@1.34 pkg/registry/core/serviceaccount/storage/token.go. */
export function createToken(kernel: Kernel, request: ResourceRequest): Result<Reply, StatusError> {
  const { path, type } = request;
  const { namespace = '', name = '' } = path;
  const body = decodeBody(request.headers['content-type'], request.body, 'TokenRequest');
  if (!body.ok) return body;
  const account = kernel.objects.entry(type, namespace, name)?.object;
  if (account === undefined) return err(notFound(type, name));
  const spec = field(body.value.value, 'spec');
  const seconds = Number(field(spec, 'expirationSeconds') ?? DEFAULT_SECONDS);
  const group = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
  if (seconds < MIN_SECONDS)
    return err(
      invalid(group, '', [
        invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'),
      ]),
    );
  if (seconds > MAX_SECONDS)
    return err(
      invalid(group, '', [
        invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds'),
      ]),
    );
  const asked = field(spec, 'audiences');
  const audiences = isArray(asked) && asked.length > 0 ? asked.map(String) : [ISSUER];
  const reference = field(spec, 'boundObjectRef');
  const bound = isObject(reference) ? bind(kernel, namespace, name, reference) : ok(undefined);
  if (!bound.ok) return bound;
  const token = isDryRun(request)
    ? ''
    : kernel.tokens.sign({
        namespace,
        account: name,
        uid: account.metadata.uid ?? '',
        audiences,
        seconds,
        ...(bound.value === undefined ? {} : { bound: bound.value }),
      });
  const expires = new Date(kernel.clock.now() + seconds * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z');
  return ok(
    answer(
      {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: {
          name,
          namespace,
          uid: account.metadata.uid ?? '',
          creationTimestamp: account.metadata.creationTimestamp ?? '',
        },
        spec: { audiences, expirationSeconds: seconds, boundObjectRef: isObject(reference) ? reference : null },
        status: { token, expirationTimestamp: expires },
      },
      201,
    ),
  );
}

function bind(kernel: Kernel, namespace: string, account: string, reference: Json): Result<BoundObject, StatusError> {
  const kind = stringAt(reference, 'kind') ?? '';
  const apiVersion = stringAt(reference, 'apiVersion') ?? '';
  const name = stringAt(reference, 'name') ?? '';
  if (apiVersion !== 'v1' || !['Pod', 'Secret', 'Node'].includes(kind)) {
    const shown = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
    return err(badRequest(`cannot bind token to object of type ${shown}, Kind=${kind}`));
  }
  const plural = `${kind.toLowerCase()}s`;
  const object: KubeObject | undefined = kernel.store.get(
    `/${plural}`,
    kind === 'Node' ? name : `${namespace}/${name}`,
  )?.object;
  if (object === undefined) return err(notFound({ group: '', plural }, name));
  const uid = at(reference, 'uid');
  if (typeof uid === 'string' && uid !== '' && uid !== object.metadata.uid)
    return err(
      conflict(
        { group: '', plural },
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      ),
    );
  if (kind === 'Pod' && stringAt(object.spec, 'serviceAccountName') !== account)
    return err(
      badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
      ),
    );
  return ok({ kind, name, uid: object.metadata.uid ?? '' });
}
