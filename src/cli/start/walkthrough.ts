import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../api/object.ts';
import { seedRepository } from '../../demo/seed.ts';
import { parseYamlDocuments } from '../../engine/yaml/parse.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { CliHost, RunCommandLine } from '../command.ts';

/** The three repositories, in the order in which they are bootstrapped. */
export const REPOSITORIES = ['flux-system', 'flux-cluster', 'flux-tenant'] as const;
export const GIT_USER = 'fluxpres';

export interface Walkthrough {
  readonly host: CliHost;
  readonly run: RunCommandLine;
  /** Folder with the example files. */
  readonly examples: string;
  /** Folder of the bare repositories. */
  readonly repositories: string;
  readonly gitPort: number;
  readonly privateKeyFile: string;
}

/** Secrets of each repository: name and namespace. */
const SECRETS: Readonly<Record<(typeof REPOSITORIES)[number], readonly (readonly [string, string])[]>> = {
  'flux-system': [['flux-system', 'flux-system']],
  'flux-cluster': [
    ['flux-cluster', 'flux-cluster'],
    ['flux-tenant', 'flux-cluster'],
  ],
  'flux-tenant': [],
};
const COMPONENTS = [
  '--components=source-controller,kustomize-controller,helm-controller,notification-controller',
  '--components-extra=image-reflector-controller,image-automation-controller',
];
/** Pauses between tries of an object whose kind is not served yet. */
const RETRY_MS = 50;
const MAX_TRIES = 100;

/** Makes the repositories that are not there yet, with the same commands that the walk-through types. */
export async function seedRepositories(walkthrough: Walkthrough): Promise<boolean> {
  let seeded = false;
  for (const name of REPOSITORIES) {
    const files = new Map<string, string>();
    if (name === 'flux-system')
      files.set('gotk-components.yaml', await weir(walkthrough, ['install', ...COMPONENTS, '--export']));
    if (name === 'flux-tenant') files.set('dev-team.yaml', await weir(walkthrough, TENANT));
    for (const [secret, namespace] of SECRETS[name])
      files.set(`${secret}-secret.yaml`, await gitSecret(walkthrough, secret, namespace));
    const from = join(walkthrough.examples, name);
    seeded =
      (await seedRepository(walkthrough.repositories, {
        name,
        from,
        files,
        searchPath: walkthrough.host.env['PATH'] ?? '',
      })) || seeded;
  }
  return seeded;
}

const TENANT = ['create', 'tenant', 'dev-team', '--with-namespace=frontend', '--with-namespace=backend', '--export'];

/** The credentials of a repository, with the server's name inside the cluster instead of the one out here. */
async function gitSecret({ ...walkthrough }: Walkthrough, name: string, namespace: string): Promise<string> {
  const { gitPort, privateKeyFile } = walkthrough;
  const url = `ssh://${GIT_USER}@localhost:${gitPort}/home/${GIT_USER}/${name}.git`;
  const args = [`--url=${url}`, `--private-key-file=${privateKeyFile}`, `--namespace=${namespace}`, '--export'];
  const text = await weir(walkthrough, ['create', 'secret', 'git', name, ...args]);
  return text.replaceAll(`[localhost]:${gitPort}`, 'sshd.default');
}

/**
 * What `kustomize build . | kubectl apply -f -` does in the clones of flux-system and flux-cluster, so that they bring in
 * the rest; the Service gives the git server its name in the cluster.
 */
export async function bootstrap(walkthrough: Walkthrough, client: KubeClient): Promise<void> {
  const service = await readFile(join(walkthrough.examples, 'sshd-service.yaml'), 'utf8');
  await applyAll(client, service.replace('nodePort: 30022', `nodePort: ${walkthrough.gitPort}`));
  for (const name of ['flux-system', 'flux-cluster']) {
    const directory = await mkdtemp(join(tmpdir(), 'weir-bootstrap-'));
    try {
      await unpack(walkthrough, name, directory);
      await applyAll(client, await weir(walkthrough, ['kustomize', 'build', directory]));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** The example files and the ones that were made for this machine, as the first commit has them. */
async function unpack(walkthrough: Walkthrough, name: string, directory: string): Promise<void> {
  const { checkOut } = await import('../../demo/seed.ts');
  await mkdir(directory, { recursive: true });
  await checkOut(join(walkthrough.repositories, `${name}.git`), directory, walkthrough.host.env['PATH'] ?? '');
}

async function applyAll(client: KubeClient, text: string): Promise<void> {
  const documents = parseYamlDocuments(text);
  if (!documents.ok) throw new Error(documents.error.message);
  for (const document of documents.value)
    if (document !== null) await applyOne(client, document as unknown as KubeObject);
}

async function applyOne(client: KubeClient, object: KubeObject): Promise<void> {
  for (let tries = 1; ; tries++) {
    // The manager is kubectl's: the engine takes its fields over, as it does after a walk-through by hand.
    const applied = await client.apply(object, { fieldManager: 'kubectl', force: true });
    if (applied.ok) return;
    const { reason, message } = applied.error;
    // A CRD made a moment ago, or a namespace that is listed further down.
    if (tries === MAX_TRIES || (reason !== 'NoMatch' && reason !== 'NotFound')) throw new Error(message);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Runs a command of ours in this process and gives its standard output. */
async function weir({ host, run }: Walkthrough, argv: readonly string[]): Promise<string> {
  let stdout = '';
  let stderr = '';
  const io = {
    ...host.io,
    stdout: (text: string) => void (stdout += text),
    stderr: (text: string) => void (stderr += text),
  };
  const code = await run(argv, { ...host, io });
  if (code !== 0) throw new Error(`weir ${argv.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

/** Writes a kubeconfig that holds just this cluster, readable by its owner only. */
export async function writeKubeconfig(
  file: string,
  cluster: {
    readonly name: string;
    readonly url: string;
    readonly authority: string;
    readonly admin: { readonly certificate: string; readonly key: string };
  },
): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { name, url, authority, admin } = cluster;
  const config = [
    'apiVersion: v1',
    'kind: Config',
    `current-context: ${name}`,
    'clusters:',
    `- name: ${name}`,
    '  cluster:',
    `    server: ${url}`,
    `    certificate-authority-data: ${base64(authority)}`,
    'contexts:',
    `- name: ${name}`,
    `  context: {cluster: ${name}, user: ${name}}`,
    'users:',
    `- name: ${name}`,
    '  user:',
    `    client-certificate-data: ${base64(admin.certificate)}`,
    `    client-key-data: ${base64(admin.key)}`,
    '',
  ];
  await writeFile(file, config.join('\n'), { mode: 0o600 });
}
