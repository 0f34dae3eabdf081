import type { PodProgram } from '../../pod-program.ts';

/** Where the output of a command goes. */
export interface ExecSink {
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
  /** The final Status, and the end. */
  finish(status: string): void;
}

export interface ExecRequest {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Runs a command in a pod and tells how it ended, as the kubelet does. Source: kubernetes@1.34 kubelet cri remotecommand/exec.go. */
export async function runCommand(program: PodProgram | undefined, request: ExecRequest, sink: ExecSink): Promise<void> {
  if (program?.exec === undefined) {
    sink.finish(
      failure(
        `this pod is simulated: it cannot run ${JSON.stringify(request.command[0] ?? '')}`,
        'InternalError',
        undefined,
      ),
    );
    return;
  }
  const code = await program.exec(request.command, {
    stdin: request.stdin,
    stdout: (chunk) => sink.stdout(chunk),
    stderr: (chunk) => sink.stderr(chunk),
    tty: request.tty,
    signal: request.signal,
  });
  sink.finish(
    code === 0
      ? JSON.stringify({ metadata: {}, status: 'Success' })
      : failure(`command terminated with non-zero exit code: exit status ${code}`, 'NonZeroExitCode', code),
  );
}

/** Follows the output of the pod's own process. */
export async function attach(program: PodProgram | undefined, signal: AbortSignal, sink: ExecSink): Promise<void> {
  if (program !== undefined)
    for await (const line of program.logs({ follow: true, previous: false, timestamps: false, tailLines: 0, signal }))
      sink.stdout(new TextEncoder().encode(`${line}\n`));
  sink.finish(JSON.stringify({ metadata: {}, status: 'Success' }));
}

function failure(message: string, reason: string, code: number | undefined): string {
  return JSON.stringify({
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(code === undefined ? {} : { details: { causes: [{ reason: 'ExitCode', message: String(code) }] } }),
  });
}
