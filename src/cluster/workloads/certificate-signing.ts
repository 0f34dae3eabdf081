import { createPrivateKey } from 'node:crypto';
import type { Json, JsonObject } from '../../base/json.ts';
import { signRequest } from '../apiserver/pki.ts';
import { parseSigningRequest, type SigningRequest } from '../apiserver/signing-request.ts';
import { CONTROLLER_MANAGER, type Context, itself, splitKey, type WorkloadController } from './context.ts';
import { SIGNING_REQUESTS } from './resources.ts';
import { type Stored, shaped } from './shapes.ts';
import { timeText } from './times.ts';
import { writeStatus } from './writes.ts';

type Request = Stored<
  {
    readonly request: string;
    readonly signerName: string;
    readonly usages?: readonly string[];
    readonly expirationSeconds?: number;
  },
  { readonly certificate?: string; readonly conditions?: readonly JsonObject[] }
>;

const MINUTE_MS = 60_000;
/** Source: kubernetes@1.34 cmd/kube-controller-manager --cluster-signing-duration. */
const LONGEST_MS = 365 * 24 * 60 * MINUTE_MS;
const BACKDATE_MS = 5 * MINUTE_MS;
/** Certificates that last less are not shortened by what they begin in the past. */
const SHORT_MS = 8 * 60 * MINUTE_MS;

const NODES_GROUP = 'system:nodes';
const NODE_PREFIX = 'system:node:';

/**
 * Signs approved requests of the signers of `kubernetes.io` with the cluster's authority, and fails those that ask for
 * what their signer does not give. Source: kubernetes@1.34 pkg/controller/certificates/signer, pkg/apis/certificates/helpers.go.
 */
export function certificateSigningController(
  { registry, clock }: Context,
  authorityKeyPem: string,
): WorkloadController {
  const authorityKey = createPrivateKey(authorityKeyPem);
  return {
    name: 'csrsigning',
    watches: [{ resource: SIGNING_REQUESTS, keys: itself }],
    async sync(key) {
      const stored = registry.get(SIGNING_REQUESTS, undefined, splitKey(key).name);
      if (stored === undefined) return undefined;
      const request = shaped<Request>(stored);
      const { spec, status } = request;
      const problemOf = SIGNERS[spec.signerName];
      const has = (type: string): boolean =>
        (status?.conditions ?? []).some((one) => one['type'] === type && one['status'] === 'True');
      if (problemOf === undefined || !has('Approved') || has('Denied') || has('Failed')) return undefined;
      if (status?.certificate !== undefined && status.certificate !== '') return undefined;
      const asked = parseSigningRequest(Buffer.from(spec.request, 'base64').toString('latin1'));
      if (!asked.ok) return undefined;
      const usages = spec.usages ?? [];
      const problem = problemOf(asked.value, usages);
      const now = clock.now();
      if (problem !== undefined) {
        const at = timeText(now);
        const failed = {
          type: 'Failed',
          status: 'True',
          reason: 'SignerValidationFailure',
          message: problem,
          lastUpdateTime: at,
          lastTransitionTime: at,
        };
        const conditions = [...(status?.conditions ?? []), failed];
        await writeStatus(registry, SIGNING_REQUESTS, request, { ...status, conditions }, CONTROLLER_MANAGER);
        return undefined;
      }
      const wanted = spec.expirationSeconds === undefined ? LONGEST_MS : spec.expirationSeconds * 1000;
      const lasts = Math.max(10 * MINUTE_MS, Math.min(LONGEST_MS, wanted));
      const certificate = signRequest(authorityKey, {
        ...asked.value,
        use: usages,
        notBeforeMs: now - BACKDATE_MS,
        notAfterMs: now + (lasts < SHORT_MS ? lasts : lasts - BACKDATE_MS),
      });
      const signed = { ...status, certificate: Buffer.from(certificate).toString('base64') };
      await writeStatus(registry, SIGNING_REQUESTS, request, signed, CONTROLLER_MANAGER);
      return undefined;
    },
  };
}

type Problem = (asked: SigningRequest, usages: readonly string[]) => string | undefined;

/** Why a signer refuses; undefined when it signs. */
const SIGNERS: { readonly [name: string]: Problem } = {
  'kubernetes.io/kube-apiserver-client': (_asked, usages) => {
    const other = usages.find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage));
    if (other !== undefined) return `invalid usage for client certificate: ${other}`;
    return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
  },
  'kubernetes.io/kube-apiserver-client-kubelet': (asked, usages) =>
    notNodes(asked) ??
    (asked.names.dns > 0 ? 'DNS subjectAltNames are not allowed' : undefined) ??
    (asked.names.email > 0 ? 'Email subjectAltNames are not allowed' : undefined) ??
    (asked.names.ip > 0 ? 'IP subjectAltNames are not allowed' : undefined) ??
    (asked.names.uri > 0 ? 'URI subjectAltNames are not allowed' : undefined) ??
    notNode(asked) ??
    otherUsages(usages, 'client auth'),
  'kubernetes.io/kubelet-serving': (asked, usages) =>
    notNodes(asked) ??
    (asked.names.dns + asked.names.ip === 0 ? 'DNS or IP subjectAltName is required' : undefined) ??
    (asked.names.email > 0 ? 'Email subjectAltNames are not allowed' : undefined) ??
    (asked.names.uri > 0 ? 'URI subjectAltNames are not allowed' : undefined) ??
    otherUsages(usages, 'server auth') ??
    notNode(asked),
  'kubernetes.io/legacy-unknown': () => undefined,
};

function notNodes({ organisations }: SigningRequest): string | undefined {
  const [only, ...more] = organisations;
  return only === NODES_GROUP && more.length === 0 ? undefined : `subject organization is not ${NODES_GROUP}`;
}

function notNode({ commonName }: SigningRequest): string | undefined {
  return commonName.startsWith(NODE_PREFIX) ? undefined : `subject common name does not begin with ${NODE_PREFIX}`;
}

/** Keys that cannot encipher leave that usage out. */
function otherUsages(usages: readonly string[], own: string): string | undefined {
  const wanted = ['digital signature', 'key encipherment', own].toSorted();
  const given = new Set<Json>([...usages, 'key encipherment']);
  return given.size === wanted.length && wanted.every((usage) => given.has(usage))
    ? undefined
    : `usages did not match [${wanted.join(' ')}]`;
}
