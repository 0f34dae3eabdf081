/** What a path of the API names, before it is known whether it exists. Source: kubernetes@1.34 apiserver/pkg/endpoints/request/requestinfo.go. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly namespace?: string;
  readonly plural: string;
  readonly name?: string;
  readonly subresource?: string;
  /** What follows the subresource (`proxy/PATH`). */
  readonly rest?: string;
  /** The path began with `/watch/`. */
  readonly watch: boolean;
}

export interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly resource?: ResourcePath;
}

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

export function parseTarget(url: string): Target {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const resource = parseResource(path);
  return resource === undefined ? { path, query } : { path, query, resource };
}

function parseResource(path: string): ResourcePath | undefined {
  let parts: string[];
  try {
    parts = path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
  if (parts.at(-1) === '') parts.pop();
  let group = '';
  if (parts[0] === 'apis') {
    group = parts[1] ?? '';
    parts = parts.slice(2);
    if (group === '') return undefined;
  } else if (parts[0] === 'api') parts = parts.slice(1);
  else return undefined;
  const version = parts.shift();
  if (version === undefined || parts.length === 0) return undefined;
  const watch = parts[0] === 'watch';
  if (watch) parts.shift();
  let namespace: string | undefined;
  if (parts[0] === 'namespaces' && parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] as string)) {
    namespace = parts[1] as string;
    parts = parts.slice(2);
  } else if (parts[0] === 'namespaces' && parts.length > 3 && parts[1] !== '') {
    namespace = parts[1] as string;
    parts = parts.slice(2);
  }
  const [plural, name, subresource, ...rest] = parts;
  if (plural === undefined || plural === '') return undefined;
  return {
    group,
    version,
    plural,
    watch,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(rest.length === 0 ? {} : { rest: rest.join('/') }),
  };
}
