import type { KubeObject } from '../../src/api/object.ts';
import { refOf } from '../../src/api/object.ts';
import type { Json } from '../../src/base/json.ts';
import { ok } from '../../src/base/result.ts';
import type { CliHost } from '../../src/cli/command.ts';
import { main } from '../../src/cli/program.ts';
import { type ControlPlane, createControlPlane } from '../../src/cluster/control-plane.ts';
import { parseYamlDocuments } from '../../src/engine/yaml/parse.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/rest-client.ts';

/** One command line and what it must print, standard output and error together in their order. */
export interface Row {
  readonly name: string;
  readonly cmd: string;
  /** File beside this one, without `.golden`; the row's name by default. */
  readonly golden?: string;
  readonly wantError?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both in the order in which they were written. */
  readonly output: string;
}

/** Ages are told from here. */
export const NOW: number = Date.parse('2026-01-02T03:04:05Z');

/** Runs a command line in process. Words are split at spaces; quotes keep them together. */
export async function run(
  cmd: string | readonly string[],
  options: {
    readonly client?: KubeClient;
    readonly env?: Readonly<Record<string, string>>;
    readonly stdin?: string;
    readonly cwd?: string;
  } = {},
): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  let output = '';
  const { client, env = {}, stdin = '', cwd = '/' } = options;
  const host: CliHost = {
    io: {
      stdout: (text) => {
        stdout += text;
        output += text;
      },
      stderr: (text) => {
        stderr += text;
        output += text;
      },
      stdin: () => chunks(stdin),
      interactive: stdin !== '',
    },
    env,
    cwd,
    signal: new AbortController().signal,
    now: () => NOW,
    connect: async () =>
      client === undefined ? { ok: false, error: { message: 'no cluster in this test', exitCode: 1 } } : ok(client),
    contextNamespace: async () => undefined,
  };
  const argv = typeof cmd === 'string' ? split(cmd) : cmd;
  const code = await main(argv, host);
  return { code, stdout, stderr, output };
}

async function* chunks(text: string): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** Words of a command line: split at spaces; quotes keep them together. */
export function split(cmd: string): string[] {
  return [...cmd.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/["']/g, ''));
}

export interface TestCluster {
  readonly client: KubeClient;
  readonly plane: ControlPlane;
  /** Creates the objects of a YAML stream, their status included. */
  load(yaml: string): Promise<void>;
  /** Creates definitions and other objects. */
  create(objects: readonly KubeObject[]): Promise<void>;
}

export async function startCluster(): Promise<TestCluster> {
  const plane = await createControlPlane();
  const client = createKubeClient({ handler: plane.handler, userAgent: 'weir-test/0' });
  return {
    client,
    plane,
    load: (yaml) => loadObjects(client, yaml),
    create: async (objects) => {
      for (const object of objects) await create(client, object);
    },
  };
}

/** Creates the objects of a YAML stream, their status included. */
export async function loadObjects(client: KubeClient, yaml: string): Promise<void> {
  const documents = parseYamlDocuments(yaml);
  if (!documents.ok) throw new Error(documents.error.message);
  for (const document of documents.value) {
    if (document !== null) await create(client, document as unknown as KubeObject);
  }
}

async function create(client: KubeClient, object: KubeObject): Promise<void> {
  const created = await client.create(object);
  if (!created.ok) throw new Error(`${object.kind}/${object.metadata.name}: ${created.error.message}`);
  if (object.status === undefined) return;
  const patched = await client.patch(refOf(object), { status: object.status } as Json, {
    type: 'merge',
    subresource: 'status',
  });
  if (!patched.ok) throw new Error(`${object.kind}/${object.metadata.name}: ${patched.error.message}`);
}
