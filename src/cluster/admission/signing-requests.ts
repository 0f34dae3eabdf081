import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { field, isArray, isObject, put, stringAt } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { draft, kube } from '../apiserver/draft.ts';
import type { Admission } from '../apiserver/operation.ts';

const REQUESTER = ['username', 'uid', 'groups', 'extra'] as const;

/**
 * Requests for certificates carry who made them, whatever their maker writes, and a decision carries its time.
 * Source: kubernetes@1.34 pkg/registry/certificates/certificates/strategy.go.
 */
export function signingRequests(now: () => string): Admission {
  return {
    name: 'CertificateSigningRequest',
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
