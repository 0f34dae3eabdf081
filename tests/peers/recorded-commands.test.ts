/**
 * Plays the commands that were recorded against a real kube-apiserver 1.34.1 (kubectl 1.34.5, helm 4.1.4), in their order, against
 * an API server of ours without controllers, as the recording's had none, and compares what they print. The recordings are not
 * part of this repository: without them the test says that it did not run.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeconfigFor } from '../../src/cli/cluster/kubeconfig.ts';
import { type ControlPlane, createControlPlane } from '../../src/cluster/control-plane.ts';
import { conformanceDirectory } from '../conformance/judge.ts';
import { INPUTS } from './recorded-inputs.ts';

const exec = promisify(execFile);
const tools = fileURLToPath(new URL('../../.cache/tools/', import.meta.url));
const recordings = join(conformanceDirectory(), '..', 'reference', 'recorded-requests');

interface Recorded {
  readonly command: string;
  /** Its first lines, each of them cut. */
  readonly lines: readonly string[];
}

/** Lines of the recording are cut at this width. */
const CUT = 150;

/** What a recording kept of each command: `kubectl` four lines, `helm` three. */
function linesKept(file: string): number {
  return file.startsWith('helm') ? 3 : 4;
}

/** Known differences by command, with the reason; the exit code is compared all the same. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'kubectl auth whoami':
    'the recording knew its user (admin, with a UID) by a token, ours by a certificate without UID',
  'kubectl auth can-i get pods --as=system:serviceaccount:default:bot':
    'the recording had no controller that fills the aggregated role `view`; here it is full at once, as in a whole cluster',
  'kubectl describe pod p': 'the recording had no admission of service accounts, and its pods none',
  'kubectl wait --for=condition=Available deployment/w --timeout=2s': 'the recording kept no standard error',
};

/** Commands that print to standard error what the recording left out, and end with 1. */
const FAILS_SILENTLY = new Set([
  'kubectl wait --for=condition=Available deployment/w --timeout=2s',
  'kubectl rollout status deployment/w --timeout=3s',
]);

function read(file: string): readonly Recorded[] {
  const sections = readFileSync(join(recordings, file), 'utf8').split(/^### /m).slice(1);
  return sections.map((section) => {
    const [command = '', ...rest] = section.split('\n');
    return {
      command: command.trim(),
      lines: rest.filter((line) => line.startsWith('    |')).map((line) => line.slice(6).trimEnd()),
    };
  });
}

/** Times, ages, addresses, tokens and the like are not compared. */
function stable(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( \+0000( UTC)?|Z)?/g, 'TIME')
    .replace(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000/g, 'TIME')
    .replace(/\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}/g, 'TIME')
    .replace(/[WEI]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (\w+\.go):\d+/g, 'KLOG $1')
    .replace(/\beyJ[\w.-]+/g, 'TOKEN')
    .replace(/https?:\/\/127\.0\.0\.1:\d+/g, 'SERVER')
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, 'ADDRESS')
    .replace(/^(---|\+\+\+) \S*\s/, '$1 FILE ')
    .replace(/diff -u -N .*/, 'diff -u -N')
    .replace(/\b(\d+m)?\d+s\b/g, 'AGE')
    .replace(/ +/g, ' ')
    .trimEnd();
}

/** A recorded command line as arguments: quotes are gone, and only one argument of each may hold spaces. */
function words(command: string): readonly string[] {
  const json = /^(.* -p) ([{[].*)$/.exec(command);
  return json === null ? command.split(' ').slice(1) : [...(json[1] ?? '').split(' ').slice(1), json[2] ?? ''];
}

const found = existsSync(recordings);
if (!found) console.log(`the recorded commands did not run: ${recordings} does not exist (set WEIR_CONFORMANCE_DIR)`);

describe.runIf(found)('recorded commands', () => {
  let controlPlane: ControlPlane;
  let home = '';

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'weir-recorded-'));
    for (const [path, text] of Object.entries(INPUTS)) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), text);
    }
  });
  afterAll(async () => {
    await controlPlane?.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** What a command printed, with standard error after its output, and before it. */
  async function run(
    command: string,
  ): Promise<{ readonly code: number; readonly lines: readonly string[]; readonly warned: readonly string[] }> {
    const env = {
      HOME: home,
      KUBECONFIG: join(home, 'kubeconfig'),
      PATH: process.env['PATH'] ?? '',
      TZ: 'UTC',
      KUBE_EDITOR: 'sed -i s/a:.b/a: c/',
    };
    const [program = ''] = command.split(' ');
    const whole = (out: string): readonly string[] => out.replace(/\n$/, '').split('\n');
    try {
      const { stdout, stderr } = await exec(join(tools, program), words(command), { cwd: home, env, timeout: 60_000 });
      return { code: 0, lines: whole(stdout + stderr), warned: whole(stderr + stdout) };
    } catch (cause) {
      const { code = 1, stdout = '', stderr = '' } = cause as { code?: number; stdout?: string; stderr?: string };
      return { code, lines: whole(stdout + stderr), warned: whole(stderr + stdout) };
    }
  }

  for (const file of found ? readdirSync(recordings).filter((name) => name.endsWith('.txt')) : []) {
    describe(`of ${file}`, () => {
      beforeAll(async () => {
        await controlPlane?.stop();
        controlPlane = await createControlPlane();
        const { url, pki } = await controlPlane.listen();
        const access = { url, authority: pki.authority, ...pki.admin };
        await writeFile(join(home, 'kubeconfig'), JSON.stringify(kubeconfigFor('recorded', access)), { mode: 0o600 });
        await rm(join(home, '.kube'), { recursive: true, force: true });
      });
      let applied = 0;
      it.each(read(file).map((recorded, index) => [`${index + 1}: ${recorded.command}`, recorded] as const))(
        '%s',
        async (_name, { command, lines }) => {
          // The custom resource is first tried with a field that its kind does not have.
          if (command === 'kubectl apply -f ks.yaml') {
            const input = applied++ === 0 ? 'ks-unknown.yaml' : 'ks-known.yaml';
            await writeFile(join(home, 'ks.yaml'), INPUTS[input] ?? '');
          }
          // The recording shows the screen of an editor; the second time the editor is a command.
          if (lines[0]?.startsWith('Vim: ') === true) return;
          // The recorded command line lost its end.
          const { code, lines: after, warned } = await run(command.replace(/^kubectl cp .* p:$/, '$&/tmp/x'));
          const printed = stable(warned[0] ?? '') === stable(lines[0] ?? '') ? warned : after;
          const text = lines.join('\n');
          const fails =
            /^(error: |Error from server)/m.test(text) || text.startsWith('diff ') || FAILS_SILENTLY.has(command);
          expect([command, printed, code]).toEqual([command, printed, fails ? 1 : 0]);
          const compared = DIFFERENT[command] === undefined && lines.length > 0;
          const wanted = lines.map(stable);
          const kept = printed
            .map(stable)
            .slice(0, lines.length < linesKept(file) && !fails ? undefined : lines.length)
            .map((line, index) => ((lines[index]?.length ?? 0) >= CUT ? cut(line, wanted[index]) : line));
          expect(compared ? kept : wanted).toEqual(wanted);
        },
      );
    });
  }
});

function cut(line: string, wanted: string | undefined): string {
  return line.slice(0, wanted?.length ?? line.length).trimEnd();
}
