import type { KubeObject } from '../../api/object.ts';
import { at, field, isArray, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { LogOptions, PodProgram } from '../pod-program.ts';
import type { StatusError } from '../registry.ts';
import { checkTime } from './go-time.ts';
import type { Kernel } from './kernel.ts';
import type { Reply } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import type { Cause } from './status.ts';
import { badRequest, forbiddenField, invalid, invalidValue, notFound } from './status.ts';

/** `GET /pods/NAME/log`. Source: kubernetes@1.34 pkg/registry/core/pod/strategy.go LogLocation. */
export function podLog(kernel: Kernel, request: ResourceRequest): Result<Reply, StatusError> {
  const { path, query } = request;
  const { namespace = '', name = '' } = path;
  const limits = readLimits(query);
  if (!limits.ok) return limits;
  const { tailLines, sinceSeconds, limitBytes, sinceTime } = limits.value;
  const causes = checkLimits(limits.value, query);
  if (causes.length > 0) return err(invalid({ group: '', kind: 'PodLogOptions' }, name, causes));
  const pod = kernel.objects.entry(request.type, namespace, name)?.object;
  if (pod === undefined) return err(notFound(request.type, name));
  const container = chooseContainer(pod, query.get('container') ?? '');
  if (!container.ok) return container;
  // A pod without a node has no log yet: an empty answer, not an error.
  if ((stringAt(pod.spec, 'nodeName') ?? '') === '') return ok({ status: 204, content: { kind: 'none' } });
  const program = kernel.programs.of(namespace, name, container.value);
  if (program === undefined)
    return err(
      badRequest(
        `container ${JSON.stringify(container.value)} in pod ${JSON.stringify(name)} is waiting to start: ContainerCreating`,
      ),
    );
  const previous = ['1', 'true'].includes(query.get('previous') ?? '');
  if (previous && !hasEnded(pod, container.value))
    return err(
      badRequest(
        `previous terminated container ${JSON.stringify(container.value)} in pod ${JSON.stringify(name)} not found`,
      ),
    );
  const abort = new AbortController();
  request.signal?.addEventListener('abort', () => abort.abort(), { once: true });
  const sinceMs =
    sinceTime !== undefined
      ? kernel.clock.now() - Date.parse(sinceTime)
      : sinceSeconds === undefined
        ? undefined
        : sinceSeconds * 1000;
  const options: LogOptions = {
    follow: ['1', 'true'].includes(query.get('follow') ?? ''),
    previous,
    timestamps: ['1', 'true'].includes(query.get('timestamps') ?? ''),
    signal: abort.signal,
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceMs === undefined || Number.isNaN(sinceMs) ? {} : { sinceMs }),
  };
  return ok({
    status: 200,
    content: { kind: 'stream', chunks: lines(program, options, limitBytes), type: 'text/plain' },
  });
}

interface Limits {
  readonly tailLines: number | undefined;
  readonly sinceSeconds: number | undefined;
  readonly limitBytes: number | undefined;
  /** In UTC. */
  readonly sinceTime: string | undefined;
}

/** The options that are numbers and times, as strconv and time.Parse read them. */
function readLimits(query: URLSearchParams): Result<Limits, StatusError> {
  const numbers: Record<string, number | undefined> = {};
  for (const key of ['tailLines', 'sinceSeconds', 'limitBytes']) {
    const text = query.get(key);
    const whole = text !== null && /^[-+]?\d+$/.test(text);
    const why = whole ? 'value out of range' : 'invalid syntax';
    if (text !== null && (!whole || BigInt.asIntN(64, BigInt(text)) !== BigInt(text)))
      return err(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`));
    numbers[key] = text === null ? undefined : Number(text);
  }
  const since = query.get('sinceTime') ?? '';
  const time = since === '' ? ok(undefined) : checkTime(since, false);
  if (!time.ok) return err(badRequest(time.error));
  const { tailLines, sinceSeconds, limitBytes } = numbers;
  return ok({ tailLines, sinceSeconds, limitBytes, sinceTime: time.value });
}

/** Source: kubernetes@1.34 pkg/apis/core/validation ValidatePodLogOptions, with streams not selectable. */
function checkLimits(
  { tailLines, sinceSeconds, limitBytes, sinceTime }: Limits,
  query: URLSearchParams,
): readonly Cause[] {
  const causes: Cause[] = [];
  if (tailLines !== undefined && tailLines < 0)
    causes.push(invalidValue('tailLines', tailLines, 'must be greater than or equal to 0'));
  if (limitBytes !== undefined && limitBytes < 1)
    causes.push(invalidValue('limitBytes', limitBytes, 'must be greater than 0'));
  if (sinceSeconds !== undefined && sinceTime !== undefined)
    causes.push(forbiddenField('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    causes.push(invalidValue('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  if (query.has('stream')) causes.push(forbiddenField('stream', 'may not be specified'));
  return causes;
}

/** A limit ends the log in the middle of a line. */
async function* lines(program: PodProgram, options: LogOptions, limitBytes = Infinity): AsyncGenerator<Uint8Array> {
  yield new Uint8Array();
  let left = limitBytes;
  for await (const line of program.logs(options)) {
    const bytes = new TextEncoder().encode(`${line}\n`);
    yield bytes.subarray(0, left);
    left -= bytes.length;
    if (left <= 0) return;
  }
}

/** Whether a run of the container is over. */
function hasEnded(pod: KubeObject, container: string): boolean {
  return ['containerStatuses', 'initContainerStatuses'].some((key) => {
    const statuses = field(pod.status, key);
    const own = isArray(statuses) ? statuses.find((one) => stringAt(one, 'name') === container) : undefined;
    return at(own, 'lastState', 'terminated') !== undefined;
  });
}

function names(pod: KubeObject, key: string): readonly string[] {
  const list = field(pod.spec, key);
  return isArray(list) ? list.map((one) => stringAt(one, 'name') ?? '') : [];
}

/** The container whose log is meant; a pod with several must be asked for one. */
export function chooseContainer(pod: KubeObject, asked: string): Result<string, StatusError> {
  const containers = names(pod, 'containers');
  const init = names(pod, 'initContainers');
  const ephemeral = names(pod, 'ephemeralContainers');
  const { name } = pod.metadata;
  if (asked !== '') {
    if ([...containers, ...init, ...ephemeral].includes(asked)) return ok(asked);
    return err(badRequest(`container ${asked} is not valid for pod ${name}`));
  }
  if (containers.length === 1) return ok(containers[0] as string);
  if (containers.length === 0) return err(badRequest(`a container name must be specified for pod ${name}`));
  const more = [
    ...(init.length > 0 ? [` or one of the init containers: [${init.join(' ')}]`] : []),
    ...(ephemeral.length > 0 ? [` or one of the ephemeral containers: [${ephemeral.join(' ')}]`] : []),
  ];
  return err(
    badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]${more.join('')}`,
    ),
  );
}
