import { describe, expect, it } from 'vitest';
import { credentialsOf, inspectIdentity, knownHostsName } from './credentials.ts';
import { referenceOf, revisionOf } from './reference.ts';
import { isForbiddenName } from './tree.ts';
import { parseGitUrl, printGitUrl, resolveSubmoduleUrl } from './url.ts';

function must(text: string) {
  const url = parseGitUrl(text);
  if (!url.ok) throw new Error(url.error);
  return url.value;
}

describe('a git address', () => {
  it.each([
    ['ssh://git@host.example/org/x.git', 'ssh://git@host.example/org/x.git'],
    ['ssh://demo@sshd.default:/home/demo/x.git', 'ssh://demo@sshd.default/home/demo/x.git'],
    ['ssh://demo@localhost:30022/home/demo/x.git', 'ssh://demo@localhost:30022/home/demo/x.git'],
    ['https://user:secret@host.example/x', 'https://host.example/x'],
    ['http://[::1]:8080/x.git', 'http://[::1]:8080/x.git'],
    ['ssh://git@host.example/~/x.git', 'ssh://git@host.example/~/x.git'],
  ])('%s is taken', (text, shown) => {
    expect(printGitUrl(must(text))).toBe(shown);
  });

  it.each([
    'ext::sh -c id',
    'ext::id',
    'file:///etc',
    '/etc/passwd',
    'git://host/x',
    'git@host:org/x.git',
    '--upload-pack=x',
    '-oProxyCommand=id',
    'ssh://-oProxyCommand=id/x',
    'ssh://-l@host/x',
    'ssh://$(id)@host/x',
    'ssh://git@ho;st/x',
    'ssh://git@host`id`/x',
    'ssh://git:pw@host/x',
    'ssh://git@%h/x',
    'ssh://git@host/-x',
    'ssh://git@host/../x',
    'ssh://git@host:99999/x',
    'ssh:///x',
    'https://ho st/x',
    'https://host/x\nid',
    'https://host/\u0000',
  ])('%j is refused', (text) => {
    expect(parseGitUrl(text).ok).toBe(false);
  });

  it('of a submodule may be relative or in scp form, and stays on allowed transports', () => {
    const parent = must('ssh://git@host.example/org/x.git');
    const shown = (text: string) => {
      const url = resolveSubmoduleUrl(parent, text);
      return url.ok ? printGitUrl(url.value) : 'refused';
    };
    expect(shown('../lib.git')).toBe('ssh://git@host.example/org/lib.git');
    expect(shown('./sub')).toBe('ssh://git@host.example/org/x.git/sub');
    expect(shown('git@other.example:a/b.git')).toBe('ssh://git@other.example/a/b.git');
    for (const text of ['--x', 'ext::id', 'file:///etc', '../../../../etc', '/etc', 'ssh://-oX/']) {
      expect([text, shown(text)]).toEqual([text, 'refused']);
    }
  });
});

describe('a reference', () => {
  it.each([
    [{ commit: 'a'.repeat(40), branch: 'b', name: 'n' }, 'commit'],
    [{ name: 'refs/pull/1/head', semver: '*', tag: 't', branch: 'b' }, 'name'],
    [{ semver: '1.x', tag: 'v2', branch: 'b' }, 'tag'],
    [{ semver: '1.x', branch: 'b' }, 'semver'],
    [{ branch: 'feature/x' }, 'branch'],
    [{}, 'branch'],
    [undefined, 'branch'],
  ])('%j is a %s', (ref, kind) => {
    expect(referenceOf(ref)).toMatchObject({ ok: true, value: { kind } });
  });

  it.each([
    { branch: '--upload-pack=x' },
    { branch: '-x' },
    { branch: '../x' },
    { branch: 'a..b' },
    { branch: 'a b' },
    { branch: 'a\nb' },
    { branch: 'a:b' },
    { branch: 'a^' },
    { branch: 'a\\b' },
    { branch: 'x.lock' },
    { branch: 'a/.b' },
    { tag: '-v1' },
    { tag: '$(id)' + ' x' },
    { name: '/refs/heads/x' },
    { name: 'refs/heads/' },
    { name: '--x' },
    { name: 'refs/heads/\u0007' },
    { commit: 'HEAD' },
    { commit: '--x' },
    { commit: 'abc' },
  ])('%j is refused', (ref) => {
    expect(referenceOf(ref).ok).toBe(false);
  });

  it('names a revision as Flux does', () => {
    const hash = 'a'.repeat(40);
    expect(revisionOf({ kind: 'branch', branch: 'feature/x' }, hash)).toBe(`feature/x@sha1:${hash}`);
    expect(revisionOf({ kind: 'name', name: 'refs/heads/main' }, hash)).toBe(`refs/heads/main@sha1:${hash}`);
    expect(revisionOf({ kind: 'commit', commit: hash, branch: undefined }, hash)).toBe(`sha1:${hash}`);
    expect(revisionOf({ kind: 'tag', tag: 'v1' }, 'b'.repeat(64))).toBe(`v1@sha256:${'b'.repeat(64)}`);
  });
});

describe('credentials', () => {
  const ssh = must('ssh://git@host/x');
  const https = must('https://host/x');
  it.each([
    [ssh, {}, "invalid 'ssh' auth option: 'identity' is required"],
    [ssh, { identity: 'k' }, "invalid 'ssh' auth option: 'known_hosts' is required"],
    [https, { password: 'p' }, "invalid 'https' auth option: 'password' requires 'username' to be set"],
    [https, { bearerToken: 'a\nX: y' }, "invalid 'https' auth option: 'bearerToken' has a line break"],
  ])('that are incomplete or forge a header are refused', (url, data, error) => {
    expect(credentialsOf(url, data)).toEqual({ ok: false, error });
  });

  it('tell an encrypted key from a plain one and from none', () => {
    const openssh = (cipher: string): string => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(cipher.length);
      const body = Buffer.concat([Buffer.from('openssh-key-v1\0'), length, Buffer.from(cipher)]).toString('base64');
      return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
    };
    expect(inspectIdentity('garbage')).toBe('none');
    expect(inspectIdentity(openssh('none'))).toBe('plain');
    expect(inspectIdentity(openssh('aes256-ctr'))).toBe('encrypted');
  });

  it('look a host up under the name known_hosts has', () => {
    expect(knownHostsName(must('ssh://a@sshd.default:/x'))).toBe('sshd.default');
    expect(knownHostsName(must('ssh://a@localhost:30022/x'))).toBe('[localhost]:30022');
  });
});

describe('a name in a tree', () => {
  it.each([
    '.git',
    '.GIT',
    'git~1',
    'GIT~1',
    '.g\u200cit',
    '.git ',
    '.git.',
    '.git::$INDEX',
    '..',
    '.',
    '',
    'a/b',
    '..\\x',
    '.git\\x',
  ])('%j is refused', (name) => expect(isForbiddenName(name)).toBe(true));
  it.each(['.gitignore', '.github', 'git', 'a..b', '...', 'dev\\x2d.device'])('%j is fine', (name) =>
    expect(isForbiddenName(name)).toBe(false),
  );
});
