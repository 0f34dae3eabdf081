import { err, ok, type Result } from '../../base/result.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * One label of a host name, as regions are. Regions come from files and objects of tenants and become part of a host name: nothing
 * else may get there with a signed request.
 */
const REGION = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** By how a region begins. Source: aws-sdk-go-v2 internal/endpoints/awsrulesfn/partitions.go. */
const DOMAINS: readonly (readonly [string, string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['us-iso-', 'c2s.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
];

/**
 * Where a service of AWS is, without a slash at the end: the region's own place, or what the engine's environment says
 * (`AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL`).
 */
export function awsEndpoint(service: 'kms' | 'sts' | 'eks', region: string, env: Env): Result<string, string> {
  if (!REGION.test(region)) return err(`'${region}' is not a region of AWS`);
  const configured =
    env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] === 'true'
      ? ''
      : env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] || env['AWS_ENDPOINT_URL'] || '';
  if (configured !== '') {
    return /^https?:/.test(configured) && URL.canParse(configured)
      ? ok(configured.replace(/\/+$/, ''))
      : err('AWS_ENDPOINT_URL is not an http or https URL');
  }
  const domain = DOMAINS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'amazonaws.com';
  return ok(`https://${service}.${region}.${domain}`);
}
