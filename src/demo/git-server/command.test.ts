import { describe, expect, it } from 'vitest';
import { parseCommand } from './command.ts';

describe('the command of an exec request', () => {
  it.each([
    ["git-upload-pack '/home/demo/x.git'", { kind: 'serve', service: 'upload-pack', path: 'x.git' }],
    ["git-receive-pack 'x.git'", { kind: 'serve', service: 'receive-pack', path: 'x.git' }],
    ['git upload-pack ~/x', { kind: 'serve', service: 'upload-pack', path: 'x' }],
    ["git-upload-archive '/home/demo/team/x.git/'", { kind: 'serve', service: 'upload-archive', path: 'team/x.git' }],
    ['git init --bare x.git', { kind: 'init', path: 'x.git', branch: 'master' }],
    ['git init --bare -b main x.git', { kind: 'init', path: 'x.git', branch: 'main' }],
    ['git init -q --bare --initial-branch=dev /home/demo/x.git', { kind: 'init', path: 'x.git', branch: 'dev' }],
  ])('%j is read', (line, want) => {
    expect(parseCommand(line, 'demo')).toEqual({ ok: true, value: want });
  });

  it.each([
    'sh',
    'ls -la',
    'git',
    'git log',
    'git-shell',
    'git init x.git',
    'git init --bare',
    'git init --bare x',
    'git init --bare --template=/tmp x.git',
    'git init --bare -b --x x.git',
    'git init --bare ../x.git',
    'git init --bare x.git y.git',
    "git-upload-pack '/etc'",
    "git-upload-pack '../x.git'",
    "git-upload-pack '/home/demo/../other/x.git'",
    "git-upload-pack '/home/other/x.git'",
    "git-upload-pack '-x'",
    "git-upload-pack --strict 'x.git'",
    "git-upload-pack 'x.git'; id",
    "git-upload-pack 'x.git' && id",
    'git-upload-pack $(id)',
    'git-upload-pack "`id`"',
    "git-upload-pack 'x.git'\nid",
    'git -c core.sshCommand=id upload-pack x.git',
    `git-upload-pack '${'a'.repeat(5000)}'`,
  ])('%j is refused', (line) => {
    expect(parseCommand(line, 'demo').ok).toBe(false);
  });
});
