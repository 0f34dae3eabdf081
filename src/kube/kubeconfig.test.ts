import { describe, expect, test } from 'vitest';
import { clusterAccessOf, type KubeconfigOverrides, loadClusterAccess } from './kubeconfig.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const DATA = Buffer.from(PEM).toString('base64');

const MAIN = `
apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {cluster: c1, user: u1, namespace: team}
- name: two
  context: {cluster: c2, user: u2}
clusters:
- name: c1
  cluster: {server: "https://one:6443", certificate-authority-data: ${DATA}}
- name: c2
  cluster: {server: "https://two:6443/prefix", certificate-authority: ca.crt, tls-server-name: api, proxy-url: "http://p:1"}
users:
- name: u1
  user: {client-certificate-data: ${DATA}, client-key-data: ${DATA}}
- name: u2
  user: {tokenFile: ./token, as: someone, as-groups: [g1]}
`;

function load(
  files: Record<string, string>,
  overrides: KubeconfigOverrides = {},
  env: Record<string, string> = {},
): ReturnType<typeof loadClusterAccess> {
  return loadClusterAccess({ env, home: '/home/u', readFile: (path) => files[path] }, overrides);
}
const HOME = '/home/u/.kube/config';

describe('the cluster that is meant', () => {
  test('is that of the current context, in ~/.kube/config', () => {
    expect(load({ [HOME]: MAIN })).toEqual({
      ok: true,
      value: {
        server: 'https://one:6443',
        ca: PEM,
        clientCertificate: PEM,
        clientKey: PEM,
        namespace: 'team',
        context: 'one',
      },
    });
  });

  test('is that of --context, with paths beside the file', () => {
    expect(load({ '/etc/k': MAIN, '/etc/ca.crt': PEM }, { kubeconfig: '/etc/k', context: 'two' })).toEqual({
      ok: true,
      value: {
        server: 'https://two:6443/prefix',
        ca: PEM,
        tlsServerName: 'api',
        proxyUrl: 'http://p:1',
        tokenFile: '/etc/token',
        as: { user: 'someone', groups: ['g1'] },
        context: 'two',
      },
    });
  });

  test('comes from the first file of $KUBECONFIG that names a thing; missing files are passed over', () => {
    const first = `{"contexts":[{"name":"one","context":{"cluster":"c1","user":"u2"}}],"users":[{"name":"u2","user":{"token":"t"}}]}`;
    const loaded = load({ '/a': first, '/b': MAIN }, {}, { KUBECONFIG: '/none:/a:/b' });
    expect(loaded).toMatchObject({ ok: true, value: { server: 'https://one:6443', token: 't', context: 'one' } });
  });

  test('is the pod’s own where there is a service account and no kubeconfig is named', () => {
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    const files = { [`${folder}/ca.crt`]: PEM, [`${folder}/namespace`]: 'ns\n', [HOME]: MAIN };
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    expect(load(files, {}, env)).toEqual({
      ok: true,
      value: { server: 'https://[fd00::1]:443', ca: PEM, tokenFile: `${folder}/token`, namespace: 'ns' },
    });
    expect(load(files, {}, { ...env, KUBECONFIG: HOME })).toMatchObject({ value: { context: 'one' } });
  });

  test('obeys the flags before the file', () => {
    const overrides = {
      cluster: 'c1',
      server: 'http://other',
      token: 'flag',
      as: 'me',
      asGroups: ['g'],
      asUid: '1',
      asExtra: ['Scopes=a', 'scopes=b=c', 'none'],
      namespace: 'n',
      insecureSkipTlsVerify: true,
    };
    expect(load({ [HOME]: MAIN }, overrides)).toEqual({
      ok: true,
      value: {
        server: 'http://other',
        ca: PEM,
        insecureSkipTlsVerify: true,
        token: 'flag',
        as: { user: 'me', groups: ['g'], uid: '1', extra: new Map([['scopes', ['a', 'b=c']]]) },
        namespace: 'n',
        context: 'one',
      },
    });
  });

  test('may get its credentials from a program', () => {
    const user = `exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/x, args: [a], env: [{name: TOKEN, value: v}]}`;
    const text = MAIN.replace(/client-certificate-data.*client-key-data: [^}]*/, user);
    expect(load({ [HOME]: text })).toMatchObject({
      value: { exec: { command: '/home/u/.kube/bin/x', args: ['a'], env: { TOKEN: 'v' }, provideClusterInfo: false } },
    });
  });
});

describe('what is wrong with a kubeconfig is told by file and field', () => {
  test.each<readonly [string, Record<string, string>, KubeconfigOverrides, string, string]>([
    ['no file', {}, {}, 'NotFound', `no kubeconfig found: ${HOME} does not exist`],
    [
      'a named file that is missing',
      { [HOME]: MAIN },
      { kubeconfig: '/x' },
      'NotFound',
      'kubeconfig /x does not exist',
    ],
    ['no YAML', { [HOME]: 'a: [secret' }, {}, 'Invalid', `kubeconfig ${HOME}: is not YAML (line 1)`],
    ['a list as document', { [HOME]: '[]' }, {}, 'Invalid', `kubeconfig ${HOME}: is not a mapping`],
    [
      'an unknown context',
      { [HOME]: MAIN },
      { context: 'x' },
      'Missing',
      'context "x" does not exist in the kubeconfig',
    ],
    [
      'an unknown cluster',
      { [HOME]: MAIN },
      { cluster: 'x' },
      'Missing',
      'cluster "x" does not exist in the kubeconfig',
    ],
    ['an unknown user', { [HOME]: MAIN }, { user: 'x' }, 'Missing', 'user "x" does not exist in the kubeconfig'],
    [
      'a file it names that is missing',
      { [HOME]: MAIN },
      { context: 'two' },
      'NotFound',
      `kubeconfig ${HOME}: certificate-authority: /home/u/.kube/ca.crt does not exist`,
    ],
    [
      'data that is no PEM',
      { [HOME]: MAIN.replaceAll(DATA, 'c2VjcmV0') },
      {},
      'Invalid',
      `kubeconfig ${HOME}: certificate-authority-data is not PEM in base64`,
    ],
    [
      'a server that is no URL',
      { [HOME]: MAIN.replace('https://one:6443', 'one') },
      {},
      'Invalid',
      `kubeconfig ${HOME}: server is not an http or https URL`,
    ],
  ])('%s', (_, files, overrides, code, message) => {
    const loaded = load(files, overrides);
    expect(loaded).toMatchObject({ ok: false, error: { code, message } });
    expect(JSON.stringify(loaded)).not.toContain('secret');
  });
});

describe('a kubeconfig from a Secret', () => {
  const rules = { allowExec: false, allowInsecureTls: false };

  test.each([
    ['a path', MAIN, 'c2.certificate-authority: a path to a file is not allowed'],
    [
      'a program',
      MAIN.replace('certificate-authority: ca.crt', '')
        .replace('tokenFile: ./token', '')
        .replace(
          /client-certificate-data.*client-key-data: [^}]*/,
          'exec: {apiVersion: client.authentication.k8s.io/v1, command: x}',
        ),
      'exec: is not allowed (--insecure-kubeconfig-exec)',
    ],
    [
      'skipping TLS verification',
      MAIN.replace('certificate-authority: ca.crt', '')
        .replace('tokenFile: ./token', '')
        .replace(`certificate-authority-data: ${DATA}`, 'insecure-skip-tls-verify: true'),
      'insecure-skip-tls-verify: is not allowed (--insecure-kubeconfig-tls)',
    ],
  ])('may not hold %s', (_, text, message) => {
    const text2 = text.replace('{, ', '{').replace(', , ', ', ');
    expect(clusterAccessOf(text2, 'a/kubeconfig', rules)).toMatchObject({
      ok: false,
      error: { code: 'Forbidden', message: `kubeconfig a/kubeconfig: ${message}` },
    });
  });
});
