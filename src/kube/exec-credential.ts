import { execFile } from 'node:child_process';
import { type Json, parseJson, stringAt } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { ClusterAccess, ExecPlugin } from './kubeconfig.ts';

export interface ExecCredential {
  readonly token?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Milliseconds since the epoch; absent: until the server refuses it. */
  readonly expiresAtMs?: number;
}

const PLUGIN_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/**
 * Runs the kubeconfig's credential program, without a shell. The error is a message without the program's output.
 * Source: client-go@0.34 plugin/pkg/client/auth/exec.
 */
export function runExecPlugin(
  plugin: ExecPlugin,
  access: ClusterAccess,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Result<ExecCredential, string>> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(plugin.provideClusterInfo
        ? {
            cluster: {
              server: access.server,
              ...(access.tlsServerName === undefined ? {} : { 'tls-server-name': access.tlsServerName }),
              ...(access.insecureSkipTlsVerify === true ? { 'insecure-skip-tls-verify': true } : {}),
              ...(access.ca === undefined
                ? {}
                : { 'certificate-authority-data': Buffer.from(access.ca).toString('base64') }),
            },
          }
        : {}),
    },
  };
  return new Promise((resolve) => {
    const child = execFile(
      plugin.command,
      [...plugin.args],
      {
        env: { ...env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
        timeout: PLUGIN_TIMEOUT_MS,
        maxBuffer: MAX_OUTPUT_BYTES,
        windowsHide: true,
      },
      (cause, stdout) => {
        if (cause !== null) {
          const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
          const hint = missing && plugin.installHint ? `; ${plugin.installHint}` : '';
          const why = missing ? 'is not installed' : `failed (${cause.killed ? 'timeout' : `exit code ${cause.code}`})`;
          resolve(err(`credential program ${plugin.command} ${why}${hint}`));
        } else resolve(readCredential(plugin, stdout));
      },
    );
    child.stdin?.end();
  });
}

function readCredential(plugin: ExecPlugin, stdout: string): Result<ExecCredential, string> {
  const subject = `credential program ${plugin.command}`;
  let answer: Json;
  try {
    answer = parseJson(stdout);
  } catch {
    return err(`${subject} did not print JSON`);
  }
  if (stringAt(answer, 'kind') !== 'ExecCredential') return err(`${subject} did not print an ExecCredential`);
  if (stringAt(answer, 'apiVersion') !== plugin.apiVersion) {
    return err(`${subject} printed another apiVersion than ${plugin.apiVersion}`);
  }
  const token = stringAt(answer, 'status', 'token');
  const clientCertificate = stringAt(answer, 'status', 'clientCertificateData');
  const clientKey = stringAt(answer, 'status', 'clientKeyData');
  if (!token && !(clientCertificate && clientKey)) return err(`${subject} printed neither a token nor a certificate`);
  const expires = Date.parse(stringAt(answer, 'status', 'expirationTimestamp') ?? '');
  return ok({
    ...(token ? { token } : {}),
    ...(clientCertificate && clientKey ? { clientCertificate, clientKey } : {}),
    ...(Number.isNaN(expires) ? {} : { expiresAtMs: expires }),
  });
}
