import type { GitRepository } from '../../api/kinds/git-repository.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Checkout } from '../../source/git/git.ts';
import { verifySignature } from '../../source/git/signature.ts';
import { readSecret } from './access.ts';
import { type Failure, mark, type Progress, tell, unmark, verificationMode } from './plan.ts';

/**
 * Checks the signatures that `spec.verify` asks for; without it, earlier findings are dropped.
 * Source: source-controller@1.9 gitrepository_controller.go verifySignature.
 */
export async function verify(
  client: KubeClient,
  { spec, metadata }: GitRepository,
  checkout: Checkout,
  progress: Progress,
  signal: AbortSignal,
): Promise<Result<Progress, { readonly progress: Progress; readonly failure: Failure }>> {
  if (spec.verify === undefined) {
    const { sourceVerificationMode: _, ...status } = progress.status;
    return ok(unmark({ ...progress, status }, 'SourceVerified'));
  }
  const stop = (reason: string, message: string, policy: Failure['policy'] = 'retry') =>
    err({ progress, failure: { type: 'SourceVerified', reason, message, policy } as const });
  const mode = verificationMode(spec.verify.mode);
  const keys = await readSecret(client, metadata.namespace ?? '', spec.verify.secretRef.name);
  if (!keys.ok) return stop('VerificationError', `public keys secret error: ${keys.error.message}`);
  const { commit, tag, reference } = checkout;
  const found: string[] = [];
  if (mode !== 'HEAD') {
    if (!reference.isTag) {
      return stop(
        'InvalidVerificationMode',
        "cannot verify tag object's signature if a tag reference is not specified",
        'stall',
      );
    }
    if (tag?.signature === undefined) {
      const name = tag === undefined ? reference.name : `${tag.name}@${tag.hash}`;
      return stop('InvalidGitObject', `cannot verify signature of tag '${name}' since it is not signed`);
    }
    const name = `${tag.name}@${tag.hash}`;
    const key = await verifySignature(
      { signature: tag.signature, payload: tag.payload, kind: 'tag' },
      keys.value,
      checkout,
      signal,
    );
    if (!key.ok) return stop('InvalidTagSignature', `signature verification of tag '${name}' failed: ${key.error}`);
    found.push(`tag '${name}' with key '${key.value}'`);
  }
  if (mode !== 'Tag') {
    const key = await verifySignature(
      { signature: commit.signature, payload: commit.payload, kind: 'commit' },
      keys.value,
      checkout,
      signal,
    );
    if (!key.ok)
      return stop('InvalidCommitSignature', `signature verification of commit '${commit.hash}' failed: ${key.error}`);
    found.push(`commit '${commit.hash}' with key '${key.value}'`);
  }
  const message = `verified signature of${found.map((each) => `\n\t- ${each}`).join('')}`;
  const verified = mark(
    { ...progress, status: { ...progress.status, sourceVerificationMode: mode } },
    { type: 'SourceVerified', status: 'True', reason: 'Succeeded', message },
  );
  return ok(tell(verified, { severity: 'trace', reason: 'Succeeded', message }));
}
