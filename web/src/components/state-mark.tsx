import type { ReactNode } from 'react';
import type { State } from '../../../src/api/view.ts';

const SHAPES: Readonly<Record<State, ReactNode>> = {
  Ready: <path d="M4.5 8.5l2.5 2.5 4.5-5.5" />,
  Reconciling: <path d="M12.5 8a4.5 4.5 0 1 1-1.6-3.4" />,
  Waiting: <path d="M5 3.5h6M5 12.5h6M5.5 3.5c0 3 5 6 5 9M10.5 3.5c0 3-5 6-5 9" />,
  Failed: <path d="M5 5l6 6M11 5l-6 6" />,
  Drifted: <path d="M8 3.8l4.4 8H3.6z" />,
  Suspended: <path d="M6.2 4.5v7M9.8 4.5v7" />,
  Unknown: <path d="M6 6.2a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.3M8 11.6v.2" />,
};

interface StateMarkProps {
  readonly state: State;
  /** Writes the word beside the sign; otherwise only those hear it who do not see the sign. */
  readonly word?: boolean;
  /** The word stands beside it anyway. */
  readonly bare?: boolean;
}

/** A state as a sign with its word. */
export function StateMark({ state, word = false, bare = false }: StateMarkProps) {
  return (
    <span className={`state state-${state.toLowerCase()}`} title={state}>
      <svg viewBox="0 0 16 16" className="mark" aria-hidden="true">
        <circle cx="8" cy="8" r="7.5" className="disc" />
        {SHAPES[state]}
      </svg>
      {bare ? null : <span className={word ? 'word' : 'unseen'}>{state}</span>}
    </span>
  );
}
