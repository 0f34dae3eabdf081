import type { KubeObject } from '../../api/object.ts';
import { at, isObject, type JsonObject } from '../../base/json.ts';
import { withField, withMeta } from './draft.ts';

/** Labels that tie a Job's pods to it, and the selector for them. Source: kubernetes@1.34 pkg/registry/batch/job/strategy.go generateSelector. */
export function withGeneratedSelector(job: KubeObject): KubeObject {
  const { spec } = job;
  const template = at(spec, 'template');
  if (spec === undefined || spec['manualSelector'] === true || !isObject(template)) return withTemplateLabels(job);
  const { uid = '', labels: own } = job.metadata;
  // A name may still be missing here, for validation to say so.
  const name = (job.metadata as { readonly name?: string }).name ?? '';
  const given = spec['selector'];
  const metadata = at(template, 'metadata');
  const known = at(metadata, 'labels');
  const labels: Record<string, string> = {
    ...(isObject(known) ? (known as Record<string, string>) : {}),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const selected: JsonObject = {
    ...spec,
    selector: {
      ...(isObject(given) ? given : {}),
      matchLabels: {
        ...(isObject(at(given, 'matchLabels')) ? (at(given, 'matchLabels') as JsonObject) : {}),
        'batch.kubernetes.io/controller-uid': uid,
      },
    },
    template: { ...template, metadata: { ...(isObject(metadata) ? metadata : {}), labels } },
  };
  const out = withField(job, 'spec', selected);
  // A Job without labels of its own takes its template's, these included.
  return Object.keys(own ?? {}).length > 0
    ? out
    : withMeta(out, (meta) => {
        meta.labels = labels;
      });
}

/** A Job without labels has its template's. Source: kubernetes@1.34 pkg/apis/batch/v1/defaults.go. */
export function withTemplateLabels(job: KubeObject): KubeObject {
  const labels = at(job.spec, 'template', 'metadata', 'labels');
  if (Object.keys(job.metadata.labels ?? {}).length > 0 || !isObject(labels)) return job;
  return withMeta(job, (meta) => {
    meta.labels = labels as Record<string, string>;
  });
}
