import { type KubeObject, printRef, refOf } from '../api/object.ts';
import { at, isArray, type Json, stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, refused } from './command.ts';
import { shortRevisions } from './get.ts';
import { conditionOf, isSuspended, type ReadyState } from './kinds.ts';
import { referenceOf, toolkitKind } from './toolkit-kinds.ts';

/** What a reconciliation does, in its order. */
const STEPS = ['source', 'dependencies', 'build', 'apply', 'health'] as const;
type Step = (typeof STEPS)[number];

/** The step that a reason of Ready is about. */
const FAILING: Readonly<Record<string, Step>> = {
  DependencyNotReady: 'dependencies',
  ArtifactFailed: 'source',
  BuildFailed: 'build',
  ReconciliationFailed: 'apply',
  PruneFailed: 'apply',
  HealthCheckFailed: 'health',
};
/** Events of objects that are told; the reason is Weir's own. */
const PLACES = 'SubstitutionFailed';

/** Why a Kustomization is not deployed: its steps, the one that failed with all that is known of it, and what to do next. */
export async function debugReport(
  context: CliContext,
  client: KubeClient,
  object: KubeObject,
): Promise<CliResult<string>> {
  const ready = conditionOf(object, 'Ready');
  const failing = ready === undefined || ready.status === 'True' ? undefined : (FAILING[ready.reason] ?? undefined);
  const source = await sourceLine(context, client, object);
  if (!source.ok) return source;
  const known: Partial<Record<Step, string>> = {
    source: source.value,
    apply: shortRevisions(stringAt(object.status, 'lastAppliedRevision') ?? ''),
  };
  const lines = STEPS.map((step) => {
    const detail = known[step] ?? '';
    return `${markOf(step, failing, ready)} ${step.padEnd(12)} ${detail}`.trimEnd();
  });
  const parts = [`${printRef(refOf(object))} is ${stateOf(object, ready)}\n\n${lines.join('\n')}\n`];
  if (ready !== undefined && ready.status !== 'True') parts.push(`${ready.reason}: ${inSource(ready.message)}\n`);
  const places = failing === 'build' ? await placesOf(client, object) : '';
  if (places !== '') parts.push(`${places}\n`);
  const next = nextStep(object, failing, ready?.message ?? '');
  if (next !== '') parts.push(`next: ${next}\n`);
  return ok(parts.join('\n'));
}

/** The message with files as the source has them: where the engine unpacks an artifact is of no use to anybody. */
function inSource(message: string): string {
  return message.replaceAll(/\/tmp\/kustomization-\d+\//g, '').trimEnd();
}

function stateOf(object: KubeObject, ready: ReadyState | undefined): string {
  const suspended = isSuspended(object) ? ' and suspended: nothing is done until it is resumed' : '';
  if (ready === undefined) return `waiting to be reconciled${suspended}`;
  return `${ready.status === 'True' ? 'ready' : ready.status === 'False' ? 'not ready' : 'being reconciled'}${suspended}`;
}

function markOf(step: Step, failing: Step | undefined, ready: ReadyState | undefined): string {
  if (ready?.status === 'True') return '✔';
  if (failing === undefined) return '◎';
  if (step === failing) return '✗';
  return STEPS.indexOf(step) < STEPS.indexOf(failing) ? '✔' : '·';
}

async function sourceLine(context: CliContext, client: KubeClient, object: KubeObject): Promise<CliResult<string>> {
  const own = toolkitKind('Kustomization');
  const ref = own === undefined ? undefined : referenceOf(own, object);
  const kind = ref === undefined ? undefined : toolkitKind(ref.kind);
  if (ref === undefined || kind === undefined) return ok('');
  const found = await client.get({ ...ref, apiVersion: kind.apiVersion, kind: kind.kind }, context.signal);
  const name = `${ref.kind}/${ref.namespace}/${ref.name}`;
  if (!found.ok) return found.error.code === 404 ? ok(`${name} not found`) : refused(found.error);
  const revision = stringAt(found.value.status, 'artifact', 'revision');
  const ready = conditionOf(found.value, 'Ready');
  const state = ready?.status === 'False' ? `, which is not ready: ${ready.message}` : '';
  return ok(`${name} ${revision === undefined ? 'without an artifact' : `at ${shortRevisions(revision)}`}${state}`);
}

/** Files and lines of variables that could not be replaced, as events of the objects tell them. */
async function placesOf(client: KubeClient, object: KubeObject): Promise<string> {
  const { namespace = '', name } = object.metadata;
  const listed = await client.list({ apiVersion: 'v1', kind: 'Event' }, { fieldSelector: `reason=${PLACES}` });
  if (!listed.ok) return '';
  const head = `cannot be built by Kustomization ${namespace}/${name}:\n`;
  const revision = stringAt(object.status, 'lastAttemptedRevision');
  const texts = listed.value.items.flatMap((event) => {
    const message = stringAt(event as unknown as Json, 'message') ?? '';
    const of = Object.entries(event.metadata.annotations ?? {}).find(([key]) => key.endsWith('/revision'))?.[1];
    return message.startsWith(head) && (of === undefined || of === revision) ? [message.slice(head.length)] : [];
  });
  return [...new Set(texts)].join('\n');
}

/** The command that tells more. */
function nextStep(object: KubeObject, failing: Step | undefined, message: string): string {
  const { namespace = '', name } = object.metadata;
  const path = stringAt(object.spec, 'path') ?? './';
  const where = `-n ${namespace}`;
  if (isSuspended(object)) return `weir resume kustomization ${name} ${where}`;
  switch (failing) {
    case 'dependencies': {
      const dependsOn = at(object.spec, 'dependsOn');
      const [first] = isArray(dependsOn) ? dependsOn : [];
      return `weir debug kustomization ${stringAt(first, 'name') ?? ''} -n ${stringAt(first, 'namespace') ?? namespace}`;
    }
    case 'source':
      if (message.startsWith('kustomization path not found')) return `correct spec.path, which is ${path}`;
      return `weir get sources all -n ${stringAt(object.spec, 'sourceRef', 'namespace') ?? namespace}`;
    case 'build':
    case 'apply':
      return `weir diff kustomization ${name} ${where} --path ${path}`;
    case 'health':
      return `weir tree kustomization ${name} ${where}, and kubectl describe of what is not ready`;
    default:
      return '';
  }
}
