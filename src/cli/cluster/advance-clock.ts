import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { parseJson, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** Moves the clock of a running cluster by a duration in Go's syntax; the new time, or why it does not move. */
export async function advanceClock(access: ClusterAccess, by: string): Promise<Result<string, string>> {
  const { url, authority: ca, certificate: cert, key } = access;
  const body = JSON.stringify({ by });
  return new Promise((resolve) => {
    const fail = (cause: Error): void => resolve(err(`the cluster does not answer: ${cause.message}`));
    const outgoing = request(
      `${url}/weir/clock/advance`,
      { method: 'POST', ca, cert, key, agent: false, headers: { 'content-type': 'application/json' } },
      (response) => {
        text(response).then((answer) => {
          const told = parseJson(answer);
          const now = stringAt(told, 'now');
          resolve(now === undefined ? err(stringAt(told, 'message') ?? answer) : ok(now));
        }, fail);
      },
    );
    outgoing.on('error', fail);
    outgoing.end(body);
  });
}
