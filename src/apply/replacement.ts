import { createHash } from 'node:crypto';
import type { KubeObject } from '../api/object.ts';
import { at, isArray, stringAt } from '../base/json.ts';
import type { KubeClient, KubeError } from '../kube/client.ts';

export interface ReplacementPorts {
  readonly client: KubeClient;
  readonly manager: string;
  readonly signal: AbortSignal;
}

/**
 * Why an object whose change was refused (`refusal`) could not be made anew either; undefined when it could. Nothing may be deleted
 * for a change that a new object would not take: the server is asked for a dry-run of one under another name.
 */
export async function problemOfNew(
  object: KubeObject,
  refusal: KubeError,
  { client, manager, signal }: ReplacementPorts,
): Promise<KubeError | undefined> {
  const { metadata } = object;
  // It means one object in particular, which no new one can be.
  if (metadata.uid !== undefined || metadata.resourceVersion !== undefined) return refusal;
  const name = `weir-${createHash('sha1').update(metadata.name).digest('hex').slice(0, 12)}`;
  const copy = { ...object, metadata: { ...metadata, name } };
  const made = await client.create(copy, { fieldManager: manager, dryRun: true, signal });
  if (made.ok || /exceeded quota/.test(made.error.message)) return undefined;
  const { code } = made.error;
  if (code !== 422 && code !== 409 && code !== 400) return made.error;
  // What only the copy is refused for (its name, a port that the live object holds) says nothing about the object.
  const complaints = new Set(complaintsOf(made.error, name));
  return complaintsOf(refusal, metadata.name).some((complaint) => complaints.has(complaint)) ? refusal : undefined;
}

function complaintsOf({ details, message }: KubeError, name: string): readonly string[] {
  const causes = at(details, 'causes');
  if (!isArray(causes) || causes.length === 0) return [message.replaceAll(name, '')];
  return causes.map((cause) => `${stringAt(cause, 'field')}: ${stringAt(cause, 'message')}`);
}
