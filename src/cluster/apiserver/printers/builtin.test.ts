import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../base/json.ts';
import { ResourceTable } from '../resource-table.ts';
import { printerOf } from './builtin.ts';

const table = new ResourceTable();
const NOW = Date.parse('2026-01-01T01:00:00Z');
const metadata = { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' };

function row(group: string, version: string, plural: string, object: JsonObject): readonly Json[] {
  const type = table.find(group, version, plural);
  if (type === undefined) throw new Error(`no ${plural}`);
  return printerOf(type).cells({ metadata, ...object }, NOW).cells;
}

describe('the printers of built-in kinds', () => {
  it('have a cell for every column of every kind that can be listed', () => {
    for (const type of table.all().filter(({ verbs }) => verbs.includes('list'))) {
      const printer = printerOf(type);
      expect(printer.columns.length, type.plural).toBeGreaterThan(1);
      expect(printer.columns.find(({ name }) => name === 'Name')?.description).toMatch(/^Name must be unique/);
      // The server prints the age of an IPAddress in a column that it does not declare.
      const extra = type.plural === 'ipaddresses' ? 1 : 0;
      expect(printer.cells({ metadata }, NOW).cells.length, type.plural).toBe(printer.columns.length + extra);
    }
  });

  // Rows as kube-apiserver 1.34.1 printed the same objects.
  it.each([
    [
      ['', 'v1', 'endpoints'],
      {
        subsets: [
          { addresses: [{ ip: '1.2.3.4' }, { ip: '1.2.3.5' }], ports: [{ port: 80 }, { port: 81 }] },
          { addresses: [{ ip: 'fd00::1' }], ports: [{ port: 9 }] },
        ],
      },
      ['x', '1.2.3.4:80,1.2.3.5:80,1.2.3.4:81 + 2 more...', '60m'],
    ],
    [
      ['events.k8s.io', 'v1', 'events'],
      {
        type: 'Normal',
        reason: 'Pulled',
        note: ' pulled\n',
        regarding: { kind: 'Pod', name: 'p' },
        deprecatedSource: { component: 'kubelet', host: 'n1' },
        deprecatedFirstTimestamp: '2026-01-01T00:00:00Z',
        deprecatedLastTimestamp: '2026-01-01T00:59:00Z',
        deprecatedCount: 3,
      },
      ['60s', 'Normal', 'Pulled', 'pod/p', '', 'kubelet, n1', 'pulled', '60m', 3, 'x'],
    ],
    [
      ['storage.k8s.io', 'v1', 'csidrivers'],
      { spec: { attachRequired: false, tokenRequests: [{ audience: 'a' }], volumeLifecycleModes: ['Persistent'] } },
      ['x', false, false, false, 'a', false, 'Persistent', '60m'],
    ],
    [
      ['flowcontrol.apiserver.k8s.io', 'v1', 'prioritylevelconfigurations'],
      { spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } } } },
      ['x', 'Limited', 5, '<none>', '<none>', '<none>', '60m'],
    ],
    [
      ['certificates.k8s.io', 'v1', 'certificatesigningrequests'],
      {
        spec: { signerName: 'example.org/s', username: 'jane', expirationSeconds: 3600 },
        status: { conditions: [{ type: 'Approved' }], certificate: 'x' },
      },
      ['x', '60m', 'example.org/s', 'jane', '60m', 'Approved,Issued'],
    ],
    [
      ['autoscaling', 'v2', 'horizontalpodautoscalers'],
      {
        spec: {
          scaleTargetRef: { kind: 'Deployment', name: 'd' },
          minReplicas: 1,
          maxReplicas: 5,
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 70 } } },
            { type: 'External', external: { target: { averageValue: '3' } } },
            { type: 'Pods', pods: { target: { averageValue: '10' } } },
          ],
        },
        status: {
          currentReplicas: 2,
          currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 12 } } }],
        },
      },
      ['x', 'Deployment/d', 'cpu: 12%/70%, <unknown>/3 (avg) + 1 more...', '1', 5, 2, '60m'],
    ],
    [
      ['', 'v1', 'pods'],
      {
        spec: { containers: [{ name: 'a' }], initContainers: [{ name: 's', restartPolicy: 'Always' }, { name: 'i' }] },
        status: {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 's', started: true, ready: true, restartCount: 1, state: { running: {} } },
            { name: 'i', restartCount: 2, state: { terminated: { exitCode: 3 } } },
          ],
        },
      },
      ['x', '1/2', 'Init:ExitCode:3', '3', '60m', '<none>', '<none>', '<none>', '<none>'],
    ],
  ] as const)('%j', ([group, version, plural], object, cells) => {
    expect(row(group, version, plural, object)).toEqual(cells);
  });
});
