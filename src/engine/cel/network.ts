import { isIpv4, isIpv6 } from '../schema/formats.ts';
import { printAddress } from './operators.ts';
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

/** The one way to write the address; undefined when `text` is none. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : printAddress(address);
}
