import { err, ok, type Result } from '../../base/result.ts';

/**
 * What to check out. Precedence: commit, name, tag, semver, branch: Flux's documentation puts semver before tag, its code
 * does not. Source: recorded from source-controller@1.9.1; fluxcd/pkg git/gogit client.go Clone.
 */
export type GitReference =
  | { readonly kind: 'commit'; readonly commit: string; readonly branch: string | undefined }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'semver'; readonly range: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'branch'; readonly branch: string };

const DEFAULT_BRANCH = 'master';

/** Picks the reference of a `spec.ref`; errors are sentences about the field. */
export function referenceOf(
  ref:
    | {
        readonly branch?: string;
        readonly commit?: string;
        readonly name?: string;
        readonly semver?: string;
        readonly tag?: string;
      }
    | undefined,
): Result<GitReference, string> {
  const { branch = '', commit = '', name = '', semver = '', tag = '' } = ref ?? {};
  if (commit !== '') {
    if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return err(`commit '${shown(commit)}' is not a full hash`);
    if (branch !== '' && !isRefName(`refs/heads/${branch}`))
      return err(`branch '${shown(branch)}' is not a valid name`);
    return ok({ kind: 'commit', commit, branch: branch === '' ? undefined : branch });
  }
  if (name !== '') {
    if (name.startsWith('/') || name.endsWith('/')) {
      return err(`ref ${shown(name)} is invalid; Git refs cannot begin or end with a slash '/'`);
    }
    return isRefName(name.replace(/\^\{\}$/, '')) ? ok({ kind: 'name', name }) : err(`ref ${shown(name)} is invalid`);
  }
  if (tag !== '') {
    return isRefName(`refs/tags/${tag}`) ? ok({ kind: 'tag', tag }) : err(`tag '${shown(tag)}' is not a valid name`);
  }
  if (semver !== '') return ok({ kind: 'semver', range: semver });
  const chosen = branch === '' ? DEFAULT_BRANCH : branch;
  if (!isRefName(`refs/heads/${chosen}`)) return err(`branch '${shown(chosen)}' is not a valid name`);
  return ok({ kind: 'branch', branch: chosen });
}

/** Git's own rules for the name of a reference, and that it cannot be read as an option. Source: git-check-ref-format(1). */
export function isRefName(name: string): boolean {
  if (name === '' || name.length > 1024 || name.startsWith('-') || name === '@' || name.endsWith('.')) return false;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false;
  return name
    .split('/')
    .every((step) => step !== '' && !step.startsWith('.') && !step.endsWith('.lock') && !step.startsWith('-'));
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100)).slice(1, -1);
}

/** `main@sha1:…`: the short name of what was checked out, and the commit. `commit` alone gives `sha1:…`. */
export function revisionOf(reference: GitReference, commit: string, tag?: string): string {
  const digest = `${commit.length === 64 ? 'sha256' : 'sha1'}:${commit}`;
  switch (reference.kind) {
    case 'commit':
      return reference.branch === undefined ? digest : `${reference.branch}@${digest}`;
    case 'name':
      return `${reference.name}@${digest}`;
    case 'semver':
      return `${tag ?? ''}@${digest}`;
    case 'tag':
      return `${reference.tag}@${digest}`;
    case 'branch':
      return `${reference.branch}@${digest}`;
  }
}
