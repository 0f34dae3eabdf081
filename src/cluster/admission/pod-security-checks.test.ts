import { describe, expect, it } from 'vitest';
import type { Json } from '../../base/json.ts';
import { findings } from './pod-security-checks.ts';

const LATEST = Number.POSITIVE_INFINITY;
const good = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    { name: 'c', image: 'i', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
  ],
};
const one = (securityContext: Json): Json => ({ containers: [{ name: 'c', securityContext }] });
const find = (level: string, minor: number, spec: Json, annotations: { [key: string]: string } = {}): string[] =>
  findings(level, minor, { spec, annotations }).map(({ reason, detail }) => `${reason} (${detail})`);

// What kube-apiserver v1.34.1 answers.
describe('the Pod Security Standards', () => {
  it.each<[level: string, minor: number, spec: Json, found: string[]]>([
    ['restricted', LATEST, good, []],
    ['privileged', LATEST, one({ privileged: true }), []],
    [
      'baseline',
      LATEST,
      one({ privileged: true }),
      ['privileged (container "c" must not set securityContext.privileged=true)'],
    ],
    [
      'baseline',
      LATEST,
      one({ capabilities: { add: ['SYS_TIME', 'NET_ADMIN', 'CHOWN'] } }),
      [
        'non-default capabilities (container "c" must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add)',
      ],
    ],
    [
      'baseline',
      LATEST,
      one({ seLinuxOptions: { type: 'x_t', user: 'u' } }),
      ['seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "x_t"; user may not be set)'],
    ],
    ['baseline', 31, one({ seLinuxOptions: { type: 'container_engine_t' } }), []],
    [
      'baseline',
      30,
      one({ seLinuxOptions: { type: 'container_engine_t' } }),
      ['seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "container_engine_t")'],
    ],
    [
      'baseline',
      LATEST,
      { hostNetwork: true, hostPID: true, volumes: [{ name: 'h', hostPath: { path: '/' } }] },
      ['host namespaces (hostNetwork=true, hostPID=true)', 'hostPath volumes (volume "h")'],
    ],
    [
      'restricted',
      LATEST,
      {
        ...good,
        volumes: [
          { name: 'h', hostPath: { path: '/' } },
          { name: 'n', nfs: {} },
          { name: 'e', emptyDir: {} },
        ],
      },
      ['restricted volume types (volumes "h", "n" use restricted volume types "hostPath", "nfs")'],
    ],
    [
      'baseline',
      LATEST,
      { containers: [{ name: 'c', ports: [{ hostPort: 80 }, { hostPort: 9000 }] }] },
      ['hostPort (container "c" uses hostPorts 80, 9000)'],
    ],
    ['baseline', 33, { containers: [{ name: 'c', livenessProbe: { httpGet: { host: 'h' } } }] }, []],
    [
      'baseline',
      34,
      { containers: [{ name: 'c', livenessProbe: { httpGet: { host: 'h' } } }] },
      ['probe or lifecycle host (container "c" uses probe or lifecycle host "h")'],
    ],
    [
      'restricted',
      20,
      { containers: [{ name: 'c' }] },
      [
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ],
    ],
    [
      'restricted',
      LATEST,
      { ...good, securityContext: { runAsUser: 0, runAsNonRoot: false, seccompProfile: { type: 'Unconfined' } } },
      [
        'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)',
        'runAsUser=0 (pod must not set runAsUser=0)',
        'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
      ],
    ],
    [
      'restricted',
      LATEST,
      { os: { name: 'windows' }, securityContext: { runAsNonRoot: true }, containers: [{ name: 'c' }] },
      [],
    ],
    [
      'baseline',
      31,
      { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }] } },
      ['forbidden sysctls (net.ipv4.tcp_rmem)'],
    ],
    ['baseline', 32, { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }] } }, []],
  ])('%s:1.%s', (level, minor, spec, found) => {
    expect(find(level, minor, spec)).toEqual(found);
  });

  it('reads annotations', () => {
    const key = 'container.apparmor.security.beta.kubernetes.io/c';
    expect(find('baseline', LATEST, good, { [key]: 'unconfined' })).toEqual([
      `forbidden AppArmor profile (annotation must not set AppArmor profile type to "${key}="unconfined"")`,
    ]);
  });
});
