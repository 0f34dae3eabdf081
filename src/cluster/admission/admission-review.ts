import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, isObject, stringAt, stringifyJson } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { goQuote } from '../apiserver/status.ts';
import type { StatusError } from '../registry.ts';

export const REVIEW_GROUP = 'admission.k8s.io';
const KNOWN_VERSIONS = ['v1', 'v1beta1'];

/** The first of a webhook's `admissionReviewVersions` that we speak. */
export function reviewVersion(accepted: readonly Json[]): string | undefined {
  return accepted.find((version): version is string => typeof version === 'string' && KNOWN_VERSIONS.includes(version));
}

export interface AdmissionResponse {
  readonly allowed: boolean;
  /** Base64 of a JSON patch; '' when there is none. */
  readonly patch: string;
  readonly patchType: string;
  readonly result: Json | undefined;
  readonly warnings: readonly string[];
}

/** Kinds of apimachinery that every scheme knows beside a webhook's own. */
const META_KINDS = ['Status', 'APIVersions', 'APIGroup', 'APIGroupList', 'APIResourceList'];

/** What decoding a review says wrong: its kind, then its fields' types. `group` and `kind` are the review's own. */
export function checkKind(review: Json, version: string, group: string, ownKind: string): string | undefined {
  const apiVersion = stringAt(review, 'apiVersion') ?? '';
  const kind = stringAt(review, 'kind') ?? '';
  if (apiVersion === '' && kind === '') return undefined;
  if (kind === '') return `Object 'Kind' is missing in '${stringifyJson(review)}'`;
  if (apiVersion === '') return `Object 'apiVersion' is missing in '${stringifyJson(review)}'`;
  const known =
    (kind === ownKind && KNOWN_VERSIONS.some((one) => apiVersion === `${group}/${one}`)) ||
    (apiVersion === 'v1' && META_KINDS.includes(kind));
  if (!known)
    return `no kind ${goQuote(kind)} is registered for version ${goQuote(apiVersion)} in scheme "pkg/runtime/scheme.go:110"`;
  if (kind === ownKind && apiVersion === `${group}/${version}`) return undefined;
  const own = apiVersion.slice(apiVersion.indexOf('/') + 1);
  return `converting (${own}.${kind}) to (${version}.${ownKind}): unknown conversion`;
}

const FIELD_TYPES: readonly (readonly [string, 'string' | 'boolean' | 'array' | 'object', string])[] = [
  ['uid', 'string', 'types.UID'],
  ['allowed', 'boolean', 'bool'],
  ['patch', 'string', '[]uint8'],
  ['patchType', 'string', 'v1.PatchType'],
  ['warnings', 'array', '[]string'],
  ['auditAnnotations', 'object', 'map[string]string'],
];

function goKind(value: Json): string {
  if (isArray(value)) return 'array';
  return typeof value === 'boolean'
    ? 'bool'
    : typeof value === 'object'
      ? 'object'
      : typeof value === 'string'
        ? 'string'
        : 'number';
}

/** What decoding an AdmissionReview says wrong. */
export function checkReview(review: Json, version: string): string | undefined {
  const wrong = checkKind(review, version, REVIEW_GROUP, 'AdmissionReview');
  if (wrong !== undefined) return wrong;
  const response = field(review, 'response');
  if (response === undefined || response === null) return undefined;
  if (!isObject(response))
    return `json: cannot unmarshal ${goKind(response)} into Go struct field AdmissionReview.response of type ${version}.AdmissionResponse`;
  for (const [name, type, go] of FIELD_TYPES) {
    const value = field(response, name);
    if (value === undefined || value === null) continue;
    const fits = type === 'array' ? isArray(value) : type === 'object' ? isObject(value) : typeof value === type;
    if (!fits)
      return `json: cannot unmarshal ${goKind(value)} into Go struct field AdmissionResponse.response.${name} of type ${go}`;
  }
  const patch = stringAt(response, 'patch') ?? '';
  const illegal = patch.search(/[^A-Za-z0-9+/=\r\n]/);
  if (illegal >= 0) return `illegal base64 data at input byte ${illegal}`;
  return undefined;
}

/** Source: kubernetes@1.34 apiserver/pkg/admission/plugin/webhook/request/admissionreview.go VerifyAdmissionResponse. */
export function verifyReview(
  review: Json,
  version: string,
  uid: string,
  mutating: boolean,
): Result<AdmissionResponse, string> {
  const response = field(review, 'response');
  if (!isObject(response)) return err('webhook response was absent');
  const patch = stringAt(response, 'patch') ?? '';
  const patchType = stringAt(response, 'patchType');
  const warnings = field(response, 'warnings');
  const answer = (type: string): AdmissionResponse => ({
    allowed: field(response, 'allowed') === true,
    patch: mutating ? patch : '',
    patchType: type,
    result: field(response, 'status') ?? undefined,
    warnings: isArray(warnings) ? warnings.filter((warning) => typeof warning === 'string') : [],
  });
  if (version === 'v1beta1') return ok(answer(patch === '' ? '' : 'JSONPatch'));
  const own = stringAt(response, 'uid') ?? '';
  if (own !== uid) return err(`expected response.uid=${goQuote(uid)}, got ${goQuote(own)}`);
  const apiVersion = stringAt(review, 'apiVersion') ?? '';
  const kind = stringAt(review, 'kind') ?? '';
  if (apiVersion !== `${REVIEW_GROUP}/v1` || kind !== 'AdmissionReview')
    return err(
      `expected webhook response of ${REVIEW_GROUP}/v1, Kind=AdmissionReview, got ${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`,
    );
  if (!mutating) {
    if (patch !== '') return err('validating webhook may not return response.patch');
    return patchType === undefined ? ok(answer('')) : err('validating webhook may not return response.patchType');
  }
  if (patch !== '' && patchType === undefined) return err('webhook returned response.patch but not response.patchType');
  if (patch === '' && patchType !== undefined) return err('webhook returned response.patchType but not response.patch');
  if (patchType === '') return err('webhook returned invalid response.patchType of ""');
  return ok(answer(patchType ?? ''));
}

/** A denial as the client sees it. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/webhook/errors/statuserror.go. */
export function denial(webhook: string, result: Json | undefined): StatusError {
  const deniedBy = `admission webhook ${goQuote(webhook)} denied the request`;
  const message = stringAt(result, 'message') ?? '';
  const reason = stringAt(result, 'reason') ?? '';
  const code = Number(field(result, 'code') ?? 0);
  const details = field(result, 'details');
  return {
    code: code < 400 ? 400 : code,
    reason,
    message:
      message !== ''
        ? `${deniedBy}: ${message}`
        : reason !== ''
          ? `${deniedBy}: ${reason}`
          : `${deniedBy} without explanation`,
    ...(isObject(details) ? { details: details as JsonObject } : {}),
  };
}
