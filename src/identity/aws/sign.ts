import { AwsV4Signer } from 'aws4fetch';
import type { Clock } from '../../base/clock.ts';
import type { WebRequest } from '../web.ts';

/** Keys that sign requests to AWS. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SigningScope {
  readonly service: 'kms' | 'sts' | 'eks';
  readonly region: string;
}

/** The request with its signature (version 4) in headers. */
export async function signed(
  request: WebRequest,
  credentials: AwsCredentials,
  scope: SigningScope,
  clock: Clock,
): Promise<WebRequest> {
  const { headers } = await signerOf(request, credentials, scope, clock, false).sign();
  return { ...request, headers: Object.fromEntries(headers.entries()) };
}

/** A URL that carries its signature: who has it may send the request, for as long as it says itself. */
export async function presigned(
  request: WebRequest,
  credentials: AwsCredentials,
  scope: SigningScope,
  clock: Clock,
): Promise<string> {
  const { url } = await signerOf(request, credentials, scope, clock, true).sign();
  return url.toString();
}

function signerOf(
  { method, url, headers, body }: WebRequest,
  credentials: AwsCredentials,
  scope: SigningScope,
  clock: Clock,
  signQuery: boolean,
): AwsV4Signer {
  return new AwsV4Signer({
    method,
    url,
    ...(headers === undefined ? {} : { headers: { ...headers } }),
    ...(body === undefined ? {} : { body }),
    ...credentials,
    ...scope,
    datetime: new Date(clock.now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
    signQuery,
  });
}
