import { sprint } from '../gotemplate/format.ts';
import { type FuncMap, func } from '../gotemplate/func.ts';
import { fromBytes } from '../gotemplate/go-string.ts';
import { INT, LIST, STRING, structType } from '../gotemplate/go-type.ts';
import { GoError, type GoType, Struct, type Value } from '../gotemplate/value.ts';
import { readBase64 } from './encoding.ts';
import type { Signer, TemplateHost } from './host.ts';
import { parseAddress } from './ip-address.ts';
import { decodePem } from './pem.ts';

/** What the functions give: the struct's fields `Cert` and `Key`, both PEM. */
const CERTIFICATE: GoType<Struct> = structType('sprig.certificate');
const DAY_NANOS = 86_400n * 1_000_000_000n;

/** Certificates. Source: sprig@3.3.0 crypto.go. */
export function certificateFunctions(
  { crypto, now }: Pick<TemplateHost, 'crypto' | 'now'>,
  countKey: (name: string) => void,
): FuncMap {
  const newKey = (name: string): string => {
    countKey(name);
    return crypto.generateKey('rsa2048');
  };
  const ownKey = (pem: string): string => wrapped('parsing private key', () => crypto.normalizeKey(pem));
  const issue = (
    subject: Subject,
    key: string,
    rest: { readonly isAuthority: boolean; readonly signer?: Signer },
  ): Value => {
    const addresses = subject.ips.map(addressOf);
    const dnsNames = subject.dnsNames.map(dnsNameOf);
    const start = now();
    const certificate = crypto.issueCertificate({
      commonName: subject.commonName,
      addresses,
      dnsNames,
      key,
      notBeforeMs: Number(start / 1_000_000n),
      notAfterMs: Number((start + BigInt.asIntN(64, BigInt(subject.days) * DAY_NANOS)) / 1_000_000n),
      ...rest,
    });
    return pair(certificate, key);
  };
  const signedBy = (certificate: Value): Signer => {
    const [cert, key] = [fieldOf(certificate, 'Cert'), fieldOf(certificate, 'Key')];
    const der = decodePem(cert)?.bytes;
    if (der === undefined) throw new GoError('unable to decode certificate');
    wrapped('error parsing certificate: decodedSignerCert.Bytes', () => crypto.checkCertificate(der));
    return { certificate: der, key: wrapped('error parsing private key', () => crypto.normalizeKey(key)) };
  };
  return new Map([
    [
      'genCA',
      func([STRING, INT], (commonName, days) =>
        issue({ commonName, days, ips: [], dnsNames: [] }, newKey('genCA'), { isAuthority: true }),
      ),
    ],
    [
      'genCAWithKey',
      func([STRING, INT, STRING], (commonName, days, key) =>
        issue({ commonName, days, ips: [], dnsNames: [] }, ownKey(key), { isAuthority: true }),
      ),
    ],
    [
      'genSelfSignedCert',
      func([STRING, LIST, LIST, INT], (commonName, ips, dnsNames, days) =>
        issue({ commonName, ips, dnsNames, days }, newKey('genSelfSignedCert'), { isAuthority: false }),
      ),
    ],
    [
      'genSelfSignedCertWithKey',
      func([STRING, LIST, LIST, INT, STRING], (commonName, ips, dnsNames, days, key) =>
        issue({ commonName, ips, dnsNames, days }, ownKey(key), { isAuthority: false }),
      ),
    ],
    [
      'genSignedCert',
      func([STRING, LIST, LIST, INT, CERTIFICATE], (commonName, ips, dnsNames, days, authority) => {
        const key = newKey('genSignedCert');
        return issue({ commonName, ips, dnsNames, days }, key, { isAuthority: false, signer: signedBy(authority) });
      }),
    ],
    [
      'genSignedCertWithKey',
      func([STRING, LIST, LIST, INT, CERTIFICATE, STRING], (commonName, ips, dnsNames, days, authority, pem) => {
        const key = ownKey(pem);
        return issue({ commonName, ips, dnsNames, days }, key, { isAuthority: false, signer: signedBy(authority) });
      }),
    ],
    ['buildCustomCert', func([STRING, STRING], (certificate, key) => buildCustom(crypto, certificate, key))],
  ]);
}

interface Subject {
  readonly commonName: string;
  readonly ips: readonly Value[];
  readonly dnsNames: readonly Value[];
  readonly days: number;
}

function buildCustom(crypto: TemplateHost['crypto'], base64Certificate: string, base64Key: string): Value {
  const certificate = readBase64(base64Certificate);
  if (typeof certificate === 'string') throw new GoError('unable to decode base64 certificate');
  const key = readBase64(base64Key);
  if (typeof key === 'string') throw new GoError('unable to decode base64 private key');
  const der = decodePem(fromBytes(certificate))?.bytes;
  if (der === undefined) throw new GoError('unable to decode certificate');
  wrapped('error parsing certificate: decodedCert.Bytes', () => crypto.checkCertificate(der));
  wrapped('error parsing private key', () => crypto.normalizeKey(fromBytes(key)));
  return pair(fromBytes(certificate), fromBytes(key));
}

function pair(certificate: string, key: string): Value {
  return new Struct(
    CERTIFICATE,
    new Map([
      ['Cert', certificate],
      ['Key', key],
    ]),
    undefined,
  );
}

function fieldOf(value: Value, name: string): string {
  const field = value instanceof Struct ? value.fields.get(name) : undefined;
  return typeof field === 'string' ? field : '';
}

/** What `make` fails with gets `complaint` before it. */
function wrapped<T>(complaint: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`${complaint}: ${error.message}`);
    throw error;
  }
}

function addressOf(ip: Value): Uint8Array {
  if (typeof ip !== 'string') throw new GoError(`error parsing ip: ${sprint(ip)} is not a string`);
  const address = parseAddress(ip);
  if (address === undefined) throw new GoError(`error parsing ip: ${ip}`);
  return address;
}

function dnsNameOf(name: Value): string {
  if (typeof name !== 'string')
    throw new GoError(`error processing alternate dns name: ${sprint(name)} is not a string`);
  return name;
}
