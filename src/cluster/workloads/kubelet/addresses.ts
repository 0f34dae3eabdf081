import type { Registry } from '../../registry.ts';
import { NODES, PODS } from '../resources.ts';
import { type Pod, shaped } from '../shapes.ts';

/** Pods' addresses: 10.244.0.0/16, as kind and flannel have it. */
const POD_PREFIX = '10.244';
const POD_ADDRESSES = 65_536;

/** The block of node `index` of `count`: the /16 in equal parts, as a CIDR and its first number. */
export function podBlock(
  index: number,
  count: number,
): { readonly cidr: string; readonly first: number; readonly size: number } {
  const bits = Math.ceil(Math.log2(Math.max(1, count)));
  const size = POD_ADDRESSES >> bits;
  const first = index * size;
  return { cidr: `${POD_PREFIX}.${first >> 8}.${first & 255}/${16 + bits}`, first, size };
}

/** Gives addresses to pods and knows those of the nodes. */
export class Addresses {
  readonly #registry: Registry;
  readonly #nodes: ReadonlyMap<
    string,
    { readonly ip: string; readonly first: number; readonly size: number; next: number }
  >;
  readonly #byPod = new Map<string, string>();
  readonly #taken = new Set<string>();

  constructor(registry: Registry, nodes: readonly { readonly name: string; readonly ip: string }[]) {
    this.#registry = registry;
    this.#nodes = new Map(
      nodes.map(({ name, ip }, index) => {
        const { first, size } = podBlock(index, nodes.length);
        return [name, { ip, first, size, next: 2 }];
      }),
    );
    for (const object of registry.list(PODS)) {
      const { metadata, spec, status } = shaped<Pod>(object);
      if (status?.podIP === undefined || spec.hostNetwork === true || metadata.uid === undefined) continue;
      this.#byPod.set(metadata.uid, status.podIP);
      this.#taken.add(status.podIP);
    }
  }

  /** The address of a simulated node that exists; undefined for other people's nodes. */
  ofNode(name: string | undefined): string | undefined {
    const node = name === undefined ? undefined : this.#nodes.get(name);
    if (node === undefined || this.#registry.get(NODES, undefined, name ?? '') === undefined) return undefined;
    return node.ip;
  }

  /** The pod's address, the same for its whole life. The block is used round: an address rests as long as possible. */
  ofPod(pod: Pod, hostIP: string): string | undefined {
    if (pod.spec.hostNetwork === true) return hostIP;
    const uid = pod.metadata.uid ?? '';
    const known = this.#byPod.get(uid);
    if (known !== undefined) return known;
    const node = this.#nodes.get(pod.spec.nodeName ?? '');
    if (node === undefined) return undefined;
    for (let tried = 0; tried < node.size; tried++) {
      const offset = node.next;
      // Neither the network's own, nor the bridge's, nor the broadcast address.
      node.next = node.next + 1 >= node.size - 1 ? 2 : node.next + 1;
      const number = node.first + offset;
      const ip = `${POD_PREFIX}.${number >> 8}.${number & 255}`;
      if (this.#taken.has(ip)) continue;
      this.#taken.add(ip);
      this.#byPod.set(uid, ip);
      return ip;
    }
    return undefined;
  }

  free(uid: string): void {
    const ip = this.#byPod.get(uid);
    if (ip === undefined) return;
    this.#byPod.delete(uid);
    this.#taken.delete(ip);
  }
}
