/** Who makes a request. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export const ADMINS = 'system:masters';
export const AUTHENTICATED = 'system:authenticated';
export const UNAUTHENTICATED = 'system:unauthenticated';

/** The administrator whose certificate the kubeconfig holds. */
export const ADMIN: User = { name: 'kubernetes-admin', groups: [ADMINS, AUTHENTICATED], extra: {} };
export const ANONYMOUS: User = { name: 'system:anonymous', groups: [UNAUTHENTICATED], extra: {} };
/** The server itself: its controllers and its start-up. */
export const SYSTEM: User = { name: 'system:apiserver', groups: [ADMINS, AUTHENTICATED], extra: {} };
