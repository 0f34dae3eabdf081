import { useEffect, useRef } from 'react';
import { STATES, type State } from '../../../src/api/view.ts';
import { StateMark } from './state-mark.tsx';

const KEYS = [
  ['/', 'search'],
  ['g f, g t', 'flow, tree'],
  ['arrows, Enter', 'from object to object, choose one'],
  ['Esc', 'see everything again'],
  ['?', 'this help'],
] as const;

const MEANINGS: Readonly<Record<State, string>> = {
  Failed: 'it was tried and did not work; the message says why',
  Drifted: 'somebody changed it in the cluster; it was put back to what git says',
  Waiting: 'something that it depends on is not ready',
  Reconciling: 'it is on its way',
  Unknown: 'nothing is known about it yet',
  Suspended: 'somebody suspended it: changes in git wait until it is resumed',
  Ready: 'what git says is what runs',
};

/** Keys and signs. */
export function Help({ close }: { readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal?.(), []);
  return (
    <dialog ref={dialog} className="help" aria-label="Help" onClose={close}>
      <header>
        <h2>Keys</h2>
        <button type="button" aria-label="Close" onClick={close}>
          ✕
        </button>
      </header>
      <dl>
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <h2>Signs</h2>
      <dl>
        {STATES.map((state) => (
          <div key={state}>
            <dt>
              <StateMark state={state} word />
            </dt>
            <dd>{MEANINGS[state]}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
