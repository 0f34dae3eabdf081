import type { Cancellation } from '../../base/http.ts';
import type { Wanted } from './negotiation.ts';
import type { ResourcePath } from './request-info.ts';
import type { ResourceType } from './resource-type.ts';
import type { User } from './user.ts';

/** An authenticated and authorized request for a resource. */
export interface ResourceRequest {
  readonly method: string;
  readonly type: ResourceType;
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly user: User;
  readonly wanted: Wanted;
  readonly signal: Cancellation | undefined;
  readonly warn: (text: string) => void;
}

const PRINTABLE_MANAGER = 128;

/** The field manager of a write: as asked for, else the program's name in the user agent. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/create.go. */
export function managerOf({ query, headers }: ResourceRequest): string {
  const asked = query.get('fieldManager');
  if (asked !== null && asked !== '') return asked;
  return (headers['user-agent'] ?? '').split('/')[0]?.slice(0, PRINTABLE_MANAGER) ?? '';
}

export function isDryRun({ query }: ResourceRequest): boolean {
  return query.getAll('dryRun').includes('All');
}
