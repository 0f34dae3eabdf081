import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { KubeObject } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import type { HttpHandler } from '../base/http.ts';
import type { Log } from '../base/log.ts';
import { silent } from '../base/log.ts';
import { err, ok } from '../base/result.ts';
import { validateBuiltin, validateSubresource } from '../engine/schema/builtin-validation/registry.ts';
import { escalation } from './admission/escalation.ts';
import { limitRanger } from './admission/limit-ranger.ts';
import { MutatingPolicies } from './admission/mutating-policies.ts';
import { validateMutatingPolicy } from './admission/mutating-policy-validation.ts';
import { namespaceLifecycle } from './admission/namespace-lifecycle.ts';
import { podSecurity } from './admission/pod-security.ts';
import { defaultStorageClass, defaultTolerations, priority, runtimeClass, serviceAccount } from './admission/pods.ts';
import { ValidatingPolicies } from './admission/policies.ts';
import { validateBindingTarget, validatePolicy, validatePolicyBinding } from './admission/policy-validation.ts';
import { chargeQuotas } from './admission/quota.ts';
import { requestProblem, signingRequests } from './admission/signing-requests.ts';
import { WebhookClient } from './admission/webhook-client.ts';
import { validateWebhooks } from './admission/webhook-validation.ts';
import { Webhooks } from './admission/webhooks.ts';
import { Codec } from './apiserver/codec.ts';
import { Conversions } from './apiserver/conversions.ts';
import { CustomResources } from './apiserver/custom-resources.ts';
import { unestablished } from './apiserver/definitions.ts';
import { Discovery } from './apiserver/discovery.ts';
import { json } from './apiserver/draft.ts';
import { encode } from './apiserver/encode.ts';
import type { Kernel } from './apiserver/kernel.ts';
import type { Listening, ListenOptions } from './apiserver/listen.ts';
import { ManagedFields } from './apiserver/managed-fields.ts';
import { Objects } from './apiserver/objects.ts';
import { OpenApi } from './apiserver/openapi.ts';
import { RbacAuthorizer } from './apiserver/rbac.ts';
import { registryOf } from './apiserver/registry-adapter.ts';
import { ResourceTable } from './apiserver/resource-table.ts';
import { ApiServer } from './apiserver/server.ts';
import { ServiceAccountTokens } from './apiserver/service-account-tokens.ts';
import { ServiceAddresses } from './apiserver/service-addresses.ts';
import { startPod } from './apiserver/strategy.ts';
import type { User } from './apiserver/user.ts';
import { ADMIN } from './apiserver/user.ts';
import { Watches } from './apiserver/watch-encoding.ts';
import { bootstrap } from './bootstrap.ts';
import type { Features } from './features.ts';
import { optionalVersions } from './features.ts';
import { serveNodePorts } from './node-ports.ts';
import type { SendOutgoing } from './outgoing.ts';
import type { PodPrograms } from './pod-program.ts';
import type { Registry } from './registry.ts';
import { restoreObjects } from './restore-objects.ts';
import type { SteppedTime } from './stepped-time.ts';
import { openStore } from './store/disk.ts';
import { Store } from './store/store.ts';

export interface ControlPlaneOptions extends Features {
  /** Where state is kept; without it everything is gone when the control plane stops. */
  readonly dataDirectory?: string;
  readonly clock?: Clock;
  /** In place of a clock: a time that stands still until it is moved, also by `POST /weir/clock/advance`. */
  readonly time?: SteppedTime;
  readonly log?: Log;
  /** What runs in the pods, for logs, exec and port-forward; nothing by default. */
  readonly programs?: PodPrograms;
  /** Node ports of Services answer on 127.0.0.1. */
  readonly nodePorts?: boolean;
  /** What a cluster that is kept nowhere begins with, whole: see `restoreObjects`. Needs `dataDirectory` to be absent. */
  readonly objects?: readonly KubeObject[];
  /** How webhooks are called; without it none can be. */
  readonly sendOutgoing?: SendOutgoing;
  /** The same, read already; nobody else may use it. */
  readonly store?: Store;
  /** Who speaks through `handler`; the administrator by default. Impersonation headers are honoured. */
  readonly identity?: User;
}

/** A running control plane: API server and store, without controllers. */
export interface ControlPlane {
  readonly registry: Registry;
  /** The API in process. */
  readonly handler: HttpHandler;
  /** The API over TLS; may be called more than once. */
  listen(options?: ListenOptions): Promise<Listening>;
  /** Ends watches, closes sockets, and resolves when everything is on the disk. */
  stop(): Promise<void>;
}

const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, fire) => {
    // Node fires timers above 2^31 ms at once; nothing here waits longer than that on purpose.
    const timer = setTimeout(fire, Math.min(delayMs, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

const unreachable: SendOutgoing = async () => err('this cluster calls nothing outside of it');

const ADMISSION = 'admissionregistration.k8s.io';
const WEBHOOKS = new Set([
  `${ADMISSION}/validatingwebhookconfigurations`,
  `${ADMISSION}/mutatingwebhookconfigurations`,
]);
const CSRS = 'certificates.k8s.io/certificatesigningrequests';
const CRDS = 'apiextensions.k8s.io/customresourcedefinitions';

/**
 * Starts the embedded control plane and resolves when it answers.
 * @throws when the data directory cannot be used, or an object cannot be kept.
 */
export async function createControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const {
    time,
    clock = time?.clock ?? systemClock,
    log = silent,
    programs = { of: () => undefined },
    identity = ADMIN,
  } = options;
  const store = storeOf(options);
  const listeners = new Set<() => void>();
  const table = new ResourceTable(optionalVersions(options));
  const { sendOutgoing: send = unreachable } = options;
  const client = new WebhookClient({ store, clock, programs, send });
  const conversions = new Conversions((...args) => client.post(...args), randomUUID);
  const custom = new CustomResources(conversions);
  const codec = new Codec(table, custom);
  const rbac = new RbacAuthorizer(store);
  const addresses = new ServiceAddresses(store, randomInt);
  const webhooks = new Webhooks({ store, table, codec, authorizer: rbac, uuid: randomUUID, client });
  const objects: Objects = new Objects({
    store,
    clock,
    random: randomInt,
    uuid: randomUUID,
    managedFields: new ManagedFields(table, codec),
    admission: [
      namespaceLifecycle(store),
      limitRanger(store),
      serviceAccount(store, randomInt),
      podSecurity(store),
      priority(store),
      defaultTolerations,
      runtimeClass(store),
      defaultStorageClass(store),
      escalation(rbac, rbac),
      signingRequests(() => objects.now(), rbac),
      new MutatingPolicies({ store, table, codec, authorizer: rbac }).admission(),
      webhooks.mutating(),
      new ValidatingPolicies({ store, table, codec, authorizer: rbac }).admission(),
      webhooks.validating(),
    ],
    defaults: (type, object) => {
      const stored = table.stored(type.group, type.plural) ?? type;
      return codec.default(stored, codec.normalize(stored, object));
    },
    validate: (type, object, old, operation) => {
      if (type.definition !== undefined) return custom.validate(type, object, old);
      if (type.storage === `${ADMISSION}/validatingadmissionpolicies`) return validatePolicy(object, old);
      if (type.storage === `${ADMISSION}/validatingadmissionpolicybindings`) return validatePolicyBinding(object);
      if (type.storage === `${ADMISSION}/mutatingadmissionpolicies`) return validateMutatingPolicy(object, old);
      if (type.storage === `${ADMISSION}/mutatingadmissionpolicybindings`) return validateBindingTarget(object.spec);
      if (WEBHOOKS.has(type.storage)) return validateWebhooks(object, old);
      // A kind's own rules are about what its main resource may set; subresources have theirs where they are served.
      const main = operation.subresource === undefined || operation.subresource === '';
      if (!main)
        return validateSubresource(
          operation.subresource ?? '',
          json(object),
          old === undefined ? undefined : json(old),
        );
      if (type.storage === CSRS && old === undefined) {
        const problem = requestProblem(object);
        if (problem !== undefined) return [problem, ...validateBuiltin(json(object))];
      }
      // Both kinds of events are stored as one, and the newer is judged more strictly.
      const asked = type.group === 'events.k8s.io' ? 'events.k8s.io/v1' : undefined;
      return validateBuiltin(json(object), old === undefined ? undefined : json(old), asked);
    },
    beforeCommit: (type, object, old, operation) => {
      // What the answer will show has to be converted before anything is written.
      if (custom.differs(type)) codec.fromStorage(type, object);
      const refused = chargeQuotas(store, operation, object, old);
      if (refused !== undefined) return err(refused);
      if (type.storage === '/services') return addresses.allocate(type, object, old, operation.dryRun);
      if (type.storage === '/pods' && old === undefined) return ok(startPod(object));
      if (type.storage === CRDS && old === undefined) return ok(unestablished(object));
      return ok(object);
    },
  });
  const kernel: Kernel = {
    store,
    clock,
    ...(time === undefined ? {} : { advance: (ms: number) => time.advance(ms) }),
    log,
    random: randomInt,
    uuid: randomUUID,
    table,
    objects,
    codec,
    conversions,
    authorizer: rbac,
    rbac,
    tokens: new ServiceAccountTokens(
      store,
      () => clock.now(),
      randomUUID,
      options.dataDirectory === undefined ? undefined : join(options.dataDirectory, 'pki', 'sa.key'),
    ),
    programs,
    watches: new Watches(),
    ended: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const server = new ApiServer(kernel, new Discovery(table), new OpenApi(table, custom));
  const registry = registryOf(kernel);
  await bootstrap(kernel, registry);
  const closeNodePorts = options.nodePorts === true ? serveNodePorts({ registry, programs, log }) : undefined;
  const listening: Listening[] = [];
  return {
    registry,
    handler: async (request) => encode(await server.serve(request, identity), request.headers),
    listen: async (how = {}) => {
      const { listen } = await import('./apiserver/listen.ts');
      const started = await listen(server, how, options.dataDirectory);
      listening.push(started);
      return started;
    },
    stop: async () => {
      // A listener unsubscribes as it hears: the ones of this moment are meant.
      for (const listener of Array.from(listeners)) listener();
      await Promise.all(listening.map((one) => one.close()));
      await closeNodePorts?.();
      await store.close();
    },
  };
}

function storeOf({ dataDirectory, store = new Store(), objects = [] }: ControlPlaneOptions): Store {
  if (dataDirectory !== undefined) return openStore(join(dataDirectory, 'store'));
  const restored = restoreObjects(store, objects);
  if (!restored.ok) throw new Error(`restore: ${restored.error}`);
  return store;
}
