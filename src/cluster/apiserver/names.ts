/** Name rules, with the sentences of kubernetes@1.34 apimachinery/pkg/util/validation/validation.go. Empty means valid. */
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

export const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
export const LABEL_MESSAGE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
export const LABEL1035_MESSAGE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE_MESSAGE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

export type NameCheck = (name: string) => readonly string[];

function tooLongMessage(maximum: number): string {
  return `must be no more than ${maximum} characters`;
}

export function checkSubdomain(name: string): readonly string[] {
  return [...(name.length > 253 ? [tooLongMessage(253)] : []), ...(SUBDOMAIN.test(name) ? [] : [SUBDOMAIN_MESSAGE])];
}

export function checkLabel(name: string): readonly string[] {
  return [
    ...(name.length > 63 ? [tooLongMessage(63)] : []),
    ...(LABEL.test(name) ? [] : [SUBDOMAIN.test(name) ? 'must not contain dots' : LABEL_MESSAGE]),
  ];
}

export function checkLabel1035(name: string): readonly string[] {
  return [...(name.length > 63 ? [tooLongMessage(63)] : []), ...(LABEL1035.test(name) ? [] : [LABEL1035_MESSAGE])];
}

/** A name that may stand as one segment of a URL path: RBAC's objects. */
export function checkPathSegment(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((bad) => name.includes(bad)).map((bad) => `may not contain '${bad}'`);
}

export function checkLabelKey(key: string): readonly string[] {
  const parts = key.split('/');
  const errors: string[] = [];
  let name = parts[0] as string;
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    name = parts[1] as string;
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...checkSubdomain(prefix).map((message) => `prefix part ${message}`));
  } else if (parts.length > 2) {
    return [
      `a qualified name ${QUALIFIED_MESSAGE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push(`name part ${tooLongMessage(63)}`);
  if (!QUALIFIED.test(name)) errors.push(`name part ${QUALIFIED_MESSAGE}`);
  return errors;
}

export function checkLabelValue(value: string): readonly string[] {
  return [
    ...(value.length > 63 ? [tooLongMessage(63)] : []),
    ...(LABEL_VALUE.test(value) ? [] : [LABEL_VALUE_MESSAGE]),
  ];
}

/** Kinds whose names follow another rule than the DNS subdomain. Source: each kind's strategy in kubernetes@1.34 pkg/registry. */
const NAME_RULES: Readonly<Record<string, NameCheck>> = {
  '/namespaces': checkLabel,
  '/services': checkLabel1035,
  'rbac.authorization.k8s.io/roles': checkPathSegment,
  'rbac.authorization.k8s.io/clusterroles': checkPathSegment,
  'rbac.authorization.k8s.io/rolebindings': checkPathSegment,
  'rbac.authorization.k8s.io/clusterrolebindings': checkPathSegment,
  'apiregistration.k8s.io/apiservices': checkPathSegment,
  'policy/poddisruptionbudgets': checkPathSegment,
  'apps/statefulsets': checkLabel,
  // Its own rules say what its name is.
  'networking.k8s.io/ipaddresses': () => [],
  'certificates.k8s.io/certificatesigningrequests': checkPathSegment,
};

export function nameRule(storage: string): NameCheck {
  return NAME_RULES[storage] ?? checkSubdomain;
}

export const GENERATED_SUFFIX_LENGTH = 5;
/** The alphabet of generated names: no vowels, no look-alikes. Source: kubernetes@1.34 apimachinery/pkg/util/rand. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const MAX_GENERATED_BASE = 63 - GENERATED_SUFFIX_LENGTH;

export function generateName(base: string, random: (below: number) => number): string {
  let suffix = '';
  for (let index = 0; index < GENERATED_SUFFIX_LENGTH; index++) suffix += ALPHABET[random(ALPHABET.length)];
  return base.slice(0, MAX_GENERATED_BASE) + suffix;
}
