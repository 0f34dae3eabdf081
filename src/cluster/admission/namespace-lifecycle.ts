import type { Admission, Attributes } from '../apiserver/operation.ts';
import { forbidden, notFound } from '../apiserver/status.ts';
import type { StatusError } from '../registry.ts';
import type { Store } from '../store/store.ts';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** Objects live in namespaces that exist and are not ending. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/namespace/lifecycle. */
export function namespaceLifecycle(store: Store): Admission {
  const check = (attributes: Attributes): StatusError | undefined => {
    const { type, verb, namespace, name, object } = attributes;
    if (type.storage === '/namespaces') {
      if (verb === 'delete' && IMMORTAL.has(name)) return forbidden(type, name, 'this namespace may not be deleted');
      return undefined;
    }
    if (verb !== 'create' || !type.namespaced || namespace === undefined) return undefined;
    const found = store.get('/namespaces', namespace)?.object;
    if (found === undefined) return notFound({ group: '', plural: 'namespaces' }, namespace);
    if (found.metadata.deletionTimestamp === undefined) return undefined;
    return {
      ...forbidden(
        type,
        object?.metadata.name ?? name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      ),
      details: {
        name: object?.metadata.name ?? name,
        ...(type.group === '' ? {} : { group: type.group }),
        kind: type.plural,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    };
  };
  return {
    name: 'NamespaceLifecycle',
    mutate: (attributes) => {
      const refused = check(attributes);
      return refused === undefined ? { ok: true, value: attributes.object } : { ok: false, error: refused };
    },
    validate: (attributes) => (attributes.verb === 'delete' ? check(attributes) : undefined),
  };
}
