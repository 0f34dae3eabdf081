import { isIP } from 'node:net';
import { goQuote } from '../status.ts';

/** Addresses that are taken for now, but are written as they should not be. Source: kubernetes@1.34 apimachinery/pkg/util/validation/ip.go. */
export function addressWarnings(field: string, value: string): readonly string[] {
  const plain = sloppy(value);
  if (plain !== value)
    return isIP(plain) === 0
      ? []
      : [
          `${field}: non-standard IP address ${goQuote(value)} will be considered invalid in a future Kubernetes release: use ${goQuote(plain)}`,
        ];
  if (isIP(value) !== 6) return [];
  const canonical = canonicalIpv6(value);
  return canonical === value
    ? []
    : [`${field}: IPv6 address ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(canonical)})`];
}

/** The same for `address/length`. */
export function cidrWarnings(field: string, value: string): readonly string[] {
  const slash = value.indexOf('/');
  if (slash < 0) return [];
  const address = sloppy(value.slice(0, slash));
  const length = Number(value.slice(slash + 1));
  const kind = isIP(address);
  if (kind === 0 || !Number.isInteger(length)) return [];
  const bits = kind === 4 ? 32 : 128;
  const own = canonical(address);
  const network = canonical(masked(address, length, bits));
  const warnings: string[] = [];
  if (own !== network)
    warnings.push(
      `${field}: CIDR value ${goQuote(value)} is ambiguous in this context (should be ${goQuote(`${network}/${length}`)} or ${goQuote(`${own}/${bits}`)}?)`,
    );
  if (address !== value.slice(0, slash) || String(length) !== value.slice(slash + 1))
    warnings.push(
      `${field}: non-standard CIDR value ${goQuote(value)} will be considered invalid in a future Kubernetes release: use ${goQuote(`${network}/${length}`)}`,
    );
  if (warnings.length === 0 && kind === 6 && `${own}/${length}` !== value)
    warnings.push(
      `${field}: IPv6 CIDR value ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(`${own}/${length}`)})`,
    );
  return warnings;
}

/** Without leading zeros, and an IPv4 address in IPv6 as itself. */
function sloppy(value: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(value)?.[1];
  const text = mapped ?? value;
  return /^\d+(\.\d+){3}$/.test(text) ? text.split('.').map(Number).join('.') : text;
}

function canonical(address: string): string {
  return isIP(address) === 6 ? canonicalIpv6(address) : address;
}

function canonicalIpv6(address: string): string {
  return print6(groups(address));
}

function groups(address: string): readonly number[] {
  const [head = '', tail] = address.split('::');
  const read = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [Number.parseInt(group, 16)];
          const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
          return [a * 256 + b, c * 256 + d];
        });
  const left = read(head);
  if (tail === undefined) return left;
  const right = read(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function print6(parts: readonly number[]): string {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && parts[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (some: readonly number[]): string => some.map((part) => part.toString(16)).join(':');
  return best.at < 0 ? hex(parts) : `${hex(parts.slice(0, best.at))}::${hex(parts.slice(best.at + best.length))}`;
}

function masked(address: string, length: number, bits: number): string {
  if (bits === 32) {
    const number = address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
    const kept = (number >> BigInt(32 - length)) << BigInt(32 - length);
    return [24n, 16n, 8n, 0n].map((shift) => String((kept >> shift) & 255n)).join('.');
  }
  const number = groups(address).reduce((sum, part) => (sum << 16n) + BigInt(part), 0n);
  const kept = (number >> BigInt(128 - length)) << BigInt(128 - length);
  return print6(Array.from({ length: 8 }, (_, index) => Number((kept >> BigInt(112 - 16 * index)) & 0xffffn)));
}
