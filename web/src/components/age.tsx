import { createContext, use } from 'react';
import { age } from '../api/words.ts';

/** Now, in milliseconds; one ticking clock for the whole page. */
export const Now = createContext(0);

/** Time since `at` (RFC 3339), with the exact time on hover. */
export function Age({ at }: { readonly at: string | undefined }) {
  const now = use(Now);
  if (at === undefined) return null;
  return (
    <time className="age" dateTime={at} title={new Date(at).toLocaleString()}>
      {age(Date.parse(at), now)}
    </time>
  );
}
