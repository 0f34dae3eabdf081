import { createContext, type ReactNode, use, useEffect, useState } from 'react';
import { age } from '../api/words.ts';

const Now = createContext(0);

/** One ticking clock for the whole page; only what shows a time is drawn again. */
export function Clock({ children }: { readonly children: ReactNode }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <Now value={now}>{children}</Now>;
}

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
