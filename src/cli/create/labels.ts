import { ok } from '../../base/result.ts';
import { type CliContext, type CliResult, failed } from '../command.ts';
import { isDnsSubdomain } from '../global-flags.ts';

const MAX_LABEL_LENGTH = 63;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Kubernetes' qualified names: `name` or `prefix/name`. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  if (slash >= 0 && !isDnsSubdomain(text.slice(0, slash))) return false;
  return name.length <= MAX_LABEL_LENGTH && LABEL_NAME.test(name);
}

/** The values of `--label`. Source: fluxcd/flux2@v2 cmd/flux/create.go parseLabels. */
export function parseLabels(context: CliContext): CliResult<Readonly<Record<string, string>>> {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const text of context.flags.list('label')) {
    const equals = text.indexOf('=');
    if (equals < 0 || text.indexOf('=', equals + 1) >= 0) {
      return failed(`invalid label format '${text}', must be key=value`);
    }
    const key = text.slice(0, equals);
    const value = text.slice(equals + 1);
    if (!isQualifiedName(key)) return failed(`invalid label '${key}'`);
    if (value.length > MAX_LABEL_LENGTH || !LABEL_VALUE.test(value)) return failed(`invalid label value '${value}'`);
    labels[key] = value;
  }
  return ok(labels);
}

/** Metadata with labels only where there are any. */
export function metadataOf(
  name: string,
  namespace: string | undefined,
  labels: Readonly<Record<string, string>>,
): { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> } {
  return {
    ...(Object.keys(labels).length > 0 ? { labels: { ...labels } } : {}),
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** The name that every create command needs. Source: fluxcd/flux2@v2 cmd/flux/create.go. */
export function requireName(context: CliContext): CliResult<string> {
  const [name] = context.args;
  if (name === undefined) return failed('name is required');
  // Names are values of the owner's label, too, which are shorter than names.
  if (isDnsSubdomain(name) && name.length <= MAX_LABEL_LENGTH) return ok(name);
  return failed(
    `name '${name}' is invalid, it should adhere to standard defined in RFC 1123, the name can only contain alphanumeric characters or '-'`,
  );
}
