import { Buffer } from 'node:buffer';
import { field, isObject, type JsonObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import type { AwsCredentials } from '../../identity/aws/sign.ts';
import type { AzureCredential } from '../../identity/azure/azure-identity.ts';
import { authorityUrl, azureCloud } from '../../identity/azure/cloud.ts';
import { certificateProof } from '../../identity/azure/token-request.ts';
import type { CloudPorts } from '../../identity/cloud-ports.ts';
import { readCredentialFile } from '../../identity/gcp/credential-file.ts';

/** Credentials for key services that the Secret of `spec.decryption` holds. */
export interface OwnCredentials {
  readonly vaultToken?: string;
  readonly aws?: AwsCredentials;
  readonly azure?: AzureCredential;
  readonly gcp?: JsonObject;
}

/** Entries of the Secret. Source: kustomize-controller@1.9 decryptor.go. */
const READERS: Readonly<
  Record<string, (bytes: Uint8Array, ports: CloudPorts) => Result<Partial<OwnCredentials>, string>>
> = {
  'sops.vault-token': (bytes) => ok({ vaultToken: Buffer.from(bytes).toString('utf8').trim() }),
  'sops.aws-kms': readAws,
  'sops.azure-kv': readAzure,
  'sops.gcp-kms': (bytes) => {
    const file = readCredentialFile(Buffer.from(bytes).toString('utf8'), 'tenant');
    return file.ok ? ok({ gcp: file.value }) : file;
  },
};

/** Reads one entry; nothing for entries that hold no such credentials. The error never holds any of it. */
export function readOwnCredentials(
  entry: string,
  bytes: Uint8Array,
  ports: CloudPorts,
): Result<Partial<OwnCredentials>, string> {
  return Object.hasOwn(READERS, entry) ? (READERS[entry]?.(bytes, ports) ?? ok({})) : ok({});
}

/** Source: kustomize-controller@1.9 internal/sops/awskms/credentials.go. */
function readAws(bytes: Uint8Array): Result<Partial<OwnCredentials>, string> {
  const file = readMapping(Buffer.from(bytes).toString('utf8'));
  if (!file.ok) return err(`failed to unmarshal AWS credentials file: ${file.error}`);
  const sessionToken = stringAt(file.value, 'aws_session_token');
  return ok({
    aws: {
      accessKeyId: stringAt(file.value, 'aws_access_key_id') ?? '',
      secretAccessKey: stringAt(file.value, 'aws_secret_access_key') ?? '',
      ...(sessionToken ? { sessionToken } : {}),
    },
  });
}

/** Source: kustomize-controller@1.9 internal/sops/azkv/config.go. */
function readAzure(bytes: Uint8Array, ports: CloudPorts): Result<Partial<OwnCredentials>, string> {
  const file = readMapping(decoded(bytes));
  if (!file.ok) return err(`failed to unmarshal Azure authentication file: ${file.error}`);
  const text = (name: string): string => stringAt(file.value, name) ?? '';
  const [tenantId, clientId] = [text('tenantId'), text('clientId')];
  const authority = authorityOf(text('authorityHost'), ports);
  if (!authority.ok) return authority;
  const application = { authority: authority.value, tenantId, clientId };
  if (tenantId !== '' && clientId !== '' && text('clientSecret') !== '') {
    const proof = { kind: 'secret', secret: text('clientSecret') } as const;
    return ok({ azure: { kind: 'application', application: { ...application, proof } } });
  }
  if (tenantId !== '' && clientId !== '' && text('clientCertificate') !== '') {
    const send = field(file.value, 'clientCertificateSendChain') === true;
    const proof = certificateProof(text('clientCertificate'), text('clientCertificatePassword'), send);
    if (!proof.ok) return err(`clientCertificate: ${proof.error}`);
    return ok({ azure: { kind: 'application', application: { ...application, proof: proof.value } } });
  }
  if (text('tenant') !== '' && text('appId') !== '' && text('password') !== '') {
    const proof = { kind: 'secret', secret: text('password') } as const;
    const old = { authority: authority.value, tenantId: text('tenant'), clientId: text('appId'), proof };
    return ok({ azure: { kind: 'application', application: old } });
  }
  if (clientId !== '') return ok({ azure: { kind: 'managed', clientId } });
  return err(
    "invalid data: requires a 'clientId' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or 'tenantId', 'clientId' and 'clientCertificate'",
  );
}

function authorityOf(given: string, ports: CloudPorts): Result<string, string> {
  if (given !== '') return authorityUrl(given);
  const cloud = azureCloud(ports);
  return cloud.ok ? ok(cloud.value.authority) : cloud;
}

/** Files that Windows wrote may be UTF-16, with a mark that says so. */
function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}

function readMapping(text: string): Result<JsonObject, string> {
  const parsed = parseYaml(text);
  // The parser's message quotes the line, which may hold a secret: only the place is told.
  if (!parsed.ok) return err(`it is not YAML (line ${parsed.error.line})`);
  return isObject(parsed.value) ? ok(parsed.value) : err('it is not a mapping');
}
