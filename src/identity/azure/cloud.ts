import { parseJson, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type CloudPorts, fileText } from '../cloud-ports.ts';

/** One of Azure's clouds: where tokens come from and what they are for. */
export interface AzureCloud {
  /** With a slash at the end. */
  readonly authority: string;
  readonly managementUrl: string;
  readonly managementAudience: string;
  /** Ends of the host names of key vaults, of all known clouds, each with the audience of its tokens. */
  readonly vaults: readonly (readonly [suffix: string, audience: string])[];
}

const VAULTS: AzureCloud['vaults'] = ['azure.net', 'azure.cn', 'usgovcloudapi.net'].flatMap((domain) => [
  [`.vault.${domain}`, `https://vault.${domain}`],
  [`.managedhsm.${domain}`, `https://managedhsm.${domain}`],
]);

/** Source: azcore@1.22 cloud/cloud.go, arm/runtime/runtime.go. */
const PUBLIC: AzureCloud = {
  authority: 'https://login.microsoftonline.com/',
  managementUrl: 'https://management.azure.com',
  managementAudience: 'https://management.core.windows.net/',
  vaults: VAULTS,
};
const CHINA: AzureCloud = {
  authority: 'https://login.chinacloudapi.cn/',
  managementUrl: 'https://management.chinacloudapi.cn',
  managementAudience: 'https://management.core.chinacloudapi.cn/',
  vaults: VAULTS,
};
const GOVERNMENT: AzureCloud = {
  authority: 'https://login.microsoftonline.us/',
  managementUrl: 'https://management.usgovcloudapi.net',
  managementAudience: 'https://management.core.usgovcloudapi.net/',
  vaults: VAULTS,
};

/** A service of Azure whose tokens have this scope. */
export function scopeOf(audience: string): string {
  return `${audience}/.default`;
}

/**
 * The cloud that the engine's environment names by `AZURE_AUTHORITY_HOST`, or by the file of `AZURE_ENVIRONMENT_FILEPATH` (Azure Stack).
 * Source: fluxcd/pkg@auth/v0.54.0 auth/azure/options.go.
 */
export function azureCloud(ports: CloudPorts): Result<AzureCloud, string> {
  const given = ports.env['AZURE_AUTHORITY_HOST'] ?? '';
  const known = given.includes('chinacloudapi.cn') ? CHINA : given.includes('microsoftonline.us') ? GOVERNMENT : PUBLIC;
  const authority = given === '' ? ok(known.authority) : authorityUrl(given);
  if (!authority.ok) return err(`AZURE_AUTHORITY_HOST: ${authority.error}`);
  const cloud = { ...known, authority: authority.value };
  const variable = 'AZURE_ENVIRONMENT_FILEPATH';
  const path = ports.env[variable];
  if (!path) return ok(cloud);
  const text = fileText(ports, variable, path);
  if (typeof text !== 'string') return err(text.error);
  let file: ReturnType<typeof parseJson>;
  try {
    file = parseJson(text);
  } catch {
    return err(`${variable}: ${path} is not JSON`);
  }
  const managementUrl = stringAt(file, 'resourceManagerEndpoint');
  const managementAudience = stringAt(file, 'tokenAudience');
  if (!managementUrl || !managementAudience) {
    return err('resourceManagerEndpoint and tokenAudience must be set in the environment file');
  }
  const suffix = stringAt(file, 'keyVaultDNSSuffix')?.replace(/^\./, '');
  const vaults = suffix ? [[`.${suffix}`, `https://${suffix}`] as const, ...VAULTS] : VAULTS;
  return ok({ ...cloud, managementUrl: managementUrl.replace(/\/+$/, ''), managementAudience, vaults });
}

/** An authority in one form; the error does not repeat it. Source: azidentity@1.14 azidentity.go setAuthorityHost. */
export function authorityUrl(host: string): Result<string, string> {
  if (!URL.canParse(host)) return err('the authority host is not a URL');
  const { protocol, username, password, search, hash } = new URL(host);
  if (protocol !== 'https:') return err('cannot use an authority host without https');
  if (username + password + search + hash !== '') return err('the authority host must be a plain URL');
  return ok(host.endsWith('/') ? host : `${host}/`);
}
