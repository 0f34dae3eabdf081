import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { KubeObject } from '../../api/object.ts';
import { ok } from '../../base/result.ts';
import { type CliContext, type CliResult, done, failed } from '../command.ts';
import { exportObject, upsertSecret } from './apply.ts';
import { metadataOf, parseLabels, requireName } from './labels.ts';

/** A Secret holds at most 1 MiB; a larger file cannot be meant. Source: kubernetes@1.34 core validation MaxSecretSize. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Text of a file that a flag names. */
export function readFileFlag(context: CliContext, flag: string, what: string): CliResult<string> {
  const path = context.flags.string(flag);
  try {
    const absolute = resolve(context.cwd, path);
    if (statSync(absolute).size > MAX_FILE_BYTES) {
      return failed(`unable to read ${what}: ${path}: larger than ${MAX_FILE_BYTES} bytes`);
    }
    return ok(readFileSync(absolute, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'no such file or directory',
      EACCES: 'permission denied',
      EISDIR: 'is a directory',
    };
    return failed(`unable to read ${what}: open ${path}: ${reasons[code] ?? code}`);
  }
}

export interface SecretContent {
  readonly stringData: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Builds the Secret that a `create secret` command is asked for. */
export function secretObject(context: CliContext, content: SecretContent): CliResult<KubeObject> {
  const name = requireName(context);
  if (!name.ok) return name;
  const labels = parseLabels(context);
  if (!labels.ok) return labels;
  const { annotations } = content;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...(annotations === undefined ? {} : { annotations }),
      ...metadataOf(name.value, context.namespace, labels.value),
    },
    stringData: content.stringData,
    ...(content.type === undefined ? {} : { type: content.type }),
  };
  return ok(secret as KubeObject);
}

/** Prints the Secret under --export, else writes it to the cluster; its values are told nowhere else. */
export async function deliverSecret(context: CliContext, content: SecretContent, word: string): Promise<CliResult> {
  const secret = secretObject(context, content);
  if (!secret.ok) return secret;
  if (context.flags.bool('export')) {
    await exportObject(context, secret.value);
    // Flux prints these through another door, which leaves an empty line.
    context.print('\n');
    return done;
  }
  const publicKey = content.stringData['identity.pub'];
  if (publicKey !== undefined) context.progress.generate(`deploy key: ${publicKey}`);
  const client = await context.client();
  if (!client.ok) return client;
  const written = await upsertSecret(client.value, secret.value);
  if (!written.ok) return written;
  context.progress.action(`${word} secret '${secret.value.metadata.name}' created in '${context.namespace}' namespace`);
  return done;
}
