/** An IP address in 4 or 16 bytes; undefined for other text. Source: go@1.26 net.ParseIP. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseFour(text);
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':').flatMap(groupBytes)));
  if (head === undefined || (head.length === 0 && halves.length === 1)) return undefined;
  const all = [...head, ...(tail ?? [])];
  if (all.includes(BAD) || (halves.length === 1 ? all.length !== 16 : all.length > 14)) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail ?? [], 16 - (tail ?? []).length);
  // IPv4 in IPv6 is the same address to Go.
  const isFour = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return isFour ? bytes.slice(12) : bytes;
}

const BAD = -1;

/** Only the last group may be an IPv4 address; elsewhere its four bytes make the address too long or odd. */
function groupBytes(group: string, index: number, groups: readonly string[]): readonly number[] {
  if (group.includes('.')) return index === groups.length - 1 ? Array.from(parseFour(group) ?? [BAD]) : [BAD];
  if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return [BAD];
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 255];
}

function parseFour(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255))
    return undefined;
  return Uint8Array.from(parts, Number);
}
