import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../base/json.ts';
import { applyBuiltinDefaults } from '../builtin-defaults.ts';
import { validateBuiltin, validateSubresource } from './registry.ts';

const whole = (text: JsonObject): JsonObject => applyBuiltinDefaults(text) as JsonObject;
const pod = (spec: object): JsonObject =>
  whole({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec } as unknown as JsonObject);
const one = (container: object, rest: object = {}): JsonObject =>
  pod({ containers: [{ name: 'c', image: 'i', ...container }], ...rest });
const said = (object: JsonObject, old?: JsonObject): string[] =>
  validateBuiltin(object, old).map(({ field, message }) => `${field}: ${message}`);

// Answers of kube-apiserver v1.34.1 to mutations of valid objects.
describe('what a server says of', () => {
  it.each<[what: string, object: JsonObject, errors: string[]]>([
    ['a plain pod', one({}), []],
    [
      'a sysctl that comes twice',
      one({}, { securityContext: { sysctls: [{ name: 'kernel.sem' }, { name: 'kernel/sem' }] } }),
      ['spec.securityContext.sysctls[1].name: Duplicate value: "kernel/sem"'],
    ],
    [
      'a profile of no type',
      one({ securityContext: { seccompProfile: { localhostProfile: 'a' } } }),
      [
        'spec.containers[0].securityContext.seccompProfile.type: Required value: type is required when seccompProfile is set',
        'spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: {"Type":"","LocalhostProfile":"a"}: can only be set when seccomp type is Localhost',
      ],
    ],
    [
      'a node field that no selector can ask for',
      one(
        {},
        {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchFields: [{ key: 'spec.x', operator: 'In', values: ['n'] }] }],
              },
            },
          },
        },
      ),
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "spec.x": not a valid field selector key',
      ],
    ],
    [
      'a divisor that fits no cpu',
      one({ env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } }] }),
      [
        'spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
      ],
    ],
    [
      'a network policy without a port for its range',
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'n' },
        spec: {
          podSelector: {},
          policyTypes: ['Ingress'],
          ingress: [
            {
              ports: [{ protocol: 'TCP', endPort: 90 }],
              from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }],
            },
          ],
        },
      },
      [
        'spec.ingress[0].ports[0].endPort: Invalid value: 90: may not be specified when `port` is not specified',
        'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
      ],
    ],
    [
      'an autoscaler without policies and with a window that is too long',
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h' },
        spec: {
          maxReplicas: 3,
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
          behavior: {
            scaleUp: { stabilizationWindowSeconds: 70000, policies: [] },
            scaleDown: { policies: [{ type: 'Cpus', value: 1, periodSeconds: 2000 }] },
          },
        },
      },
      [
        'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 70000: must be less than or equal to 3600',
        'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
        'spec.behavior.scaleDown.policies[0].type: Unsupported value: "Cpus": supported values: "Percent", "Pods"',
        'spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 2000: must be less than or equal to 1800',
      ],
    ],
    [
      'a flow schema for nobody and nothing',
      {
        apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
        kind: 'FlowSchema',
        metadata: { name: 'f' },
        spec: {
          matchingPrecedence: 1,
          priorityLevelConfiguration: { name: 'x' },
          rules: [{ resourceRules: [{ verbs: ['see'], apiGroups: ['*'], resources: ['*'], namespaces: ['A'] }] }, {}],
        },
      },
      [
        "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
        'spec.rules[0].subjects: Required value: subjects must contain at least one value',
        'spec.rules[0].resourceRules[0].verbs: Unsupported value: ["see"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
        "spec.rules[0].resourceRules[0].namespaces[0]: Invalid value: \"A\": each member of this list must be '*' or a DNS-1123 label; a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        'spec.rules[1].subjects: Required value: subjects must contain at least one value',
        'spec.rules[1]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      ],
    ],
    [
      'a priority level with more queues than a hash can tell apart',
      {
        apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
        kind: 'PriorityLevelConfiguration',
        metadata: { name: 'p' },
        spec: {
          type: 'Limited',
          limited: {
            limitResponse: { type: 'Queue', queuing: { queues: 2147483647, handSize: 3, queueLengthLimit: 5 } },
            lendablePercent: 101,
          },
        },
      },
      [
        'spec.limited.limitResponse.queuing.queues: Invalid value: 2147483647: must not be greater than 10000000',
        'spec.limited.limitResponse.queuing.handSize: Invalid value: 3: required entropy bits of deckSize 2147483647 and handSize 3 should not be greater than 60',
        'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
      ],
    ],
    [
      'a runtime class whose pods nothing tolerates',
      {
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: { name: 'r' },
        handler: 'h',
        overhead: { podFixed: { cpu: '-1' } },
        scheduling: { tolerations: [{ key: 'a', operator: 'Has' }] },
      },
      [
        'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        'scheduling.tolerations.tolerations[0].operator: Unsupported value: "Has": supported values: "Equal", "Exists"',
      ],
    ],
    [
      'an aggregated API under another name',
      {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.x.io' },
        spec: {
          group: 'x.io',
          version: 'v2',
          groupPriorityMinimum: 1,
          versionPriority: 2000,
          insecureSkipTLSVerify: true,
        },
      },
      [
        'metadata.name: Invalid value: "v1.x.io": must be `spec.version+"."+spec.group`: "v2.x.io"',
        'spec.versionPriority: Invalid value: 2000: must be positive and less than 1000',
        'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
      ],
    ],
    [
      'a claim of devices without a class, and with a constraint on another request',
      {
        apiVersion: 'resource.k8s.io/v1',
        kind: 'ResourceClaim',
        metadata: { name: 'c' },
        spec: {
          devices: {
            requests: [{ name: 'r', exactly: { allocationMode: 'ExactCount', count: 0 } }],
            constraints: [{ requests: ['q'], matchAttribute: 'a' }],
          },
        },
      },
      [
        'spec.devices.requests[0].exactly.deviceClassName: Required value',
        'spec.devices.requests[0].exactly.count: Invalid value: 0: must be greater than zero',
        'spec.devices.constraints[0].requests[0]: Invalid value: "q": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
        'spec.devices.constraints[0].matchAttribute: Invalid value: "a": must include a domain',
      ],
    ],
    [
      'endpoints without an address',
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { name: 'e' },
        subsets: [{ addresses: [{ ip: '' }], ports: [] }],
      },
      [
        'subsets[0].addresses[0].ip: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'subsets[0].addresses[0].ip: Invalid value: "": must be a valid IP address',
      ],
    ],
    [
      'a limit that is too small for its ratio',
      {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'l' },
        spec: {
          limits: [{ type: 'Container', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '4' } }],
        },
      },
      ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "4": ratio 4 is greater than max/min = 2.000000'],
    ],
    [
      'a quota with a scope that is no operator',
      {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'q' },
        spec: {
          hard: { pods: '1' },
          scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] },
        },
      },
      [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ],
    ],
  ])('%s', (_what, object, errors) => {
    expect(said(object)).toEqual(errors);
  });

  it('a pod that changed what it may not, as its own types print it', () => {
    const [message = ''] = said(one({}, { nodeName: 'b' }), one({}, { nodeName: 'a' }));
    expect(message).toMatch(/previously negative\)\n@@ -\d+,7 \+\d+,7 @@\n/);
    expect(message).toContain('- "NodeName": "a",\n+ "NodeName": "b",\n');
  });

  it.each<[what: string, now: object, old: object, errors: string[]]>([
    ['more of where to run', { nodeSelector: { a: 'b', c: 'd' } }, { nodeSelector: { a: 'b' } }, []],
    [
      'less of where to run, and of another gate',
      { schedulingGates: [{ name: 'h' }] },
      { nodeSelector: { a: 'b' } },
      [
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'",
        'spec.nodeSelector: Invalid value: null: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ],
    ],
    [
      'how long it tolerates',
      { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] },
      { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }] },
      [],
    ],
  ])('a pod at a gate that is told %s', (_what, now, old, errors) => {
    const gated = { schedulingGates: [{ name: 'g' }] };
    expect(said(one({}, { ...gated, ...now }), one({}, { ...gated, ...old }))).toEqual(errors);
  });

  it('two files of a projected volume at one place', () => {
    const sources = ['a', 'b'].map((name) => ({ configMap: { name, items: [{ key: 'k', path: 'p' }] } }));
    expect(said(one({}, { volumes: [{ name: 'v', projected: { sources } }] }))).toEqual([
      'spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths',
    ]);
  });

  it.each([
    ['app', 'Always'],
    ['app:latest@sha256:0123456789abcdef0123456789abcdef', 'Always'],
    ['host:5000/app:1', 'IfNotPresent'],
    ['host:5000/app', 'Always'],
    ['App', 'IfNotPresent'],
  ])('the image %s is pulled %s', (image, policy) => {
    const made = one({ image }) as { spec?: { containers?: { imagePullPolicy?: string }[] } };
    expect(made.spec?.containers?.[0]?.imagePullPolicy).toBe(policy);
  });

  it('the template of a Job that runs, as its own types print it', () => {
    const job = (image: string): JsonObject =>
      whole({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'j' },
        spec: {
          manualSelector: true,
          selector: { matchLabels: { a: 'b' } },
          template: {
            metadata: { labels: { a: 'b' } },
            spec: { restartPolicy: 'Never', containers: [{ name: 'c', image }] },
          },
        },
      });
    const [message = ''] = said(job('i:2'), job('i:1'));
    expect(message).toMatch(/^spec\.template: Invalid value: \{"labels":\{"a":"b"\},"Spec":\{"Volumes":null,/);
    expect(message).toMatch(/: field is immutable$/);
  });

  it('an ephemeral container that has a taken name', () => {
    const later = one(
      {},
      { ephemeralContainers: [{ name: 'c', image: 'i', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }] },
    );
    expect(validateSubresource('ephemeralcontainers', later, one({})).map(({ field }) => field)).toEqual([
      'spec.ephemeralContainers[0].name',
    ]);
  });
});
