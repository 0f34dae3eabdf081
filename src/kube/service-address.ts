import { at, isArray, stringAt } from '../base/json.ts';
import type { KubeClient } from './client.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `name.namespace`, `name.namespace.svc`, `name.namespace.svc.cluster.local.`: how Services are named inside a cluster. */
const SERVICE_NAME = /^([a-z]([-a-z0-9]*[a-z0-9])?)\.([a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.svc(\.[-a-z0-9.]+)?)?\.?$/;

/**
 * Where an engine outside of the cluster network reaches a Service of the cluster: its node port on `nodeAddress`, or the
 * name that an ExternalName Service stands for. Undefined for names and ports of no such Service: the usual resolver has them.
 */
export async function serviceAddress(
  client: KubeClient,
  nodeAddress: string,
  host: string,
  port: number,
): Promise<Address | undefined> {
  const match = SERVICE_NAME.exec(host);
  const [name, namespace] = [match?.[1], match?.[3]];
  if (name === undefined || namespace === undefined) return undefined;
  const found = await client.get({ apiVersion: 'v1', kind: 'Service', namespace, name });
  if (!found.ok) return undefined;
  const { spec } = found.value;
  const external = stringAt(spec, 'externalName');
  if (external !== undefined) return { host: external, port };
  const ports = at(spec, 'ports');
  const nodePort = isArray(ports)
    ? at(
        ports.find((item) => at(item, 'port') === port),
        'nodePort',
      )
    : undefined;
  return typeof nodePort === 'number' ? { host: nodeAddress, port: nodePort } : undefined;
}
