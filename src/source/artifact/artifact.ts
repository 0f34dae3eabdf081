import type { Result } from '../../base/result.ts';
import type { TarFile } from './tar.ts';

/** `status.artifact` of a source: what its consumers download. */
export interface Artifact {
  /** `http://<advertised address>/<path>`. */
  readonly url: string;
  /** `<kind lower case>/<namespace>/<name>/<file>`, also the place in the store. */
  readonly path: string;
  /** `main@sha1:…`, `v1.0.0@sha256:…`, `sha1:…`. */
  readonly revision: string;
  /** `<algorithm>:<hex>` of the stored file. */
  readonly digest: string;
  /** RFC 3339, seconds. */
  readonly lastUpdateTime: string;
  readonly size: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a consumer needs of an artifact. */
export type ArtifactLocation = Pick<Artifact, 'url' | 'digest'> & Partial<Artifact>;

/**
 * `NotFound`: the server has no such file (it was replaced; ask again after the source's next status).
 * `Unreachable`: no answer, or not the one expected. `DigestMismatch`: the bytes are not the ones the status promised.
 * `Refused`: the archive breaks a limit or holds something an artifact may not hold. `Storage`: our disk is full or read-only.
 */
export type ArtifactErrorCode = 'NotFound' | 'Unreachable' | 'DigestMismatch' | 'Refused' | 'Storage';
export interface ArtifactError {
  readonly code: ArtifactErrorCode;
  readonly message: string;
}

/** An artifact's files, unpacked. The directory is shared between consumers: never write below it. */
export interface UnpackedArtifact {
  readonly directory: string;
}

/** An archive of this process' own that is unpacked while it is being stored. One of the two must be called. */
export interface StagedArtifact {
  /** It is stored: who asks for its digest gets what was unpacked, unless there is one already or it could not be. */
  keep(artifact: ArtifactLocation): Promise<void>;
  /** It will not be stored. */
  drop(): Promise<void>;
}

/** Consumer side of artifacts: gets, verifies and unpacks each digest once. */
export interface ArtifactReader {
  /** Begins to unpack an archive (before compression) that has no digest yet. */
  stage(tar: Uint8Array): StagedArtifact;
  unpack(artifact: ArtifactLocation, signal?: AbortSignal): Promise<Result<UnpackedArtifact, ArtifactError>>;
  /** The same files in memory, read anew. */
  files(artifact: ArtifactLocation, signal?: AbortSignal): Promise<Result<readonly TarFile[], ArtifactError>>;
}
