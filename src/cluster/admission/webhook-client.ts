import type { Clock } from '../../base/clock.ts';
import type { Json } from '../../base/json.ts';
import { field, isArray, isObject, parseJson, stringAt } from '../../base/json.ts';
import { jsonSyntaxError } from '../../base/json-syntax.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { decodeBase64 } from '../../engine/schema/base64.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import { goQuote } from '../apiserver/status.ts';
import type { OutgoingPost, SendOutgoing } from '../outgoing.ts';
import type { PodPrograms } from '../pod-program.ts';
import type { Store } from '../store/store.ts';

export interface WebhookClientOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly programs: PodPrograms;
  readonly send: SendOutgoing;
}

/** Answers of webhooks above this are refused: an object's patch cannot be longer than a request. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/** Calls what a `clientConfig` names. Source: kubernetes@1.34 apiserver/pkg/util/webhook/client.go. */
export class WebhookClient {
  readonly #options: WebhookClientOptions;

  constructor(options: WebhookClientOptions) {
    this.#options = options;
  }

  /** POSTs `body` and resolves to the answer's JSON; fails with client-go's words. `timeoutSeconds` goes into the query. */
  async post(clientConfig: Json | undefined, body: string, timeoutSeconds: number): Promise<Result<Json, string>> {
    const url = withTimeout(urlOf(clientConfig), timeoutSeconds);
    const bundle = stringAt(clientConfig, 'caBundle') ?? '';
    const authorities = bundle === '' ? undefined : new TextDecoder().decode(decodeBase64(bundle));
    const shown = `Post ${goQuote(url)}: `;
    const via = this.#route(clientConfig);
    if (!via.ok) return err(shown + via.error);
    const over = new AbortController();
    const cancel = this.#options.clock.after(timeoutSeconds * 1000, () => over.abort());
    const answer = await this.#options.send({
      url,
      body,
      maxBytes: MAX_ANSWER_BYTES,
      signal: over.signal,
      ...(authorities === undefined ? {} : { authorities }),
      ...(via.value === undefined ? {} : { via: via.value }),
    });
    cancel();
    if (!answer.ok) return err(shown + answer.error);
    const { status, body: text } = answer.value;
    if (status < 200 || status > 206) return err(refusal(status, text));
    return readAnswer(text);
  }

  /** Where a Service's bytes go: into a simulated pod, or to the address that its EndpointSlice has. */
  #route(clientConfig: Json | undefined): Result<OutgoingPost['via'], string> {
    const service = field(clientConfig, 'service');
    if (!isObject(service)) return ok(undefined);
    const { store, programs } = this.#options;
    const [namespace, name] = [stringAt(service, 'namespace') ?? '', stringAt(service, 'name') ?? ''];
    const port = Number(field(service, 'port') ?? 443);
    const found = store.get('/services', `${namespace}/${name}`)?.object;
    if (found === undefined) return err(`service ${goQuote(name)} not found`);
    if (stringAt(found.spec, 'type') === 'ExternalName')
      return ok({ host: stringAt(found.spec, 'externalName') ?? '', port });
    const own = listOf(found.spec, 'ports').find((one) => field(one, 'port') === port);
    if (own === undefined) return err(`no service port ${port} found for service ${goQuote(name)}`);
    for (const slice of store.list('discovery.k8s.io/endpointslices', `${namespace}/`)) {
      if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
      const target = listOf(slice as unknown as Json, 'ports').find(
        (one) => (stringAt(one, 'name') ?? '') === (stringAt(own, 'name') ?? ''),
      );
      const number = Number(field(target, 'port'));
      for (const endpoint of listOf(slice as unknown as Json, 'endpoints')) {
        if (target === undefined || field(field(endpoint, 'conditions'), 'ready') === false) continue;
        const pod = stringAt(endpoint, 'targetRef', 'name');
        if (stringAt(endpoint, 'targetRef', 'kind') === 'Pod' && pod !== undefined)
          return ok({ open: () => programs.of(namespace, pod)?.connect(number) });
        const [address] = listOf(endpoint, 'addresses');
        if (typeof address === 'string') return ok({ host: address, port: number });
      }
    }
    return err(`no endpoints available for service ${goQuote(name)}`);
  }
}

function listOf(value: Json | undefined, key: string): readonly Json[] {
  const found = field(value, key);
  return isArray(found) ? found : [];
}

function urlOf(clientConfig: Json | undefined): string {
  const service = field(clientConfig, 'service');
  if (!isObject(service)) return stringAt(clientConfig, 'url') ?? '';
  const port = Number(field(service, 'port') ?? 443);
  const path = (stringAt(service, 'path') ?? '').replace(/^\//, '');
  return `https://${stringAt(service, 'name') ?? ''}.${stringAt(service, 'namespace') ?? ''}.svc:${port}/${path}`;
}

/** Paths are cleaned as Go's path.Join cleans them. */
function withTimeout(url: string, seconds: number): string {
  const [, origin = url, path = ''] = /^(https?:\/\/[^/]*)(\/.*)?$/.exec(url) ?? [];
  const clean = path.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '');
  return `${origin}${clean === '' ? '/' : clean}?timeout=${seconds}s`;
}

/** What client-go makes of an HTTP error. Source: kubernetes@1.34 apimachinery/pkg/api/errors NewGenericServerResponse. */
function refusal(status: number, text: string): string {
  const body = text.trim();
  const detail = body === '' ? 'unknown' : body;
  switch (status) {
    case 400:
      return 'the server rejected our request for an unknown reason';
    case 401:
      return 'the server has asked for the client to provide credentials';
    case 403:
      return body === '' ? 'unknown' : body;
    case 404:
      return 'the server could not find the requested resource';
    case 405:
      return 'the server does not allow this method on the requested resource';
    case 406:
      return 'the server was unable to respond with a content type that the client supports';
    case 409:
      return 'the server reported a conflict';
    case 410:
      return 'the server reported that the requested resource is no longer available';
    case 413:
      return 'the server was unable to handle the large request: the server responded with the status code 413 but did not return more information';
    case 415:
      return 'the server was unable to handle the provided content type';
    case 422:
      return 'the server rejected our request due to an error in our request';
    case 429:
      return 'the server has received too many requests and has asked us to try again later';
    case 503:
      return 'the server is currently unable to handle the request';
    case 504:
      return 'the server was unable to return a response in the time allotted, but may still be processing the request';
    default:
      return status >= 500
        ? `an error on the server (${goQuote(detail)}) has prevented the request from succeeding`
        : `the server responded with the status code ${status} but did not return more information`;
  }
}

const HEADER_TYPE =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** The answer's JSON, which YAML may stand for. Source: kubernetes@1.34 apimachinery/pkg/runtime/serializer/json. */
function readAnswer(text: string): Result<Json, string> {
  if (text === '') return err('0-length response with status code: 200 and content type: application/json');
  let value: Json;
  try {
    value = parseJson(text);
  } catch (cause) {
    if (cause instanceof RangeError) return err("couldn't get version/kind; json parse error: exceeded max depth");
    const yaml = parseYaml(text);
    if (!yaml.ok) return err(`couldn't get version/kind; json parse error: ${jsonSyntaxError(text)}`);
    value = yaml.value;
  }
  if (isObject(value) || value === null) return ok(value);
  const kind = isArray(value)
    ? 'array'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'string'
        ? 'string'
        : 'number';
  return err(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${kind} into Go value of type ${HEADER_TYPE}`,
  );
}
