import type { ExecStreams } from '../../pod-program.ts';
import type { Pod } from '../shapes.ts';

const NOT_FOUND = 127;
const encoder = new TextEncoder();

/** Runs the few commands that a simulated container knows; resolves to the exit code, 127 for any other. */
export async function runCommand(
  pod: Pod,
  command: readonly string[],
  streams: ExecStreams,
  nowMs: number,
): Promise<number> {
  const newline = streams.tty ? '\r\n' : '\n';
  const say = (text: string): void => streams.stdout(encoder.encode(text.replaceAll('\n', newline)));
  const [program, ...args] = command;
  const name = program?.slice(program.lastIndexOf('/') + 1) ?? '';
  switch (name) {
    case 'true':
      return 0;
    case 'false':
      return 1;
    case 'echo':
      say(`${args.join(' ')}\n`);
      return 0;
    case 'hostname':
      say(`${pod.spec.hostname ?? pod.metadata.name}\n`);
      return 0;
    case 'date':
      say(`${new Date(nowMs).toUTCString()}\n`);
      return 0;
    case 'env':
    case 'printenv':
      say(
        environment(pod)
          .map((line) => `${line}\n`)
          .join(''),
      );
      return 0;
    case 'cat':
      if (args.length > 0) break;
      for await (const chunk of streams.stdin) streams.stdout(chunk);
      return 0;
    case 'sh':
    case 'bash':
      // One simple command, split at spaces: there is no shell here, but its way to end.
      if (args[0] === '-c' && /^exit( \d{1,3})?$/.test(args[1] ?? '')) return Number(args[1]?.slice(5) ?? 0) & 0xff;
      if (args[0] === '-c' && args[1] !== undefined && /^[\w ./=:@,+-]+$/.test(args[1])) {
        return runCommand(pod, args[1].trim().split(/ +/), streams, nowMs);
      }
      break;
  }
  const shown = JSON.stringify(command.join(' ').slice(0, 200));
  streams.stderr(encoder.encode(`weir: ${shown} is not simulated: no container runs in this pod${newline}`));
  return NOT_FOUND;
}

function environment(pod: Pod): readonly string[] {
  const spec = pod.spec.containers[0] as { readonly env?: readonly { name: string; value?: string }[] } | undefined;
  const own = (spec?.env ?? [])
    .filter(({ value }) => value !== undefined)
    .map(({ name, value }) => `${name}=${value ?? ''}`);
  return [`HOSTNAME=${pod.metadata.name}`, ...own];
}
