import { isIpv4, isIpv6 } from '../schema/formats.ts';
import { Address, Network } from './values.ts';

/** An IP address without a zone; IPv4 inside IPv6 is refused, as Kubernetes' library does. */
export function parseAddress(text: string): Address | undefined {
  if (isIpv4(text)) {
    return new Address(
      text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n),
      32,
    );
  }
  if (!isIpv6(text) || text.includes('.')) return undefined;
  const [head = '', tail] = text.split('::');
  const groups = (part: string): bigint[] => (part === '' ? [] : part.split(':').map((group) => BigInt(`0x${group}`)));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0n), ...right];
  return new Address(
    all.reduce((sum, group) => (sum << 16n) | group, 0n),
    128,
  );
}

export function parseNetwork(text: string): Network | undefined {
  const slash = text.lastIndexOf('/');
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > address.bits) return undefined;
  return new Network(address, Number(digits));
}

export function networkHas({ address, prefix }: Network, other: Address): boolean {
  if (address.bits !== other.bits) return false;
  const shift = BigInt(address.bits - prefix);
  return address.value >> shift === other.value >> shift;
}

/** Why `text` is no address, in the words of Go's netip and Kubernetes' library; undefined when it is one. (apiserver@0.34 pkg/cel/library/ip.go) */
export function addressProblem(text: string): string | undefined {
  const why = parseProblem(text);
  if (why !== undefined)
    return `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): ${why}`;
  if (text.includes('%')) return `IP address ${JSON.stringify(text)} with zone value is not allowed`;
  return text.includes(':') && text.includes('.')
    ? `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`
    : undefined;
}

function parseProblem(text: string): string | undefined {
  if (isIpv4(text) || isIpv6(text.replace(/%.+$/, ''))) return undefined;
  if (text.includes(':') || !text.includes('.')) return 'unable to parse IP';
  const parts = text.split('.');
  for (const part of parts) {
    if (part === '') return 'IPv4 field must have at least one digit';
    if (!/^\d+$/.test(part)) return `unexpected character (at ${JSON.stringify(text.slice(text.search(/[^\d.]/)))})`;
    if (part.length > 1 && part.startsWith('0')) return 'IPv4 field has octet with leading zero';
    if (Number(part) > 255) return 'IPv4 field has value >255';
  }
  return parts.length < 4 ? 'IPv4 address too short' : 'IPv4 address too long';
}

/** Why `text` is no network; undefined when it is one. (netip.ParsePrefix) */
export function networkProblem(text: string): string | undefined {
  const head = `netip.ParsePrefix(${JSON.stringify(text)}): `;
  const slash = text.lastIndexOf('/');
  if (slash < 0) return `${head}no '/'`;
  const address = text.slice(0, slash);
  const why = parseProblem(address);
  if (why !== undefined) return `${head}ParseAddr(${JSON.stringify(address)}): ${why}`;
  const digits = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d*)$/.test(digits)) return `${head}bad bits after slash: ${JSON.stringify(digits)}`;
  if (Number(digits) > (address.includes(':') ? 128 : 32)) return `${head}prefix length out of range`;
  return undefined;
}
