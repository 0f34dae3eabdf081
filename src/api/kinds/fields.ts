import Type from 'typebox';

// Fields that several kinds share, with the constraints of Flux's CRDs (fluxcd/pkg apis/meta; k8s.io/apimachinery meta/v1 Condition).

/** Go durations of hours and less. */
export const DURATION = '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$';
/** Go durations without hours: timeouts of sources. */
export const SHORT_DURATION = '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$';

export function text(description: string, options: Type.TStringOptions = {}): Type.TString {
  return Type.String({ ...options, description });
}

export function flag(description: string, options: Type.TSchemaOptions = {}): Type.TBoolean {
  return Type.Boolean({ ...options, description });
}

export function int64(description: string, options: Type.TNumberOptions = {}): Type.TInteger {
  return Type.Integer({ format: 'int64', ...options, description });
}

export function time(description: string): Type.TString {
  return Type.String({ format: 'date-time', description });
}

export function textMap(description: string): Type.TRecord<'^.*$', Type.TString> {
  return Type.Record(Type.String(), Type.String(), { description });
}

/** A reference by name to an object of the same namespace; `what` names its kind and use. */
export function localRef(what: string): Type.TObject<{ name: Type.TString }> {
  return Type.Object({ name: text('Name of the object.') }, { description: what });
}

const conditions = Type.Array(
  Type.Object(
    {
      type: text('What the condition is about, such as Ready, Reconciling or Stalled.', {
        maxLength: 316,
        pattern:
          '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
      }),
      status: Type.Enum(['True', 'False', 'Unknown'], { description: 'Whether the condition holds.' }),
      observedGeneration: Type.Optional(
        int64('Generation of the object that the condition was judged on.', { minimum: 0 }),
      ),
      lastTransitionTime: time('When the status last changed from one value to another.'),
      reason: text('One CamelCase word on why the condition has its status; programs may rely on it.', {
        minLength: 1,
        maxLength: 1024,
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      }),
      message: text('What happened, for people; may be empty.', { maxLength: 32768 }),
    },
    { description: 'One observed aspect of the object.' },
  ),
  { description: 'What is known of the object, one entry per type.' },
);

/** Status fields of every kind that is reconciled. */
export const reconciled = {
  conditions: Type.Optional(conditions),
  observedGeneration: Type.Optional(int64('Last generation of the object that was reconciled.')),
  lastHandledReconcileAt: Type.Optional(
    text('Value of the annotation reconcile.fluxcd.io/requestedAt that was handled last.'),
  ),
};

/** What a source publishes for others to fetch. */
export function artifact(description: string) {
  return Type.Object(
    {
      digest: text('Digest of the archive, as ALGORITHM:CHECKSUM.', {
        pattern: '^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$',
      }),
      lastUpdateTime: time('When the artifact was last written.'),
      metadata: Type.Optional(textMap('Annotations that came with the upstream content.')),
      path: text('Path of the archive, relative to the root of the artifact storage.'),
      revision: text('Where the content comes from, as the source names it: main@sha1:COMMIT for Git.'),
      size: Type.Optional(int64('Size of the archive in bytes.')),
      url: text('HTTP address under which the cluster can fetch the archive.'),
    },
    { description },
  );
}

/** Columns that Flux's kinds end with in `kubectl get`. */
export const readyColumns = [
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
] as const;
