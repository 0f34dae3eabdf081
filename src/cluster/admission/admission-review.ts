import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
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
