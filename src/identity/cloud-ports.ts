import type { Clock } from '../base/clock.ts';
import type { TokenCacheOptions } from './token-cache.ts';
import type { Web } from './web.ts';

/** What the clients of cloud services need of the machine and the process. */
export interface CloudPorts {
  readonly web: Web;
  readonly clock: Clock;
  /** The engine's own environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a file that the engine's environment names; undefined when there is none, throws when it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  readonly hostname: string;
  /** How long tokens are kept. */
  readonly tokens: Omit<TokenCacheOptions, 'clock'>;
}

/** The content of a file of the engine's environment, or why there is none. */
export function fileText(
  { readFile }: CloudPorts,
  variable: string,
  path: string,
): string | { readonly error: string } {
  try {
    const text = readFile(path);
    return text === undefined ? { error: `${variable}: ${path} does not exist` } : text;
  } catch {
    return { error: `${variable}: ${path} cannot be read` };
  }
}
