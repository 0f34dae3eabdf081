import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPeer } from '../../../bench/cluster-servers.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { createKubeClient } from '../../../src/kube/rest-client.ts';
import { createSocketTransport } from '../../../src/kube/transport-socket.ts';

/** A write that the API server has taken, as its audit log has it. */
export interface Write {
  /** `weir`, `kustomize-controller`, ... */
  readonly agent: string;
  readonly verb: string;
  /** `kustomizations/status fleet/app`. */
  readonly what: string;
}

/** A kube-apiserver that writes down who wrote what. */
export interface AuditedCluster {
  readonly client: KubeClient;
  readonly kubeconfig: string;
  /** A client whose requests are told apart by their agent, and cease to arrive once `isCut`. */
  clientFor(agent: string, isCut?: () => boolean): KubeClient;
  /** Writes since the last call, without those to events and leases. */
  takeWrites(): readonly Write[];
  stop(): Promise<void>;
}

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', verbs: ['get', 'head', 'list', 'watch'] }, { level: 'Metadata' }],
};

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly responseStatus?: { readonly code?: number };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
}

export async function startAuditedCluster(etcd: string, apiserver: string, folder: string): Promise<AuditedCluster> {
  const [policy, log, kubeconfig] = [join(folder, 'policy'), join(folder, 'audit'), join(folder, 'kubeconfig')];
  writeFileSync(policy, JSON.stringify(POLICY));
  const server = await startPeer(etcd, apiserver, join(folder, 'servers'), [
    `--audit-policy-file=${policy}`,
    `--audit-log-path=${log}`,
  ]);
  const token = server.headers['authorization']?.split(' ')[1] ?? '';
  writeFileSync(kubeconfig, printKubeconfig(server.url, token));
  const transport = createSocketTransport({ server: server.url, insecureSkipTlsVerify: true, token });
  const clientFor = (agent: string, isCut = (): boolean => false): KubeClient =>
    createKubeClient({
      userAgent: agent,
      handler: (request) =>
        isCut() ? Promise.reject(new Error('the engine is dead')) : Promise.resolve(transport.handler(request)),
    });
  let read = 0;
  return {
    client: clientFor('test'),
    kubeconfig,
    clientFor,
    takeWrites() {
      const text = readFileSync(log, 'utf8');
      const fresh = text.slice(read);
      read = text.length;
      return fresh
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditEvent)
        .filter(isWrite)
        .map(({ verb, userAgent = '', objectRef: { resource, subresource, namespace, name } = {} }) => ({
          agent: userAgent.split('/')[0] ?? '',
          verb,
          what: `${[resource, subresource].filter(Boolean).join('/')} ${[namespace, name].filter(Boolean).join('/')}`,
        }));
    },
    async stop() {
      await transport.close();
      await server.stop();
    },
  };
}

function isWrite({ requestURI, responseStatus, objectRef }: AuditEvent): boolean {
  if (/[?&]dryRun=All(&|$)/.test(requestURI) || (responseStatus?.code ?? 500) >= 300) return false;
  // An answer is not kept: `SelfSubjectAccessReview` and its like are questions.
  return !/^(events|leases|selfsubject|tokenreviews)/.test(objectRef?.resource ?? '');
}

function printKubeconfig(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'peer',
    contexts: [{ name: 'peer', context: { cluster: 'peer', user: 'peer' } }],
    clusters: [{ name: 'peer', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'peer', user: { token } }],
  });
}
