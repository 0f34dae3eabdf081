import type { ViewNode } from '../../../src/api/view.ts';
import { go } from '../api/location.ts';
import { fullName } from '../api/words.ts';
import { Age } from './age.tsx';
import { Revision } from './revision.tsx';
import { StateMark } from './state-mark.tsx';

/** One object: what it is, where it comes from, and the command that tells more. */
export function Details({ node, nodes }: { readonly node: ViewNode; readonly nodes: ReadonlyMap<string, ViewNode> }) {
  const where = node.namespace === '' ? '' : ` -n ${node.namespace}`;
  const command =
    node.tier === 'applier'
      ? `weir reconcile kustomization ${node.name}${where} --with-source`
      : node.kind === 'GitRepository'
        ? `weir reconcile source git ${node.name}${where}`
        : `kubectl describe ${node.kind.toLowerCase()} ${node.name}${where}`;
  return (
    <section className="details" aria-label="Selected object">
      <header>
        <h2>
          <span className="kind">{node.kind}</span> {fullName(node)}
        </h2>
        <button type="button" className="close" aria-label="Close" onClick={() => go({ node: '' })}>
          ✕
        </button>
      </header>
      <p className="facts">
        <StateMark state={node.state} word /> <Revision of={node.revision} /> <Age at={node.createdAt} />
      </p>
      <p className="message">{node.message}</p>
      <dl>
        {node.facts.map(({ name, value }) => (
          <div key={name + value}>
            <dt>{name}</dt>
            <dd>
              <code>{value}</code>
            </dd>
          </div>
        ))}
        {node.parents
          .flatMap((id) => nodes.get(id) ?? [])
          .map((parent) => (
            <div key={parent.id}>
              <dt>from</dt>
              <dd>
                <button type="button" onClick={() => go({ node: parent.id })}>
                  {parent.kind} {parent.name}
                </button>
              </dd>
            </div>
          ))}
        {node.dependsOn.map((id) => (
          <div key={id}>
            <dt>after</dt>
            <dd>
              <button type="button" onClick={() => go({ node: id })}>
                {id.split('/').slice(1).filter(Boolean).join(' ')}
              </button>
            </dd>
          </div>
        ))}
      </dl>
      <p className="hint">
        This page only reads. In a terminal: <code>{command}</code>
      </p>
    </section>
  );
}
