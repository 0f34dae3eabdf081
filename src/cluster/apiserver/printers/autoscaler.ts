import type { Json } from '../../../base/json.ts';
import { at, isObject } from '../../../base/json.ts';
import { list, number, text } from './fields.ts';
import { type Cells, simple } from './printer.ts';

export const autoscalerCells: Cells = simple((object) => [
  `${text(object, 'spec', 'scaleTargetRef', 'kind')}/${text(object, 'spec', 'scaleTargetRef', 'name')}`,
  targets(object),
  text(object, 'spec', 'minReplicas') || '<unset>',
  number(object, 'spec', 'maxReplicas'),
  number(object, 'status', 'currentReplicas'),
]);

/** Source: kubernetes@1.34 pkg/printers/internalversion/printers.go formatHPAMetrics; autoscaling/v1 has one metric only. */
function targets(object: Json): string {
  const metrics = list(object, 'spec', 'metrics');
  if (metrics.length > 0) {
    const shown = metrics.map((metric, index) => target(metric, list(object, 'status', 'currentMetrics')[index]));
    return shown.length > 2 ? `${shown.slice(0, 2).join(', ')} + ${shown.length - 2} more...` : shown.join(', ');
  }
  const percent = text(object, 'spec', 'targetCPUUtilizationPercentage');
  if (percent === '') return '<none>';
  const current = text(object, 'status', 'currentCPUUtilizationPercentage');
  return `cpu: ${current === '' ? '<unknown>' : `${current}%`}/${percent}%`;
}

const SOURCES: Readonly<Record<string, string>> = {
  External: 'external',
  Pods: 'pods',
  Object: 'object',
  Resource: 'resource',
  ContainerResource: 'containerResource',
};

function target(metric: Json, status: Json | undefined): string {
  const type = text(metric, 'type');
  const source = SOURCES[type];
  if (source === undefined) return '<unknown type>';
  const wanted = at(metric, source, 'target');
  const seen = at(status, source, 'current');
  const average = text(wanted, 'averageValue');
  const current = (key: string): string => (isObject(seen) ? text(seen, key) : '') || '<unknown>';
  if (type === 'Pods') return `${current('averageValue')}/${average}`;
  if (type === 'External' || type === 'Object')
    return average === ''
      ? `${current('value')}/${text(wanted, 'value')}`
      : `${current('averageValue')}/${average} (avg)`;
  const name = text(metric, source, 'name');
  if (average !== '') return `${name}: ${current('averageValue')}/${average}`;
  const percent = (value: string, none: string): string => (value === '' ? none : `${value}%`);
  return `${name}: ${percent(text(seen, 'averageUtilization'), '<unknown>')}/${percent(text(wanted, 'averageUtilization'), '<auto>')}`;
}
