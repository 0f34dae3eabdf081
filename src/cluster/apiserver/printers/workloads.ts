import type { Json, JsonObject } from '../../../base/json.ts';
import { at, field, stringAt } from '../../../base/json.ts';
import { printSelector } from '../selector-text.ts';
import { age, humanDuration } from './age.ts';
import { list, number, orNone, text } from './fields.ts';
import { AGE, column, NAME, type Printer } from './printer.ts';

/** Source: kubernetes@1.34 pkg/printers/internalversion/printers.go. */

const WIDE = [column('Containers', 'string', 1), column('Images', 'string', 1), column('Selector', 'string', 1)];

function template(object: JsonObject, ...path: readonly string[]): readonly [string, string] {
  const containers = list(at(object, ...path), 'spec', 'containers');
  return [containers.map((one) => text(one, 'name')).join(','), containers.map((one) => text(one, 'image')).join(',')];
}

function selectorOf(object: JsonObject): string {
  return printSelector(at(object, 'spec', 'selector'));
}

function created(object: JsonObject, nowMs: number): string {
  return age(at(object, 'metadata', 'creationTimestamp'), nowMs);
}

function name(object: JsonObject): string {
  return text(object, 'metadata', 'name');
}

export const deploymentPrinter: Printer = {
  columns: [NAME, column('Ready'), column('Up-to-date'), column('Available'), AGE, ...WIDE],
  cells: (object, now) => ({
    cells: [
      name(object),
      `${number(object, 'status', 'readyReplicas')}/${number(object, 'spec', 'replicas')}`,
      number(object, 'status', 'updatedReplicas'),
      number(object, 'status', 'availableReplicas'),
      created(object, now),
      ...template(object, 'spec', 'template'),
      selectorOf(object),
    ],
  }),
};

export const replicaSetPrinter: Printer = {
  columns: [NAME, column('Desired', 'integer'), column('Current', 'integer'), column('Ready', 'integer'), AGE, ...WIDE],
  cells: (object, now) => ({
    cells: [
      name(object),
      number(object, 'spec', 'replicas'),
      number(object, 'status', 'replicas'),
      number(object, 'status', 'readyReplicas'),
      created(object, now),
      ...template(object, 'spec', 'template'),
      selectorOf(object),
    ],
  }),
};

export const statefulSetPrinter: Printer = {
  columns: [NAME, column('Ready'), AGE, column('Containers', 'string', 1), column('Images', 'string', 1)],
  cells: (object, now) => ({
    cells: [
      name(object),
      `${number(object, 'status', 'readyReplicas')}/${number(object, 'spec', 'replicas')}`,
      created(object, now),
      ...template(object, 'spec', 'template'),
    ],
  }),
};

export const daemonSetPrinter: Printer = {
  columns: [
    NAME,
    column('Desired', 'integer'),
    column('Current', 'integer'),
    column('Ready', 'integer'),
    column('Up-to-date', 'integer'),
    column('Available', 'integer'),
    column('Node Selector'),
    AGE,
    ...WIDE,
  ],
  cells: (object, now) => ({
    cells: [
      name(object),
      number(object, 'status', 'desiredNumberScheduled'),
      number(object, 'status', 'currentNumberScheduled'),
      number(object, 'status', 'numberReady'),
      number(object, 'status', 'updatedNumberScheduled'),
      number(object, 'status', 'numberAvailable'),
      orNone(printSelector(at(object, 'spec', 'template', 'spec', 'nodeSelector'))),
      created(object, now),
      ...template(object, 'spec', 'template'),
      selectorOf(object),
    ],
  }),
};

export const jobPrinter: Printer = {
  columns: [NAME, column('Status'), column('Completions'), column('Duration'), AGE, ...WIDE],
  cells: (object, now) => {
    const completions = at(object, 'spec', 'completions');
    const parallelism = number(object, 'spec', 'parallelism');
    const succeeded = number(object, 'status', 'succeeded');
    const shown =
      typeof completions === 'number'
        ? `${succeeded}/${completions}`
        : parallelism > 1
          ? `${succeeded}/1 of ${parallelism}`
          : `${succeeded}/1`;
    const start = Date.parse(text(object, 'status', 'startTime'));
    const end = Date.parse(text(object, 'status', 'completionTime'));
    const duration = Number.isNaN(start) ? '' : humanDuration((Number.isNaN(end) ? now : end) - start);
    return {
      cells: [
        name(object),
        jobStatus(object),
        shown,
        duration,
        created(object, now),
        ...template(object, 'spec', 'template'),
        selectorOf(object),
      ],
    };
  },
};

function jobStatus(object: JsonObject): string {
  const has = (type: string): boolean =>
    list(object, 'status', 'conditions').some(
      (one) => stringAt(one, 'type') === type && stringAt(one, 'status') === 'True',
    );
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (at(object, 'metadata', 'deletionTimestamp') !== undefined) return 'Terminating';
  if (has('Suspended')) return 'Suspended';
  if (has('FailureTarget')) return 'FailureTarget';
  if (has('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

export const cronJobPrinter: Printer = {
  columns: [
    NAME,
    column('Schedule'),
    column('Timezone'),
    column('Suspend', 'boolean'),
    column('Active', 'integer'),
    column('Last Schedule'),
    AGE,
    ...WIDE,
  ],
  cells: (object, now) => {
    const last = text(object, 'status', 'lastScheduleTime');
    const suspend: Json = at(object, 'spec', 'suspend') ?? false;
    return {
      cells: [
        name(object),
        text(object, 'spec', 'schedule'),
        orNone(text(object, 'spec', 'timeZone')),
        suspend === true ? 'True' : 'False',
        list(object, 'status', 'active').length,
        last === '' ? '<none>' : age(last, now),
        created(object, now),
        ...template(object, 'spec', 'jobTemplate', 'spec', 'template'),
        printSelector(at(object, 'spec', 'jobTemplate', 'spec', 'selector')),
      ],
    };
  },
};

export const replicationControllerPrinter: Printer = {
  ...replicaSetPrinter,
};

export const templatePrinter: Printer = {
  columns: [NAME, column('Containers'), column('Images'), column('Pod Labels')],
  cells: (object) => ({
    cells: [
      name(object),
      ...template(object, 'template'),
      orNone(printSelector(at(object, 'template', 'metadata', 'labels'))),
    ],
  }),
};

export const revisionPrinter: Printer = {
  columns: [NAME, column('Controller'), column('Revision'), AGE],
  cells: (object, now) => {
    const owner = list(object, 'metadata', 'ownerReferences').find((one) => field(one, 'controller') === true);
    const controller =
      owner === undefined
        ? '<none>'
        : `${text(owner, 'kind').toLowerCase()}.${text(owner, 'apiVersion').split('/')[0] ?? ''}/${text(owner, 'name')}`;
    return { cells: [name(object), controller, number(object, 'revision'), created(object, now)] };
  },
};

export const autoscalerPrinter: Printer = {
  columns: [
    NAME,
    column('Reference'),
    column('Targets'),
    column('MinPods'),
    column('MaxPods'),
    column('Replicas'),
    AGE,
  ],
  cells: (object, now) => ({
    cells: [
      name(object),
      `${text(object, 'spec', 'scaleTargetRef', 'kind')}/${text(object, 'spec', 'scaleTargetRef', 'name')}`,
      targets(object),
      text(object, 'spec', 'minReplicas') || '<unset>',
      number(object, 'spec', 'maxReplicas'),
      number(object, 'status', 'currentReplicas'),
      created(object, now),
    ],
  }),
};

function targets(object: JsonObject): string {
  const metrics = list(object, 'spec', 'metrics');
  if (metrics.length === 0) {
    const percent = text(object, 'spec', 'targetCPUUtilizationPercentage');
    return percent === '' ? '<none>' : `cpu: <unknown>/${percent}%`;
  }
  const shown = metrics.slice(0, 2).map((metric) => {
    const resource = field(metric, 'resource');
    if (resource === undefined) return `<unknown>/${text(metric, 'pods', 'target', 'averageValue')}`;
    const utilization = text(resource, 'target', 'averageUtilization');
    const target = utilization === '' ? text(resource, 'target', 'averageValue') : `${utilization}%`;
    return `${text(resource, 'name')}: <unknown>/${target}`;
  });
  return shown.join(', ') + (metrics.length > 2 ? ` + ${metrics.length - 2} more...` : '');
}

export const budgetPrinter: Printer = {
  columns: [NAME, column('Min Available'), column('Max Unavailable'), column('Allowed Disruptions', 'integer'), AGE],
  cells: (object, now) => ({
    cells: [
      name(object),
      text(object, 'spec', 'minAvailable') || 'N/A',
      text(object, 'spec', 'maxUnavailable') || 'N/A',
      number(object, 'status', 'disruptionsAllowed'),
      created(object, now),
    ],
  }),
};
