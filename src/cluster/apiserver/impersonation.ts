import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Authorizer } from './authorizer.ts';
import { forbidden } from './status.ts';
import type { User } from './user.ts';
import { AUTHENTICATED, UNAUTHENTICATED } from './user.ts';

/** In a text answer. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/responsewriters/errors.go. */
const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const SERVICE_ACCOUNT = 'system:serviceaccount:';

/** The user as whom a request acts, by its `Impersonate-*` headers. Source: kubernetes@1.34 apiserver/pkg/endpoints/filters/impersonation.go. */
export function impersonate(
  user: User,
  headers: Readonly<Record<string, string>>,
  authorizer: Authorizer,
  path: string,
): Result<User, StatusError> {
  const name = headers['impersonate-user'] ?? '';
  const uid = headers['impersonate-uid'] ?? '';
  const groups = split(headers['impersonate-group']);
  const extra: Record<string, readonly string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith('impersonate-extra-')) continue;
    let key = header.slice('impersonate-extra-'.length);
    try {
      key = decodeURIComponent(key);
    } catch {
      // A key that is not percent-encoded is taken as it is.
    }
    extra[key] = split(value);
  }
  if (name === '') {
    const asked = [
      ...groups.map((group) => `{Group  ${group}    }`),
      ...Object.entries(extra).flatMap(([key, values]) =>
        values.map((value) => `{UserExtra  ${value}  authentication.k8s.io/v1  ${key}}`),
      ),
      ...(uid === '' ? [] : [`{UID  ${uid}  authentication.k8s.io/v1  }`]),
    ];
    if (asked.length > 0) {
      const why = `requested [${asked.join(' ')}] without impersonating a user`;
      const shown = JSON.stringify(path).replace(/[&<>]/g, (char) => ESCAPED[char] ?? char);
      const plain = `Internal Server Error: ${shown}: ${why}\n`;
      return err({ code: 500, reason: 'InternalError', message: why, plain });
    }
    return ok(user);
  }
  const checks: {
    readonly plural: string;
    readonly group: string;
    readonly name: string;
    readonly subresource?: string;
    readonly namespace?: string;
  }[] = [];
  const account = parseServiceAccount(name);
  checks.push(
    account === undefined
      ? { plural: 'users', group: '', name }
      : { plural: 'serviceaccounts', group: '', name: account.name, namespace: account.namespace },
  );
  for (const group of groups) checks.push({ plural: 'groups', group: '', name: group });
  for (const [key, values] of Object.entries(extra))
    for (const value of values)
      checks.push({ plural: 'userextras', group: 'authentication.k8s.io', subresource: key, name: value });
  if (uid !== '') checks.push({ plural: 'uids', group: 'authentication.k8s.io', name: uid });
  for (const check of checks) {
    const resource = {
      group: check.group,
      version: 'v1',
      plural: check.plural,
      name: check.name,
      ...(check.namespace === undefined ? {} : { namespace: check.namespace }),
      ...(check.subresource === undefined ? {} : { subresource: check.subresource }),
    };
    const { allowed, reason } = authorizer.authorize({ user, verb: 'impersonate', resource });
    if (allowed) continue;
    const full = check.subresource === undefined ? check.plural : `${check.plural}/${check.subresource}`;
    const scope =
      check.namespace === undefined ? ' at the cluster scope' : ` in the namespace ${JSON.stringify(check.namespace)}`;
    return err(
      forbidden(
        { group: check.group, plural: check.plural },
        check.name,
        `User ${JSON.stringify(user.name)} cannot impersonate resource ${JSON.stringify(full)} in API group ${JSON.stringify(check.group)}${scope}${reason === '' ? '' : `: ${reason}`}`,
      ),
    );
  }
  const all = [...groups];
  if (account !== undefined && groups.length === 0)
    all.push('system:serviceaccounts', `system:serviceaccounts:${account.namespace}`);
  const anonymous = name === 'system:anonymous';
  if (!all.includes(AUTHENTICATED) && !all.includes(UNAUTHENTICATED))
    all.push(anonymous ? UNAUTHENTICATED : AUTHENTICATED);
  return ok({ name, groups: all, extra, ...(uid === '' ? {} : { uid }) });
}

/** Several headers of one name come joined by a comma. */
function split(value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : value.split(',').map((part) => part.trim());
}

export function parseServiceAccount(name: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!name.startsWith(SERVICE_ACCOUNT)) return undefined;
  const [namespace = '', account = '', ...rest] = name.slice(SERVICE_ACCOUNT.length).split(':');
  return namespace === '' || account === '' || rest.length > 0 ? undefined : { namespace, name: account };
}
