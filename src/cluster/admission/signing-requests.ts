import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { equal, field, isArray, isObject, put, stringAt } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import type { Authorizer } from '../apiserver/authorizer.ts';
import { draft, kube } from '../apiserver/draft.ts';
import type { Admission, Attributes } from '../apiserver/operation.ts';
import { NOT_PEM, parseSigningRequest } from '../apiserver/signing-request.ts';
import { type Cause, forbidden, invalidValue } from '../apiserver/status.ts';
import { ADMINS } from '../apiserver/user.ts';
import type { StatusError } from '../registry.ts';

const SIGNERS = { group: 'certificates.k8s.io', version: '*', plural: 'signers' } as const;
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const REQUESTER = ['username', 'uid', 'groups', 'extra'] as const;

/**
 * Requests for certificates carry who made them, whatever their maker writes, and a decision carries its time.
 * Source: kubernetes@1.34 pkg/registry/certificates/certificates/strategy.go.
 */
export function signingRequests(now: () => string, authorizer: Authorizer): Admission {
  return {
    name: 'CertificateSigningRequest',
    validate: (attributes) => {
      const { type, verb, subresource, object, old } = attributes;
      if (type.storage !== 'certificates.k8s.io/certificatesigningrequests' || object === undefined) return undefined;
      if (verb === 'create' && (subresource ?? '') === '') return mastersRefused(attributes, object);
      if (verb !== 'update' || old === undefined) return undefined;
      if (subresource === 'approval') return unlessAllowed(authorizer, attributes, old, 'approve');
      const same = (key: string): boolean => equal(field(object.status, key) ?? null, field(old.status, key) ?? null);
      if (subresource !== 'status' || (same('certificate') && same('conditions'))) return undefined;
      return unlessAllowed(authorizer, attributes, old, 'sign');
    },
    mutate: ({ type, verb, subresource, user, object, old }) => {
      if (type.storage !== 'certificates.k8s.io/certificatesigningrequests') return ok(object);
      const request = draft(object);
      if (verb === 'create') {
        const given = request['spec'];
        const spec: MutableJsonObject = isObject(given) ? { ...given } : {};
        for (const key of REQUESTER) delete spec[key];
        put(spec, 'username', user.name);
        if (user.uid !== undefined && user.uid !== '') put(spec, 'uid', user.uid);
        put(spec, 'groups', [...user.groups]);
        if (Object.keys(user.extra).length > 0) put(spec, 'extra', user.extra as JsonObject);
        put(request, 'spec', spec);
      } else if (subresource === 'approval' || subresource === 'status') {
        const status = request['status'];
        const before = field(old?.status, 'conditions');
        const conditions = field(status, 'conditions');
        if (isObject(status) && isArray(conditions))
          put(request, 'status', {
            ...status,
            conditions: conditions.map((one) => timed(one, isArray(before) ? before : [], now())),
          });
      }
      return ok(kube(request));
    },
  };
}

/**
 * Approving and signing need leave for the request's signer, or for all signers of its domain.
 * Source: kubernetes@1.34 plugin/pkg/admission/certificates/{approval,signing}, util.go.
 */
function unlessAllowed(
  authorizer: Authorizer,
  { user, type }: Attributes,
  request: KubeObject,
  verb: 'approve' | 'sign',
): StatusError | undefined {
  const signer = stringAt(request.spec, 'signerName') ?? '';
  const names = [signer, `${signer.slice(0, Math.max(0, signer.indexOf('/')))}/*`];
  const allowed = names.some((name) => authorizer.authorize({ user, verb, resource: { ...SIGNERS, name } }).allowed);
  return allowed
    ? undefined
    : forbidden(
        type,
        request.metadata.name,
        `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`,
      );
}

/** Nobody gets a certificate of an administrator. Source: kubernetes@1.34 plugin/pkg/admission/certificates/subjectrestriction. */
function mastersRefused({ type }: Attributes, { metadata, spec }: KubeObject): StatusError | undefined {
  if (stringAt(spec, 'signerName') !== CLIENT_SIGNER) return undefined;
  const pem = Buffer.from(stringAt(spec, 'request') ?? '', 'base64').toString('latin1');
  const asked = parseSigningRequest(pem);
  // What cannot be read is told by the kind's own rules.
  if (!asked.ok || !asked.value.organisations.includes(ADMINS)) return undefined;
  return forbidden(type, metadata.name, `use of ${CLIENT_SIGNER} signer with ${ADMINS} group is not allowed`);
}

/** What is wrong with a request that is PEM, which its kind's own rules do not look into. Source: kubernetes@1.34 pkg/apis/certificates/validation. */
export function requestProblem(object: KubeObject): Cause | undefined {
  const request = stringAt(object.spec, 'request') ?? '';
  const asked = parseSigningRequest(Buffer.from(request, 'base64').toString('latin1'));
  return asked.ok || asked.error === NOT_PEM ? undefined : invalidValue('spec.request', request, asked.error);
}

function timed(condition: Json, before: readonly Json[], now: string): Json {
  if (!isObject(condition)) return condition;
  const same = before.find(
    (one) => field(one, 'type') === condition['type'] && field(one, 'status') === condition['status'],
  );
  return {
    ...condition,
    lastUpdateTime: condition['lastUpdateTime'] ?? now,
    lastTransitionTime: condition['lastTransitionTime'] ?? stringAt(same, 'lastTransitionTime') ?? now,
  };
}
