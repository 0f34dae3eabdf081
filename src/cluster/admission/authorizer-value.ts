import { CelFailure } from '../../engine/cel/operators.ts';
import { CelHost, type CelValue } from '../../engine/cel/values.ts';
import type { Access, Authorizer, Decision } from '../apiserver/authorizer.ts';
import type { Attributes } from '../apiserver/operation.ts';
import type { User } from '../apiserver/user.ts';
import { AUTHENTICATED } from '../apiserver/user.ts';
import { namespaceOf } from './match-resources.ts';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function textIn(args: readonly CelValue[], count: number): readonly string[] | undefined {
  return args.length === count && args.every((arg) => typeof arg === 'string') ? (args as string[]) : undefined;
}

function filled(what: string, text: string): string {
  if (text.trim() === '') throw new CelFailure(`${what} must not be empty`);
  return text;
}

/** CEL's `authorizer`: asks what the requesting user may do. Source: kubernetes@1.34 apiserver/pkg/cel/library/authz.go. */
export class AuthorizerValue extends CelHost {
  readonly type = 'kubernetes.authorization.Authorizer';
  readonly #authorizer: Authorizer;
  readonly #user: User;
  readonly #attributes: Attributes;

  constructor(authorizer: Authorizer, user: User, attributes: Attributes) {
    super();
    this.#authorizer = authorizer;
    this.#user = user;
    this.#attributes = attributes;
  }

  get(name: string): CelValue | undefined {
    if (name !== 'requestResource') return undefined;
    const { type, subresource, name: own } = this.#attributes;
    const namespace = namespaceOf(this.#attributes);
    return new ResourceCheck(this.#authorizer, this.#user, {
      group: type.group,
      version: type.version,
      plural: type.plural,
      ...(subresource === undefined ? {} : { subresource }),
      ...(namespace === '' ? {} : { namespace }),
      ...(own === '' ? {} : { name: own }),
    });
  }

  call(method: string, args: readonly CelValue[]): CelValue | undefined {
    const [first = '', second = ''] = textIn(args, method === 'serviceAccount' ? 2 : 1) ?? [];
    if (textIn(args, method === 'serviceAccount' ? 2 : 1) === undefined) return undefined;
    switch (method) {
      case 'path':
        return new PathCheck(this.#authorizer, this.#user, filled('path', first));
      case 'group':
        return new GroupCheck(this.#authorizer, this.#user, first);
      case 'serviceAccount': {
        if (!SUBDOMAIN.test(second) || second.length > 253) throw new CelFailure('Invalid service account name');
        if (!LABEL.test(first) || first.length > 63) throw new CelFailure('Invalid service account namespace');
        const user: User = {
          name: `system:serviceaccount:${first}:${second}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${first}`, AUTHENTICATED],
          extra: {},
        };
        return new AuthorizerValue(this.#authorizer, user, this.#attributes);
      }
      default:
        return undefined;
    }
  }
}

class PathCheck extends CelHost {
  readonly type = 'kubernetes.authorization.PathCheck';
  readonly #authorizer: Authorizer;
  readonly #user: User;
  readonly #path: string;

  constructor(authorizer: Authorizer, user: User, path: string) {
    super();
    this.#authorizer = authorizer;
    this.#user = user;
    this.#path = path;
  }

  get(): undefined {
    return undefined;
  }

  call(method: string, args: readonly CelValue[]): CelValue | undefined {
    const [verb] = textIn(args, 1) ?? [];
    if (method !== 'check' || verb === undefined) return undefined;
    return new DecisionValue(this.#authorizer.authorize({ user: this.#user, verb, path: this.#path }));
  }
}

class GroupCheck extends CelHost {
  readonly type = 'kubernetes.authorization.GroupCheck';
  readonly #authorizer: Authorizer;
  readonly #user: User;
  readonly #group: string;

  constructor(authorizer: Authorizer, user: User, group: string) {
    super();
    this.#authorizer = authorizer;
    this.#user = user;
    this.#group = group;
  }

  get(): undefined {
    return undefined;
  }

  call(method: string, args: readonly CelValue[]): CelValue | undefined {
    const [plural] = textIn(args, 1) ?? [];
    if (method !== 'resource' || plural === undefined) return undefined;
    return new ResourceCheck(this.#authorizer, this.#user, {
      group: this.#group,
      version: '*',
      plural: filled('resource', plural),
    });
  }
}

class ResourceCheck extends CelHost {
  readonly type = 'kubernetes.authorization.ResourceCheck';
  readonly #authorizer: Authorizer;
  readonly #user: User;
  readonly #resource: NonNullable<Access['resource']>;

  constructor(authorizer: Authorizer, user: User, resource: NonNullable<Access['resource']>) {
    super();
    this.#authorizer = authorizer;
    this.#user = user;
    this.#resource = resource;
  }

  get(): undefined {
    return undefined;
  }

  #with(change: Partial<NonNullable<Access['resource']>>): ResourceCheck {
    return new ResourceCheck(this.#authorizer, this.#user, { ...this.#resource, ...change });
  }

  call(method: string, args: readonly CelValue[]): CelValue | undefined {
    const [text] = textIn(args, 1) ?? [];
    if (text === undefined) return undefined;
    switch (method) {
      case 'subresource':
      case 'namespace':
      case 'name':
        return this.#with({ [method]: text });
      case 'fieldSelector':
      case 'labelSelector':
        // RBAC does not look at selectors.
        return this;
      case 'check':
        return new DecisionValue(
          this.#authorizer.authorize({ user: this.#user, verb: text, resource: this.#resource }),
        );
      default:
        return undefined;
    }
  }
}

class DecisionValue extends CelHost {
  readonly type = 'kubernetes.authorization.Decision';
  readonly #decision: Decision;

  constructor(decision: Decision) {
    super();
    this.#decision = decision;
  }

  get(): undefined {
    return undefined;
  }

  call(method: string): CelValue | undefined {
    switch (method) {
      case 'allowed':
        return this.#decision.allowed;
      case 'reason':
        return this.#decision.reason;
      case 'errored':
        return false;
      case 'error':
        return '';
      default:
        return undefined;
    }
  }
}
