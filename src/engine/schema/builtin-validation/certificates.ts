import type { JsonObject } from '../../../base/json.ts';
import { dns1123Label } from '../names.ts';
import {
  duplicate,
  type Errors,
  invalid,
  notSupported,
  number,
  object,
  required,
  Seen,
  text,
  texts,
} from './field-checks.ts';
import { latin1 } from './latin1.ts';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const REQUEST = /-----BEGIN CERTIFICATE REQUEST-----[\s\S]+-----END CERTIFICATE REQUEST-----/;

/** What a request for a certificate must say. (kubernetes@1.34 pkg/apis/certificates/validation) */
export function certificateSigningRequest(errors: Errors, value: JsonObject): void {
  const spec = object(value, 'spec') ?? {};
  if (!REQUEST.test(latin1(text(spec, 'request'))))
    errors.push(invalid('spec.request', spec['request'] ?? null, 'PEM block type must be CERTIFICATE REQUEST'));
  const usages = texts(spec, 'usages');
  if (usages.length === 0) errors.push(required('spec.usages'));
  const seen = new Seen();
  usages.forEach((usage, index) => {
    if (!USAGES.includes(usage)) errors.push(notSupported(`spec.usages[${index}]`, usage, USAGES));
    if (!seen.add(usage)) errors.push(duplicate(`spec.usages[${index}]`, usage));
  });
  signerName(errors, text(spec, 'signerName'));
  const seconds = number(spec, 'expirationSeconds');
  if (seconds !== undefined && seconds < 600)
    errors.push(
      invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 600 seconds (10 minutes)'),
    );
}

/** `example.com/signer-name`: a domain of two labels or more, and a path. (ValidateSignerName) */
function signerName(errors: Errors, name: string): void {
  if (name === '') {
    errors.push(required('spec.signerName'));
    return;
  }
  const [domain = '', path = '', ...more] = name.split('/');
  if (path === '' || domain === '' || more.length > 0) {
    errors.push(
      invalid(
        'spec.signerName',
        name,
        "must be a fully qualified domain and path of the form 'example.com/signer-name'",
      ),
    );
    return;
  }
  for (const label of domain.split('.')) {
    const [wrong] = dns1123Label(label);
    if (wrong === undefined) continue;
    errors.push(invalid('spec.signerName', domain, `validating label "${label}": ${wrong}`));
    return;
  }
  if (!domain.includes('.'))
    errors.push(invalid('spec.signerName', domain, 'should be a domain with at least two segments separated by dots'));
}
