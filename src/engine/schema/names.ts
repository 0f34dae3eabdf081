import { matchesPattern } from './patterns.ts';

/** Rules for names, each returning what is wrong in apimachinery's words. (apimachinery@0.34 pkg/util/validation/validation.go) */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

function regexError(message: string, pattern: string, ...examples: readonly string[]): string {
  const listed = examples.map((example, index) => `${index > 0 ? ' or ' : ''}'${example}', `).join('');
  return `${message} (e.g. ${listed}regex used for validation is '${pattern}')`;
}

function tooLong(max: number): string {
  return `must be no more than ${max} characters`;
}

const full = (pattern: string, text: string): boolean => matchesPattern(`^(?:${pattern})$`, text);

export function dns1123Label(text: string): string[] {
  const out: string[] = [];
  if (text.length > 63) out.push(tooLong(63));
  if (!full(LABEL, text)) {
    out.push(
      full(SUBDOMAIN, text)
        ? 'must not contain dots'
        : regexError(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            LABEL,
            'my-name',
            '123-abc',
          ),
    );
  }
  return out;
}

export function dns1123Subdomain(text: string): string[] {
  const out: string[] = [];
  if (text.length > 253) out.push(tooLong(253));
  if (!full(SUBDOMAIN, text)) {
    out.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        SUBDOMAIN,
        'example.com',
      ),
    );
  }
  return out;
}

export function dns1035Label(text: string): string[] {
  const pattern = '[a-z]([-a-z0-9]*[a-z0-9])?';
  const out: string[] = [];
  if (text.length > 63) out.push(tooLong(63));
  if (!full(pattern, text)) {
    out.push(
      regexError(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        pattern,
        'my-name',
        'abc-123',
      ),
    );
  }
  return out;
}

export function wildcardSubdomain(text: string): string[] {
  const pattern = `\\*\\.${SUBDOMAIN}`;
  const out: string[] = [];
  if (text.length > 253) out.push(tooLong(253));
  if (!full(pattern, text)) {
    out.push(
      regexError(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        pattern,
        '*.example.com',
      ),
    );
  }
  return out;
}

/** A label or annotation key, a finalizer, a resource name: `example.com/name` or `name`. */
export function qualifiedName(text: string): string[] {
  const parts = text.split('/');
  const out: string[] = [];
  let name = text;
  if (parts.length === 2) {
    const [prefix = '', rest = ''] = parts;
    name = rest;
    if (prefix === '') out.push('prefix part must be non-empty');
    else out.push(...dns1123Subdomain(prefix).map((message) => `prefix part ${message}`));
  } else if (parts.length > 2) {
    return [
      `a qualified name ${regexError("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", QUALIFIED, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (name === '') out.push('name part must be non-empty');
  else if (name.length > 63) out.push(`name part ${tooLong(63)}`);
  if (!full(QUALIFIED, name)) {
    out.push(
      `name part ${regexError("must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", QUALIFIED, 'MyName', 'my.name', '123-abc')}`,
    );
  }
  return out;
}

export function labelValue(text: string): string[] {
  const pattern = `(${QUALIFIED})?`;
  const out: string[] = [];
  if (text.length > 63) out.push(tooLong(63));
  if (!full(pattern, text)) {
    out.push(
      regexError(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?',
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  }
  return out;
}

/** A key of a ConfigMap or Secret. */
export function configMapKey(text: string): string[] {
  const out: string[] = [];
  if (text.length > 253) out.push(tooLong(253));
  if (!full('[-._a-zA-Z0-9]+', text)) {
    out.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        '[-._a-zA-Z0-9]+',
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  } else if (text === '.') out.push("must not be '.'");
  else if (text === '..') out.push("must not be '..'");
  else if (text.startsWith('..')) out.push("must not start with '..'");
  return out;
}

/** A port's name: IANA_SVC_NAME. */
export function portName(text: string): string[] {
  const out: string[] = [];
  if (text.length > 15) out.push(tooLong(15));
  if (!/^[-a-z0-9]+$/.test(text)) out.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(text)) out.push('must contain at least one letter (a-z)');
  if (text.includes('--')) out.push('must not contain consecutive hyphens');
  if (/^-|-$/.test(text)) out.push('must not begin or end with a hyphen');
  return out;
}

/** Environment variables, since 1.34's relaxed rule: printable ASCII without `=`. */
export function envVarName(text: string): string[] {
  const out: string[] = [];
  if (!/^[ -<>-~]+$/.test(text)) {
    out.push(
      "a valid environment variable name must consist only of printable ASCII characters other than '='" +
        " (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '^[ -<>-~]+$')",
    );
  }
  return out;
}

export function isPercent(text: string): string[] {
  return /^[0-9]+%$/.test(text)
    ? []
    : [
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ];
}

/** A path with a domain in front: `acme.io/foo`. */
export function domainPrefixedPath(text: string): string[] {
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1) return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  return dns1123Subdomain(text.slice(0, slash));
}
