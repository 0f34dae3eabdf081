import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { equal, field, isObject, stringAt } from '../../base/json.ts';
import { parseGoUrl } from '../../engine/cel/go-url.ts';
import { dns1035Label, dns1123Subdomain } from '../../engine/schema/names.ts';
import { json } from '../apiserver/draft.ts';
import type { Cause } from '../apiserver/status.ts';
import { duplicate, invalidValue, required } from '../apiserver/status.ts';
import { listOf } from './match-resources.ts';
import {
  FAILURE_POLICIES,
  MATCH_POLICIES,
  oneOf,
  validateMatchConditions,
  validateRule,
  validateSelector,
} from './rules-validation.ts';

const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const OLD_SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];
const REINVOCATION = ['IfNeeded', 'Never'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

/**
 * What a ValidatingWebhookConfiguration or MutatingWebhookConfiguration says wrong; what an old one had wrong it may keep.
 * Source: kubernetes@1.34 pkg/apis/admissionregistration/validation.
 */
export function validateWebhooks(configuration: KubeObject, old: KubeObject | undefined): readonly Cause[] {
  const hooks = listOf(json(configuration), 'webhooks');
  const before = old === undefined ? undefined : listOf(json(old), 'webhooks');
  const strict = (test: (hook: Json) => boolean): boolean => before === undefined || before.every(test);
  const allowed = strict((hook) => SIDE_EFFECTS.includes(stringAt(hook, 'sideEffects') ?? ''))
    ? SIDE_EFFECTS
    : OLD_SIDE_EFFECTS;
  const recognized = strict((hook) => {
    const versions = listOf(hook, 'admissionReviewVersions');
    return (
      versions.length === 0 ||
      versions.some((version) => typeof version === 'string' && REVIEW_VERSIONS.includes(version))
    );
  });
  const sameConditions =
    before !== undefined &&
    before.length === hooks.length &&
    hooks.every((hook, index) => equal(listOf(hook, 'matchConditions'), listOf(before[index], 'matchConditions')));
  const causes: Cause[] = [];
  const names = new Set<string>();
  for (const [index, hook] of hooks.entries()) {
    const path = `webhooks[${index}]`;
    causes.push(...validateWebhook(hook, path, allowed, sameConditions));
    causes.push(
      ...validateVersions(listOf(hook, 'admissionReviewVersions'), recognized, `${path}.admissionReviewVersions`),
    );
    const name = stringAt(hook, 'name') ?? '';
    if (name !== '' && names.has(name)) causes.push(duplicate(`${path}.name`, name));
    names.add(name);
  }
  return causes;
}

function validateWebhook(
  hook: Json,
  path: string,
  sideEffects: readonly string[],
  sameConditions: boolean,
): readonly Cause[] {
  const causes: Cause[] = [...validateFullName(stringAt(hook, 'name') ?? '', `${path}.name`)];
  for (const [index, rule] of listOf(hook, 'rules').entries())
    causes.push(...validateRule(rule, `${path}.rules[${index}]`));
  causes.push(...oneOf(field(hook, 'failurePolicy'), FAILURE_POLICIES, `${path}.failurePolicy`));
  causes.push(...oneOf(field(hook, 'matchPolicy'), MATCH_POLICIES, `${path}.matchPolicy`));
  const effects = field(hook, 'sideEffects');
  if (effects === undefined)
    causes.push(required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(', ')}`));
  causes.push(...oneOf(effects, sideEffects, `${path}.sideEffects`));
  const timeout = field(hook, 'timeoutSeconds');
  if (typeof timeout === 'number' && (timeout > 30 || timeout < 1))
    causes.push(invalidValue(`${path}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'));
  for (const key of ['namespaceSelector', 'objectSelector'])
    causes.push(...validateSelector(field(hook, key), `${path}.${key}`));
  causes.push(...oneOf(field(hook, 'reinvocationPolicy'), REINVOCATION, `${path}.reinvocationPolicy`));
  causes.push(...validateClientConfig(field(hook, 'clientConfig'), `${path}.clientConfig`));
  if (!sameConditions)
    causes.push(
      ...validateMatchConditions(listOf(hook, 'matchConditions'), `${path}.matchConditions`, { params: false }),
    );
  return causes;
}

/** Source: kubernetes@1.34 apimachinery/pkg/util/validation IsFullyQualifiedName. */
function validateFullName(name: string, path: string): readonly Cause[] {
  if (name === '') return [required(path)];
  const bad = dns1123Subdomain(name);
  if (bad.length > 0) return [invalidValue(path, name, bad.join('; '))];
  return name.split('.').length < 3
    ? [invalidValue(path, name, 'should be a domain with at least three segments separated by dots')]
    : [];
}

function validateVersions(versions: readonly Json[], recognized: boolean, path: string): readonly Cause[] {
  if (versions.length === 0) return [required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)];
  const causes: Cause[] = [];
  const seen = new Set<string>();
  for (const [index, item] of versions.entries()) {
    const version = typeof item === 'string' ? item : '';
    if (seen.has(version)) {
      causes.push(invalidValue(`${path}[${index}]`, version, 'duplicate version'));
      continue;
    }
    seen.add(version);
    for (const message of dns1035Label(version)) causes.push(invalidValue(`${path}[${index}]`, version, message));
  }
  if (recognized && !REVIEW_VERSIONS.some((version) => seen.has(version)))
    causes.push(invalidValue(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  return causes;
}

/** Also of a CRD's conversion. Source: kubernetes@1.34 apiserver/pkg/util/webhook/validation.go. */
export function validateClientConfig(config: Json | undefined, path: string): readonly Cause[] {
  const url = stringAt(config, 'url');
  const service = field(config, 'service');
  if ((url === undefined) === !isObject(service)) return [required(path, 'exactly one of url or service is required')];
  return url === undefined ? validateService(service as Json, `${path}.service`) : validateUrl(url, `${path}.url`);
}

function validateUrl(text: string, path: string): readonly Cause[] {
  const form = '; desired format: https://host[/path]';
  const parsed = parseGoUrl(text);
  if (!parsed.ok) return [required(path, `url must be a valid URL: ${parsed.error}${form}`)];
  const { scheme, host, user, fragment, query } = parsed.value;
  const causes: Cause[] = [];
  if (scheme !== 'https') causes.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme${form}`));
  if (host === '') causes.push(invalidValue(path, host, `host must be specified${form}`));
  if (user !== undefined) causes.push(invalidValue(path, user, 'user information is not permitted in the URL'));
  if (fragment !== '') causes.push(invalidValue(path, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') causes.push(invalidValue(path, query, 'query parameters are not permitted in the URL'));
  return causes;
}

function validateService(service: Json, path: string): readonly Cause[] {
  const causes: Cause[] = [];
  // The caller hands name and namespace over in the other order.
  if ((stringAt(service, 'namespace') ?? '') === '') causes.push(required(`${path}.name`));
  if ((stringAt(service, 'name') ?? '') === '') causes.push(required(`${path}.namespace`));
  const port = Number(field(service, 'port') ?? 443);
  if (port < 1 || port > 65_535)
    causes.push(invalidValue(`${path}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'));
  const urlPath = stringAt(service, 'path');
  return urlPath === undefined ? causes : [...causes, ...validatePath(urlPath, `${path}.path`)];
}

function validatePath(urlPath: string, path: string): readonly Cause[] {
  if (urlPath === '/' || urlPath === '') return [];
  if (urlPath === '//') return [invalidValue(path, urlPath, 'segment[0] may not be empty')];
  const causes: Cause[] = urlPath.startsWith('/') ? [] : [invalidValue(path, urlPath, "must start with a '/'")];
  for (const [index, step] of urlPath.slice(1).replace(/\/$/, '').split('/').entries()) {
    if (step === '') causes.push(invalidValue(path, urlPath, `segment[${index}] may not be empty`));
    else
      for (const message of dns1123Subdomain(step))
        causes.push(invalidValue(path, urlPath, `segment[${index}]: ${message}`));
  }
  return causes;
}
