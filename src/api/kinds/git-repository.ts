import Type from 'typebox';
import { defineKind, type SpecOf } from '../kind.ts';
import type { FluxObject } from '../object.ts';
import { artifact, DURATION, flag, localRef, readyColumns, reconciled, SHORT_DURATION, text } from './fields.ts';

const include = Type.Object(
  {
    fromPath: Type.Optional(text('Folder of the included repository to copy; all of it by default.')),
    repository: localRef('GitRepository whose artifact is included.'),
    toPath: Type.Optional(text('Folder of this artifact to copy to; the name of the included repository by default.')),
  },
  { description: 'Another GitRepository whose content becomes a part of this artifact.' },
);

const spec = Type.Object(
  {
    ignore: Type.Optional(
      text('Patterns of files to leave out, in the syntax of .gitignore; replaces the default exclusions.'),
    ),
    include: Type.Optional(
      Type.Array(include, { description: 'GitRepositories whose artifacts are copied into this one.' }),
    ),
    interval: text('How often to look for new commits, as a Go duration such as 1m.', { pattern: DURATION }),
    provider: Type.Optional(
      Type.Enum(['generic', 'aws', 'azure', 'github'], {
        description: 'How to authenticate: with the secret only (generic), or as a workload of a cloud or GitHub App.',
      }),
    ),
    proxySecretRef: Type.Optional(localRef('Secret with the address and credentials of the HTTP proxy to use.')),
    recurseSubmodules: Type.Optional(flag('Fetch submodules too, with the credentials of this repository.')),
    ref: Type.Optional(
      Type.Object(
        {
          branch: Type.Optional(text('Branch to check out; master when nothing else is given.')),
          commit: Type.Optional(text('Commit to check out; with a branch, only that branch is fetched to find it.')),
          name: Type.Optional(
            text(
              'Full name of the reference to check out, such as refs/pull/420/head; goes before branch, tag and semver.',
            ),
          ),
          semver: Type.Optional(text('Range of versions; the highest tag in it is checked out. Goes before tag.')),
          tag: Type.Optional(text('Tag to check out; goes before branch.')),
        },
        { description: 'What to check out; the branch master by default.' },
      ),
    ),
    secretRef: Type.Optional(
      localRef(
        'Secret with credentials: username and password or bearerToken for HTTPS, identity and known_hosts for SSH.',
      ),
    ),
    serviceAccountName: Type.Optional(
      text('Service account to authenticate as with a cloud provider; the one of the controller by default.'),
    ),
    sparseCheckout: Type.Optional(
      Type.Array(Type.String(), { description: 'Folders to check out; the whole repository by default.' }),
    ),
    suspend: Type.Optional(flag('Stop reconciling until it is false again; the last artifact stays.')),
    timeout: Type.Optional(
      text('Longest time one Git operation may take, as a Go duration.', { default: '60s', pattern: SHORT_DURATION }),
    ),
    url: text('Address of the repository, with the scheme http, https or ssh.', {
      pattern: '^(http|https|ssh)://.*$',
    }),
    verify: Type.Optional(
      Type.Object(
        {
          mode: Type.Optional(
            Type.Enum(['head', 'HEAD', 'Tag', 'TagAndHEAD'], {
              default: 'HEAD',
              description: 'What must be signed: the checked out commit, the tag, or both.',
            }),
          ),
          secretRef: localRef('Secret with the public keys that are trusted.'),
        },
        { description: 'Signatures that the checked out content must have.' },
      ),
    ),
  },
  {
    description: 'What to fetch, from where and how often.',
    'x-kubernetes-validations': [
      {
        message: "serviceAccountName can only be set when provider is 'azure' or 'aws'",
        rule: "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
      },
    ],
  },
);

const status = Type.Object(
  {
    ...reconciled,
    artifact: Type.Optional(artifact('The last content that was fetched and stored.')),
    includedArtifacts: Type.Optional(
      Type.Array(artifact('An artifact that was included.'), {
        description: 'Artifacts that were copied into this one, in the order of spec.include.',
      }),
    ),
    observedIgnore: Type.Optional(text('The ignore patterns that the stored artifact was made with.')),
    observedInclude: Type.Optional(
      Type.Array(include, { description: 'The inclusions that the stored artifact was made with.' }),
    ),
    observedRecurseSubmodules: Type.Optional(flag('Whether the stored artifact was made with submodules.')),
    observedSparseCheckout: Type.Optional(
      Type.Array(Type.String(), { description: 'The folders that the stored artifact was made of.' }),
    ),
    sourceVerificationMode: Type.Optional(text('What was verified of the stored artifact: HEAD, Tag or TagAndHEAD.')),
  },
  { default: { observedGeneration: -1 }, description: 'What was fetched last, and how it went.' },
);

export type GitRepositorySpec = SpecOf<typeof spec>;
export type GitRepositoryStatus = SpecOf<typeof status>;
export type GitRepository = FluxObject<GitRepositorySpec, GitRepositoryStatus>;
/** What a source publishes, as `status.artifact` tells it. */
export type Artifact = NonNullable<GitRepositoryStatus['artifact']>;

export const gitRepository = defineKind({
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'GitRepository',
  plural: 'gitrepositories',
  shortNames: ['gitrepo'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  component: 'source-controller',
  description: 'A Git repository that is fetched at an interval and published as an artifact.',
  spec,
  status,
  printerColumns: [{ name: 'URL', type: 'string', jsonPath: '.spec.url' }, ...readyColumns],
});
