import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** A git server over HTTP on loopback, as every git installation has it: `git http-backend`. */
export interface GitHttp {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the bare repositories below `root`; reading only. `asked` hears of each request before it is answered; what is not
 * `allowed` is answered with 401.
 */
export async function serveGit(
  root: string,
  port = 0,
  asked: (path: string) => void = () => {},
  allowed: (request: IncomingMessage) => boolean = () => true,
): Promise<GitHttp> {
  const server = createServer((request, response) => {
    asked(request.url ?? '');
    if (allowed(request)) answer(root, request, response);
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const backend = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      PATH_INFO: decodeURIComponent(path),
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  backend.once('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    const headers = output.subarray(0, end).toString('latin1').split('\r\n');
    for (const line of headers) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon);
      const value = line.slice(colon + 1).trim();
      if (name.toLowerCase() === 'status') response.statusCode = Number(value.split(' ')[0]);
      else if (colon > 0) response.setHeader(name, value);
    }
    response.end(output.subarray(end + 4));
  });
}

/** The author of every commit here; with the dates it makes the hashes the same everywhere. */
const AUTHOR = 'Scenario <scenario@example.com>';
const FIRST_DATE = 1_704_067_200;

/** Adds a commit to `main` of the bare repository at `path`, made if it does not exist; returns its hash. */
export function commitFiles(path: string, message: string, files: Readonly<Record<string, string>>): string {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', path]);
  }
  const git = (args: readonly string[], input?: string): string =>
    execFileSync('git', ['-C', path, ...args], {
      env: { ...process.env, GIT_INDEX_FILE: join(path, 'fixture-index') },
      encoding: 'utf8',
      ...(input === undefined ? {} : { input }),
    }).trim();
  const log = git(['log', '--all', '--format=%H']).split('\n').filter(Boolean);
  const parent = log[0];
  git(['read-tree', parent === undefined ? '--empty' : parent]);
  for (const [name, content] of Object.entries(files)) {
    const blob = git(['hash-object', '-w', '--stdin'], content);
    git(['update-index', '--add', '--cacheinfo', `100644,${blob},${name}`]);
  }
  const who = `${AUTHOR} ${FIRST_DATE + 60 * (log.length + 1)} +0000`;
  const head = [`tree ${git(['write-tree'])}`, ...(parent === undefined ? [] : [`parent ${parent}`])];
  const raw = [...head, `author ${who}`, `committer ${who}`, '', message, ''].join('\n');
  const hash = git(['hash-object', '-t', 'commit', '-w', '--stdin'], raw);
  git(['update-ref', 'refs/heads/main', hash]);
  return hash;
}
