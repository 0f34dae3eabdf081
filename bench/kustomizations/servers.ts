import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { at, type Json } from '../../src/base/json.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { loadClusterAccess } from '../../src/kube/kubeconfig.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';
import { createSocketTransport } from '../../src/kube/transport-socket.ts';
import { startPeer } from '../cluster-servers.ts';

const program = fileURLToPath(new URL('../../dist/weir.mjs', import.meta.url));
const run = promisify(execFile);

/** An empty cluster, for one measurement. */
export interface BenchCluster {
  readonly name: string;
  readonly client: KubeClient;
  readonly kubeconfig: string;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** A real kube-apiserver where WEIR_PEER_ETCD and WEIR_PEER_KUBE_APISERVER name the programs, else a cluster in the box. */
export async function openCluster(folder: string): Promise<BenchCluster> {
  const { WEIR_PEER_ETCD: etcd, WEIR_PEER_KUBE_APISERVER: apiserver } = process.env;
  const kubeconfig = join(folder, 'kubeconfig');
  if (etcd !== undefined && apiserver !== undefined) {
    const server = await startPeer(etcd, apiserver, join(folder, 'peer'));
    await writeFile(kubeconfig, printKubeconfig(server.url, server.headers['authorization']?.split(' ')[1] ?? ''));
    return connected(server.name, folder, kubeconfig, server.pids, () => server.stop());
  }
  const env = { ...process.env, HOME: folder, KUBECONFIG: kubeconfig, XDG_STATE_HOME: join(folder, 'state') };
  const weir = (...args: readonly string[]) => run(process.execPath, [program, ...args], { env });
  await weir('cluster', 'create', '--name', 'bench', '--ephemeral');
  const state = join(folder, 'state', 'weir', 'clusters', 'bench', 'cluster.json');
  const pid = Number(at(JSON.parse(await readFile(state, 'utf8')) as Json, 'pid'));
  const remove = async (): Promise<void> => void (await weir('cluster', 'delete', '--name', 'bench'));
  return connected('cluster in the box', folder, kubeconfig, [pid], remove);
}

function connected(
  name: string,
  home: string,
  kubeconfig: string,
  pids: readonly number[],
  end: () => Promise<void>,
): BenchCluster {
  const access = loadClusterAccess({ env: { KUBECONFIG: kubeconfig }, home });
  if (!access.ok) throw new Error(access.error.message);
  const transport = createSocketTransport(access.value);
  return {
    name,
    client: createKubeClient({ handler: transport.handler, userAgent: 'bench' }),
    kubeconfig,
    pids,
    stop: async () => {
      await transport.close();
      await end();
    },
  };
}

function printKubeconfig(server: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'bench', user: { token } }],
  });
}
