import { type CloudIdentity, createCloudIdentity } from '../../../src/identity/cloud-identity.ts';
import type { CloudPorts } from '../../../src/identity/cloud-ports.ts';
import { createWeb } from '../../../src/identity/web.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { systemClock } from '../../../src/kube/system-clock.ts';
import type { LoopbackInternet } from './loopback-internet.ts';

export interface TestCloudOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** The feature gate ObjectLevelWorkloadIdentity; default true. */
  readonly objectLevel?: boolean;
}

/** Who an engine with that environment is, on an internet of loopback. */
export function testCloud(
  internet: LoopbackInternet,
  client: KubeClient,
  { env = {}, files = {}, objectLevel = true }: TestCloudOptions = {},
): CloudIdentity {
  return createCloudIdentity(testPorts(internet, env, files), client, objectLevel);
}

export function testPorts(
  internet: LoopbackInternet,
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): CloudPorts {
  return {
    web: createWeb({ env, clock: systemClock, connect: internet.connect }),
    clock: systemClock,
    env,
    readFile: (path) => files[path],
    hostname: 'engine-0',
    tokens: { maxEntries: 100, maxAgeMs: 3_600_000 },
  };
}
