import type { HttpRequest } from '../../base/http.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { PodProgram } from '../pod-program.ts';
import type { StatusError } from '../registry.ts';
import type { Decision } from './authorizer.ts';
import { MAX_BODY_BYTES } from './body.ts';
import type { Discovery } from './discovery.ts';
import { impersonate } from './impersonation.ts';
import type { Kernel } from './kernel.ts';
import { negotiate } from './negotiation.ts';
import { nonResource } from './non-resource.ts';
import type { OpenApi } from './openapi.ts';
import { patch } from './patch.ts';
import { connectedContainer } from './pod-subresources.ts';
import { asWanted } from './present.ts';
import { get, listObjects, watchObjects } from './read.ts';
import type { Reply } from './reply.ts';
import { failure, pageNotFound } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import type { ResourcePath, Target } from './request-info.ts';
import { parseTarget } from './request-info.ts';
import type { ResourceType } from './resource-type.ts';
import { forbidden, methodNotAllowed, notFound, pathNotFound } from './status.ts';
import { handleSubresource } from './subresources.ts';
import type { User } from './user.ts';
import { virtualCreate } from './virtual.ts';
import { create, remove, removeCollection, update } from './write.ts';

export interface Served {
  readonly reply: Reply;
  readonly warnings: readonly string[];
  readonly yaml: boolean;
  readonly pretty: boolean;
}

/** A checked exec, attach or port-forward. */
export interface Connection {
  readonly kind: 'exec' | 'attach' | 'portforward';
  readonly pod: string;
  readonly query: URLSearchParams;
  readonly program: PodProgram | undefined;
}

function isConnectionKind(kind: string | undefined): kind is Connection['kind'] {
  return kind === 'exec' || kind === 'attach' || kind === 'portforward';
}

/** Whether a path is for a connection that leaves HTTP. */
export function isConnectionPath(url: string): boolean {
  return isConnectionKind(parseTarget(url).resource?.subresource);
}

/** Answers requests of users who are known already. */
export class ApiServer {
  readonly kernel: Kernel;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;

  constructor(kernel: Kernel, discovery: Discovery, openApi: OpenApi) {
    this.kernel = kernel;
    this.discovery = discovery;
    this.openApi = openApi;
  }

  async serve(request: HttpRequest, authenticated: User): Promise<Served> {
    const target = parseTarget(request.path);
    const warnings: string[] = [];
    const warn = (text: string): void => {
      if (!warnings.includes(text)) warnings.push(text);
    };
    const pretty = isPretty(target.query, request.headers);
    const reply = await this.#route(request, target, authenticated, warn);
    const shape = negotiate(request.headers['accept'], { transforms: true, pretty });
    return { reply, warnings, yaml: shape?.format === 'yaml', pretty };
  }

  /** Checks a connection that leaves HTTP, before it does. */
  connect(request: HttpRequest, authenticated: User): Result<Connection, StatusError> {
    const target = parseTarget(request.path);
    const { resource } = target;
    const user = impersonate(authenticated, request.headers, this.kernel.authorizer, request.path);
    if (!user.ok) return user;
    const kind = resource?.subresource;
    if (resource?.plural !== 'pods' || resource.group !== '' || !isConnectionKind(kind)) return err(pathNotFound());
    // Over WebSocket the method is GET; the permission asked for is the same as for POST.
    const decision = this.#authorize(user.value, 'create', target);
    const alternative = decision.allowed ? decision : this.#authorize(user.value, 'get', target);
    if (!alternative.allowed) return err(this.#denied(user.value, 'create', target, decision));
    const { namespace = '', name = '' } = resource;
    const container = connectedContainer(this.kernel, kind, namespace, name, target.query);
    if (!container.ok) return container;
    const program = this.kernel.programs.of(namespace, name, container.value);
    return ok({ kind, pod: name, query: target.query, program });
  }

  async #route(
    request: HttpRequest,
    target: Target,
    authenticated: User,
    warn: (text: string) => void,
  ): Promise<Reply> {
    const user = impersonate(authenticated, request.headers, this.kernel.authorizer, request.path);
    if (!user.ok) return failure(user.error);
    const verb = verbOf(request.method, target);
    const decision = this.#authorize(user.value, verb, target);
    if (!decision.allowed) return failure(this.#denied(user.value, verb, target, decision));
    const { resource } = target;
    if (resource === undefined) return nonResource(this, request, target);
    const type = this.kernel.table.find(resource.group, resource.version, resource.plural);
    if (type === undefined) return this.#unknown(resource);
    if (!exists(type, resource)) {
      if (type.definition === undefined) return failure(pathNotFound());
      // The server of custom resources looks for its own.
      return resource.subresource === undefined ? pageNotFound() : failure(notFound(type, resource.name ?? ''));
    }
    const method = request.method.toUpperCase();
    const wanted = negotiate(request.headers['accept'], {
      transforms: true,
      pretty: isPretty(target.query, request.headers),
    });
    if (wanted === undefined) return failure(notAcceptable(request.headers['accept'] ?? ''));
    if ((request.body?.length ?? 0) > MAX_BODY_BYTES) return failure(tooLarge());
    const resourceRequest: ResourceRequest = {
      method,
      type,
      path: resource,
      query: target.query,
      headers: request.headers,
      body: request.body ?? new Uint8Array(),
      user: user.value,
      wanted,
      signal: request.signal,
      warn,
    };
    const bad = checkQuery(target.query);
    if (bad !== undefined) return failure(bad);
    const include = target.query.get('includeObject') ?? '';
    if (wanted.as === 'Table' && !['', 'None', 'Metadata', 'Object'].includes(include))
      return failure({
        code: 400,
        reason: 'BadRequest',
        message: `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
      });
    const outcome = await this.kernel.conversions.run(() => this.#dispatch(resourceRequest));
    return outcome.ok ? asWanted(outcome.value, type, wanted) : failure(outcome.error);
  }

  #authorize(user: User, verb: string, { path, resource }: Target): Decision {
    if (resource === undefined) return this.kernel.authorizer.authorize({ user, verb, path });
    const { group, version, plural, namespace, name, subresource } = resource;
    return this.kernel.authorizer.authorize({
      user,
      verb,
      resource: {
        group,
        version,
        plural,
        ...(namespace === undefined
          ? plural === 'namespaces' && name !== undefined
            ? { namespace: name }
            : {}
          : { namespace }),
        ...(name === undefined ? {} : { name }),
        ...(subresource === undefined ? {} : { subresource }),
      },
    });
  }

  #denied(user: User, verb: string, { path, resource }: Target, { reason }: Decision): StatusError {
    const why = reason === '' ? '' : `: ${reason}`;
    if (resource === undefined) {
      const message = `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}${why}`;
      return { code: 403, reason: 'Forbidden', message, details: {} };
    }
    const { group, plural, namespace, name, subresource } = resource;
    const full = subresource === undefined ? plural : `${plural}/${subresource}`;
    const scope =
      namespace !== undefined || (plural === 'namespaces' && name !== undefined)
        ? ` in the namespace ${JSON.stringify(namespace ?? name)}`
        : ' at the cluster scope';
    return forbidden(
      { group, plural },
      name ?? '',
      `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)}${scope}${why}`,
    );
  }

  #unknown({ group, version }: ResourcePath): Reply {
    const known = this.kernel.table.all().some((type) => type.group === group);
    if (known || group === '' || version === '') return failure(pathNotFound());
    return pageNotFound();
  }

  async #dispatch(request: ResourceRequest): Promise<Result<Reply, StatusError>> {
    const { kernel } = this;
    const { method, type, path, query } = request;
    if (path.subresource !== undefined && path.subresource !== 'status') return handleSubresource(kernel, request);
    const collection = path.name === undefined;
    const verb = methodVerb(method, collection);
    const allowed = path.subresource === undefined ? type.verbs : (type.subresources.get('status')?.verbs ?? []);
    if (verb === undefined || !allowed.includes(verb)) {
      // Review kinds have a collection only; a name below it is no path.
      if (!collection && type.verbs.length === 1 && type.verbs[0] === 'create') return err(pathNotFound());
      return err(methodNotAllowed());
    }
    if (collection && type.namespaced && path.namespace === undefined && method !== 'GET')
      return err(methodNotAllowed());
    const watching = path.watch || ['1', 'true'].includes(query.get('watch') ?? '');
    switch (verb) {
      case 'list':
        return watching ? watchObjects(kernel, request) : listObjects(kernel, request);
      case 'get':
        return path.watch ? watchObjects(kernel, request) : get(kernel, request);
      case 'create':
        return (await virtualCreate(kernel, request)) ?? create(kernel, request);
      case 'update':
        return update(kernel, request);
      case 'patch':
        return patch(kernel, request);
      case 'delete':
        return remove(kernel, request);
      case 'deletecollection':
        return removeCollection(kernel, request);
      default:
        return err(methodNotAllowed());
    }
  }
}

/** People who look with curl or a browser get indented JSON. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/negotiation/negotiate.go. */
function isPretty(query: URLSearchParams, headers: Readonly<Record<string, string>>): boolean {
  const asked = query.get('pretty') ?? '';
  return asked === '' ? /^(curl|Wget|Mozilla\/5\.0)/.test(headers['user-agent'] ?? '') : /^(1|t|true)$/i.test(asked);
}

function methodVerb(method: string, collection: boolean): string | undefined {
  switch (method) {
    case 'GET':
      return collection ? 'list' : 'get';
    case 'POST':
      return collection ? 'create' : undefined;
    case 'PUT':
      return collection ? undefined : 'update';
    case 'PATCH':
      return collection ? undefined : 'patch';
    case 'DELETE':
      return collection ? 'deletecollection' : 'delete';
    default:
      return undefined;
  }
}

/** The verb of an authorization check. */
function verbOf(method: string, { query, resource }: Target): string {
  const lower = method.toLowerCase();
  if (resource === undefined) return lower;
  const collection = resource.name === undefined;
  if (resource.watch) return 'watch';
  switch (lower) {
    case 'post':
      return 'create';
    case 'put':
      return 'update';
    case 'delete':
      return collection ? 'deletecollection' : 'delete';
    case 'get':
    case 'head':
      if (!collection) return 'get';
      return ['1', 'true'].includes(query.get('watch') ?? '') ? 'watch' : 'list';
    default:
      return lower;
  }
}

/** Whether the path fits the kind's scope and its subresources. */
function exists(type: ResourceType, path: ResourcePath): boolean {
  if (!type.namespaced && path.namespace !== undefined) return false;
  if (type.namespaced && path.namespace === undefined && path.name !== undefined) return false;
  return path.subresource === undefined || type.subresources.has(path.subresource);
}

function notAcceptable(accept: string): StatusError {
  if (accept.includes('as='))
    return {
      code: 406,
      reason: 'NotAcceptable',
      message:
        'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    };
  return {
    code: 406,
    reason: 'NotAcceptable',
    message:
      '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    details: {},
  };
}

function tooLarge(): StatusError {
  return {
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${MAX_BODY_BYTES}`,
  };
}

function checkQuery(query: URLSearchParams): StatusError | undefined {
  for (const name of ['limit', 'timeoutSeconds']) {
    const value = query.get(name);
    if (value !== null && value !== '' && !/^[-+]?\d+$/.test(value))
      return {
        code: 400,
        reason: 'BadRequest',
        message: `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`,
      };
  }
  return undefined;
}
