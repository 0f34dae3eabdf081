import { err, ok, type Result } from '../../base/result.ts';
import { type Branch, isBranch, isComment, isList, isTimestamp, type TreeValue, valueOf } from './tree.ts';

/** The ways in which sops wraps a data key. */
export type KeyType = 'kms' | 'gcp_kms' | 'hckms' | 'azure_kv' | 'hc_vault' | 'pgp' | 'age';

/** A data key (or a share of it), wrapped for one recipient. */
export interface WrappedKey {
  readonly type: KeyType;
  /** How sops names it in messages. */
  readonly name: string;
  readonly encrypted: string;
}

/** Which values of a file are encrypted. At most one is set. */
export interface Rules {
  readonly unencryptedSuffix: string;
  readonly encryptedSuffix: string;
  readonly unencryptedRegex: string;
  readonly encryptedRegex: string;
  readonly unencryptedCommentRegex: string;
  readonly encryptedCommentRegex: string;
}

/** What a sops file says about itself. */
export interface Metadata extends Rules {
  /** RFC 3339; the MAC is bound to it. */
  readonly lastModified: string;
  readonly mac: string;
  readonly macOnlyEncrypted: boolean;
  /** Groups needed where there are more than one; 0 when there is one. */
  readonly shamirThreshold: number;
  readonly groups: readonly (readonly WrappedKey[])[];
}

/** Recipients of one file; each may cost a key agreement. */
const MAX_KEYS = 2_000;

/** In sops's order. Source: sops@3.13 stores/stores.go internalGroupFrom. */
const TYPES: readonly (readonly [KeyType, (key: Branch) => string])[] = [
  ['kms', (key) => text(key, 'arn')],
  ['gcp_kms', (key) => text(key, 'resource_id')],
  ['hckms', (key) => text(key, 'key_id')],
  ['azure_kv', (key) => `${text(key, 'vault_url')}/keys/${text(key, 'name')}/${text(key, 'version')}`],
  ['hc_vault', (key) => `${text(key, 'vault_address')}/v1/${text(key, 'engine_path')}/keys/${text(key, 'key_name')}`],
  ['pgp', (key) => text(key, 'fp')],
  ['age', (key) => text(key, 'recipient')],
];

/** Reads the `sops` mapping of a file. Source: sops@3.13 stores/stores.go ToInternal. */
export function readMetadata(sops: Branch): Result<Metadata, string> {
  const rules: Rules = {
    unencryptedSuffix: text(sops, 'unencrypted_suffix'),
    encryptedSuffix: text(sops, 'encrypted_suffix'),
    unencryptedRegex: text(sops, 'unencrypted_regex'),
    encryptedRegex: text(sops, 'encrypted_regex'),
    unencryptedCommentRegex: text(sops, 'unencrypted_comment_regex'),
    encryptedCommentRegex: text(sops, 'encrypted_comment_regex'),
  };
  const given = Object.values(rules).filter((rule) => rule !== '').length;
  if (given > 1) {
    return err(
      'Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file',
    );
  }
  const lastModified = text(sops, 'lastmodified');
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d/.test(lastModified)) {
    return err(`parsing time "${lastModified}" as "2006-01-02T15:04:05Z07:00"`);
  }
  const own = groupOf(sops);
  const groups = own.length > 0 ? [own] : branches(valueOf(sops, 'key_groups')).map(groupOf);
  if (groups.length === 0) return err('No keys found in file');
  const keys = groups.reduce((sum, group) => sum + group.length, 0);
  if (keys > MAX_KEYS) return err(`more than ${MAX_KEYS} keys in file`);
  return ok({
    ...rules,
    ...(given === 0 ? { unencryptedSuffix: '_unencrypted' } : {}),
    lastModified,
    mac: text(sops, 'mac'),
    macOnlyEncrypted: text(sops, 'mac_only_encrypted') === 'true',
    shamirThreshold: Number(text(sops, 'shamir_threshold')) || 0,
    groups,
  });
}

function groupOf(holder: Branch): readonly WrappedKey[] {
  return TYPES.flatMap(([type, name]) =>
    branches(valueOf(holder, type)).map((key) => ({ type, name: name(key), encrypted: text(key, 'enc') })),
  );
}

function branches(value: TreeValue | undefined): readonly Branch[] {
  return value !== undefined && isList(value) ? value.filter(isBranch) : [];
}

/** A field as text: formats without types write all fields so. */
function text(branch: Branch, key: string): string {
  const value = valueOf(branch, key);
  if (value === undefined || value === null || typeof value === 'object') {
    return value !== undefined && value !== null && !isComment(value) && isTimestamp(value) ? value.time : '';
  }
  return String(value);
}
