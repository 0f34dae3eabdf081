import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { field, type JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type LiveObjects, unwatched } from '../../health/live-objects.ts';
import type { CloudIdentity } from '../../identity/cloud-identity.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type ClusterAccess, clusterAccessOf } from '../../kube/kubeconfig.ts';
import type { TokenSource } from '../../kube/transport-socket.ts';
import { ConfiguredClusters } from './cluster-config-map.ts';

/** The cluster that a Kustomization is applied to. */
export interface TargetCluster {
  readonly client: KubeClient;
  readonly live: LiveObjects;
  /** Another cluster than the engine's own: nothing there is watched. */
  readonly isRemote: boolean;
}

/** A connection to another cluster. */
export interface RemoteConnection {
  readonly client: KubeClient;
  close(): void;
}

export interface TargetSettings {
  readonly defaultServiceAccount: string;
  readonly defaultKubeConfigServiceAccount: string;
  /** Whether a kubeconfig may run programs, or skip the check of certificates. */
  readonly insecureKubeconfigExec: boolean;
  readonly insecureKubeconfigTls: boolean;
}

export interface TargetPorts {
  readonly client: KubeClient;
  /** What is watched in the own cluster. */
  readonly live: LiveObjects;
  /** Opens a connection; absent where other clusters cannot be reached. */
  readonly connect: ConnectCluster | undefined;
  /** Absent where no cloud is known: ConfigMaps cannot be used. */
  readonly cloud: CloudIdentity | undefined;
}

/** `token` is asked before each request, where the credentials do not hold one. */
export type ConnectCluster = (access: ClusterAccess, token?: TokenSource) => RemoteConnection;

/** How to reach a cluster: a kubeconfig, or an address with tokens that are renewed. */
interface Access {
  readonly access: ClusterAccess;
  readonly token?: TokenSource;
  /** Whose tokens they are. */
  readonly identity: string;
}

/** A cluster that does not answer at all by then would hold up a worker with each request of a pass. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Why a cluster does not answer; undefined when it does, whatever it says. */
async function answers(client: KubeClient): Promise<string | undefined> {
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  try {
    const answer = await client.raw('GET', '/version', undefined, timeout);
    return answer.ok || answer.error.code !== 0 ? undefined : answer.error.message;
  } catch (cause) {
    if (!timeout.aborted) throw cause;
    return `the server could not be reached: no answer within ${ANSWER_TIMEOUT_MS / 1000}s`;
  }
}

interface Kept {
  /** Identifies the credentials: others make another connection. */
  readonly hash: string;
  readonly connection: RemoteConnection;
}

/** Finds the cluster that each Kustomization names, and acts there as the service account that it names. */
export class TargetClusters {
  readonly #ports: TargetPorts;
  readonly #settings: TargetSettings;
  readonly #configured: ConfiguredClusters;
  readonly #remote = new Map<string, Kept>();

  constructor(ports: TargetPorts, settings: TargetSettings) {
    this.#ports = ports;
    this.#configured = new ConfiguredClusters(ports.client, ports.cloud, settings.defaultKubeConfigServiceAccount);
    this.#settings = settings;
  }

  /** The error is worded as Flux's. Source: fluxcd/pkg@e2cfd1a runtime/client/impersonator.go. */
  async of(object: Kustomization): Promise<Result<TargetCluster, string>> {
    const { metadata, spec } = object;
    const user = this.#userOf(object);
    if (spec.kubeConfig === undefined)
      return ok({ client: this.home(object), live: this.#ports.live, isRemote: false });
    const access = await this.#accessOf(object);
    if (!access.ok) return access;
    const connection = this.#connect(`${metadata.namespace}/${metadata.name}`, access.value);
    if (!connection.ok) return connection;
    const { client } = connection.value;
    const answered = await answers(client);
    if (answered !== undefined) return err(answered);
    return ok({ client: user === undefined ? client : client.as({ user }), live: unwatched, isRemote: true });
  }

  /** The own cluster, as the account that a Kustomization acts as. */
  home(object: Kustomization): KubeClient {
    const user = this.#userOf(object);
    return user === undefined ? this.#ports.client : this.#ports.client.as({ user });
  }

  /** Closes what was opened for a Kustomization that is gone. */
  forget(key: string): void {
    this.#remote.get(key)?.connection.close();
    this.#remote.delete(key);
  }

  #userOf({ metadata, spec }: Kustomization): string | undefined {
    const account = spec.serviceAccountName || this.#settings.defaultServiceAccount;
    return account === '' ? undefined : `system:serviceaccount:${metadata.namespace}:${account}`;
  }

  #connect(key: string, { access, token, identity }: Access): Result<RemoteConnection, string> {
    const hash = createHash('sha256')
      .update(JSON.stringify([access, identity]))
      .digest('hex');
    const kept = this.#remote.get(key);
    if (kept?.hash === hash) return ok(kept.connection);
    if (this.#ports.connect === undefined) return err('other clusters cannot be reached from here');
    this.forget(key);
    const connection = this.#ports.connect(access, token);
    this.#remote.set(key, { hash, connection });
    return ok(connection);
  }

  async #accessOf({ metadata, spec }: Kustomization): Promise<Result<Access, string>> {
    const namespace = metadata.namespace ?? '';
    const { secretRef, configMapRef } = spec.kubeConfig ?? {};
    if (secretRef !== undefined) return this.#fromSecret(namespace, secretRef.name, secretRef.key ?? '');
    if (configMapRef !== undefined) return this.#fromConfigMap(namespace, configMapRef.name);
    return err('either configMapRef or secretRef must be set in spec.kubeConfig');
  }

  async #fromSecret(namespace: string, name: string, key: string): Promise<Result<Access, string>> {
    const subject = `'${namespace}/${name}'`;
    const found = await this.#ports.client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name });
    if (!found.ok) return err(`unable to read KubeConfig secret ${subject} error: ${found.error.message}`);
    const data = field(found.value as unknown as JsonObject, 'data');
    const encoded = key === '' ? (field(data, 'value') ?? field(data, 'value.yaml')) : field(data, key);
    if (typeof encoded !== 'string') {
      return err(
        `KubeConfig secret ${subject} does not contain a '${key === '' ? 'value' : key}' key with a kubeconfig`,
      );
    }
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const { insecureKubeconfigExec, insecureKubeconfigTls } = this.#settings;
    const rules = { allowExec: insecureKubeconfigExec, allowInsecureTls: insecureKubeconfigTls };
    const access = clusterAccessOf(text, `${namespace}/${name}`, rules);
    if (!access.ok) return err(`failed to create rest config from KubeConfig secret: ${access.error.message}`);
    return ok({ access: access.value, identity: '' });
  }

  async #fromConfigMap(namespace: string, name: string): Promise<Result<Access, string>> {
    const login = await this.#configured.login(namespace, name);
    if (!login.ok) return login;
    const { server, ca, token, identity } = login.value;
    // Asked once here, so that a refusal is told before anything is sent.
    const first = await token();
    if (!first.ok) return err(`KubeConfig ConfigMap '${namespace}/${name}': ${first.error}`);
    return ok({ access: { server, ...(ca ? { ca } : {}) }, token, identity });
  }
}
