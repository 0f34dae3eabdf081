/** One entry of `status.conditions`; transition times and observedGeneration are stamped by the runtime. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** Generation that it was found for, where that is not the present one. */
  readonly observedGeneration?: number;
}

/** Flux cuts condition messages here. */
export const MAX_CONDITION_MESSAGE = 20_000;

export function ready(reason: string, message: string): Condition {
  return { type: 'Ready', status: 'True', reason, message };
}
export function notReady(reason: string, message: string): Condition {
  return { type: 'Ready', status: 'False', reason, message };
}
export function unknownReady(reason: string, message: string): Condition {
  return { type: 'Ready', status: 'Unknown', reason, message };
}
export function reconciling(reason: 'Progressing' | 'ProgressingWithRetry', message: string): Condition {
  return { type: 'Reconciling', status: 'True', reason, message };
}
export function stalled(reason: string, message: string): Condition {
  return { type: 'Stalled', status: 'True', reason, message };
}
