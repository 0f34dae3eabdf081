import type { JsonObject } from '../../../base/json.ts';
import { at, field, stringAt } from '../../../base/json.ts';
import { printSelector } from '../selector-text.ts';
import { age, humanDuration } from './age.ts';
import { containerCells } from './core.ts';
import { list, number, orNone, text } from './fields.ts';
import { type Cells, created, nameOf, simple } from './printer.ts';

const templateCells: Cells = (object) => containerCells(at(object, 'spec', 'template'));

/** Containers, images and selector, as most workloads end. */
const wide: Cells = (object, now) => [
  ...templateCells(object, now),
  orNone(printSelector(at(object, 'spec', 'selector'))),
];

export const deploymentCells: Cells = simple(
  (object) => [
    `${number(object, 'status', 'readyReplicas')}/${number(object, 'spec', 'replicas')}`,
    number(object, 'status', 'updatedReplicas'),
    number(object, 'status', 'availableReplicas'),
  ],
  wide,
);

/** ReplicaSets, and ReplicationControllers. */
export const replicaSetCells: Cells = simple(
  (object) => [
    number(object, 'spec', 'replicas'),
    number(object, 'status', 'replicas'),
    number(object, 'status', 'readyReplicas'),
  ],
  wide,
);

export const statefulSetCells: Cells = simple(
  (object) => [`${number(object, 'status', 'readyReplicas')}/${number(object, 'spec', 'replicas')}`],
  templateCells,
);

export const daemonSetCells: Cells = simple(
  (object) => [
    number(object, 'status', 'desiredNumberScheduled'),
    number(object, 'status', 'currentNumberScheduled'),
    number(object, 'status', 'numberReady'),
    number(object, 'status', 'updatedNumberScheduled'),
    number(object, 'status', 'numberAvailable'),
    orNone(printSelector(at(object, 'spec', 'template', 'spec', 'nodeSelector'))),
  ],
  wide,
);

export const jobCells: Cells = simple((object, now) => {
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
  return [jobStatus(object), shown, duration];
}, wide);

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

export const cronJobCells: Cells = simple(
  (object, now) => {
    const last = text(object, 'status', 'lastScheduleTime');
    const suspend = at(object, 'spec', 'suspend');
    return [
      text(object, 'spec', 'schedule'),
      orNone(text(object, 'spec', 'timeZone')),
      suspend === undefined ? '<unset>' : suspend === true ? 'True' : 'False',
      list(object, 'status', 'active').length,
      last === '' ? '<none>' : age(last, now),
    ];
  },
  (object) => [
    ...containerCells(at(object, 'spec', 'jobTemplate', 'spec', 'template')),
    orNone(printSelector(at(object, 'spec', 'jobTemplate', 'spec', 'selector'))),
  ],
);

export const revisionCells: Cells = (object, now) => {
  const owner = list(object, 'metadata', 'ownerReferences').find((one) => field(one, 'controller') === true);
  const [group = '', version] = text(owner, 'apiVersion').split('/');
  const kind = `${text(owner, 'kind')}${version === undefined ? '' : `.${group}`}`.toLowerCase();
  return [
    nameOf(object),
    owner === undefined ? '<none>' : `${kind}/${text(owner, 'name')}`,
    number(object, 'revision'),
    created(object, now),
  ];
};
