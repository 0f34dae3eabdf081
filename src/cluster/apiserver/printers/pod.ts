import type { Json, JsonObject } from '../../../base/json.ts';
import { at, field, stringAt } from '../../../base/json.ts';
import { age, humanDuration } from './age.ts';
import { list, number, orNone, text } from './fields.ts';
import { AGE, column, NAME, type Printer, type Row } from './printer.ts';

/** Source: kubernetes@1.34 pkg/printers/internalversion/printers.go printPod. */
export const podPrinter: Printer = {
  columns: [
    NAME,
    column('Ready'),
    column('Status'),
    column('Restarts'),
    AGE,
    column('IP', 'string', 1),
    column('Node', 'string', 1),
    column('Nominated Node', 'string', 1),
    column('Readiness Gates', 'string', 1),
  ],
  cells: podRow,
};

const SUCCEEDED: Json = {
  type: 'Completed',
  status: 'True',
  reason: 'Succeeded',
  message: 'The pod has completed successfully.',
};
const FAILED: Json = { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' };

function podRow(pod: JsonObject, nowMs: number): Row {
  const total = list(pod, 'spec', 'containers').length;
  const { reason, ready, restarts, lastRestart } = summarize(pod);
  const phase = text(pod, 'status', 'phase');
  const gates = list(pod, 'spec', 'readinessGates');
  const passed = gates.filter((gate) =>
    list(pod, 'status', 'conditions').some(
      (one) => field(one, 'type') === field(gate, 'conditionType') && field(one, 'status') === 'True',
    ),
  ).length;
  const shownRestarts =
    lastRestart === undefined || restarts === 0
      ? String(restarts)
      : `${restarts} (${humanDuration(nowMs - lastRestart)} ago)`;
  return {
    cells: [
      text(pod, 'metadata', 'name'),
      `${ready}/${total}`,
      reason,
      shownRestarts,
      age(at(pod, 'metadata', 'creationTimestamp'), nowMs),
      orNone(text(list(pod, 'status', 'podIPs')[0], 'ip') || text(pod, 'status', 'podIP')),
      orNone(text(pod, 'spec', 'nodeName')),
      orNone(text(pod, 'status', 'nominatedNodeName')),
      gates.length === 0 ? '<none>' : `${passed}/${gates.length}`,
    ],
    ...(phase === 'Succeeded' ? { conditions: [SUCCEEDED] } : phase === 'Failed' ? { conditions: [FAILED] } : {}),
  };
}

interface Summary {
  readonly reason: string;
  readonly ready: number;
  readonly restarts: number;
  readonly lastRestart: number | undefined;
}

function summarize(pod: JsonObject): Summary {
  let reason = text(pod, 'status', 'reason') || text(pod, 'status', 'phase') || 'Unknown';
  for (const condition of list(pod, 'status', 'conditions'))
    if (stringAt(condition, 'type') === 'PodScheduled' && stringAt(condition, 'reason') === 'SchedulingGated')
      reason = 'SchedulingGated';
  let restarts = 0;
  let last: number | undefined;
  const init = initReason(pod);
  if (init !== undefined) reason = init;
  const deleting = at(pod, 'metadata', 'deletionTimestamp') !== undefined;
  let ready = 0;
  if (init === undefined) {
    let running = false;
    for (const status of [...list(pod, 'status', 'containerStatuses')].reverse()) {
      restarts += number(status, 'restartCount');
      const finished = Date.parse(text(status, 'lastState', 'terminated', 'finishedAt'));
      if (!Number.isNaN(finished)) last = Math.max(last ?? 0, finished);
      const waiting = text(status, 'state', 'waiting', 'reason');
      const terminated = at(status, 'state', 'terminated');
      if (waiting !== '') reason = waiting;
      else if (terminated !== undefined) reason = terminatedReason(terminated);
      else if (field(status, 'ready') === true && at(status, 'state', 'running') !== undefined) {
        running = true;
        ready++;
      }
    }
    if (reason === 'Completed' && running) {
      const isReady = list(pod, 'status', 'conditions').some(
        (one) => field(one, 'type') === 'Ready' && field(one, 'status') === 'True',
      );
      reason = isReady ? 'Running' : 'NotReady';
    }
  } else for (const status of list(pod, 'status', 'initContainerStatuses')) restarts += number(status, 'restartCount');
  if (deleting) {
    const phase = text(pod, 'status', 'phase');
    if (text(pod, 'status', 'reason') === 'NodeLost') reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') reason = 'Terminating';
  }
  return { reason, ready, restarts, lastRestart: last };
}

function terminatedReason(terminated: Json): string {
  const reason = text(terminated, 'reason');
  if (reason !== '') return reason;
  const signal = number(terminated, 'signal');
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${number(terminated, 'exitCode')}`;
}

function initReason(pod: JsonObject): string | undefined {
  const total = list(pod, 'spec', 'initContainers').length;
  for (const [index, status] of list(pod, 'status', 'initContainerStatuses').entries()) {
    const terminated = at(status, 'state', 'terminated');
    if (terminated !== undefined && number(terminated, 'exitCode') === 0) continue;
    const spec = list(pod, 'spec', 'initContainers').find((one) => field(one, 'name') === field(status, 'name'));
    if (field(spec, 'restartPolicy') === 'Always' && field(status, 'started') === true) continue;
    if (terminated !== undefined) {
      const reason = terminatedReason(terminated);
      return `Init:${reason}`;
    }
    const waiting = text(status, 'state', 'waiting', 'reason');
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}
