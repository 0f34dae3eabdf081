import { err, ok, type Result } from '../../base/result.ts';
import { type Branch, isBranch, isComment, isList, isTimestamp, type TreeValue, valueOf } from './tree.ts';

/** The ways in which sops wraps a data key. */
export type KeyType = 'kms' | 'gcp_kms' | 'hckms' | 'azure_kv' | 'hc_vault' | 'pgp' | 'age';

interface Wrapped {
  /** How sops names it in messages. */
  readonly name: string;
  readonly encrypted: string;
}

/** A key that needs a private key and nothing else; Huawei's (`hckms`) are known by name only. */
export interface LocalKey extends Wrapped {
  readonly type: 'age' | 'pgp' | 'hckms';
}

/** A key that a service opens: what the file says about where, all of it chosen by who wrote the file. */
export type ServiceKey = AwsKmsKey | GcpKmsKey | AzureVaultKey | VaultTransitKey;

export interface AwsKmsKey extends Wrapped {
  readonly type: 'kms';
  readonly arn: string;
  /** To be taken on before; '' for none. */
  readonly role: string;
  readonly context: readonly (readonly [key: string, value: string])[];
}

export interface GcpKmsKey extends Wrapped {
  readonly type: 'gcp_kms';
  readonly resourceId: string;
}

export interface AzureVaultKey extends Wrapped {
  readonly type: 'azure_kv';
  readonly vaultUrl: string;
  readonly keyName: string;
  readonly version: string;
}

export interface VaultTransitKey extends Wrapped {
  readonly type: 'hc_vault';
  readonly address: string;
  readonly enginePath: string;
  readonly keyName: string;
}

/** A data key (or a share of it), wrapped for one recipient. */
export type WrappedKey = LocalKey | ServiceKey;

export function isServiceKey(key: WrappedKey): key is ServiceKey {
  return key.type !== 'age' && key.type !== 'pgp' && key.type !== 'hckms';
}

/** Two keys with the same identifier are opened to the same bytes, by the same request. */
export function keyId(key: WrappedKey): string {
  return `${key.type}\n${key.name}\n${key.encrypted}`;
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
const READERS: { readonly [type in KeyType]: (key: Branch, encrypted: string) => WrappedKey } = {
  kms: awsKmsKey,
  gcp_kms: (key, encrypted) => {
    const resourceId = text(key, 'resource_id');
    return { type: 'gcp_kms', name: resourceId, encrypted, resourceId };
  },
  hckms: (key, encrypted) => ({ type: 'hckms', name: text(key, 'key_id'), encrypted }),
  azure_kv: (key, encrypted) => {
    const [vaultUrl, keyName, version] = [text(key, 'vault_url'), text(key, 'name'), text(key, 'version')];
    return { type: 'azure_kv', name: `${vaultUrl}/keys/${keyName}/${version}`, encrypted, vaultUrl, keyName, version };
  },
  hc_vault: (key, encrypted) => {
    const [address, enginePath, keyName] = [
      text(key, 'vault_address'),
      text(key, 'engine_path'),
      text(key, 'key_name'),
    ];
    const name = `${address}/v1/${enginePath}/keys/${keyName}`;
    return { type: 'hc_vault', name, encrypted, address, enginePath, keyName };
  },
  pgp: (key, encrypted) => ({ type: 'pgp', name: text(key, 'fp'), encrypted }),
  age: (key, encrypted) => ({ type: 'age', name: text(key, 'recipient'), encrypted }),
};

const TYPES = Object.keys(READERS) as readonly KeyType[];

/** Named by role, context and profile as well. Source: sops@3.13 kms/keysource.go ToString. */
function awsKmsKey(key: Branch, encrypted: string): AwsKmsKey {
  const [arn, role, profile] = [text(key, 'arn'), text(key, 'role'), text(key, 'aws_profile')];
  const given = valueOf(key, 'context');
  const items = given !== undefined && isBranch(given) ? given.items : [];
  const context = items.flatMap(({ key: name }) =>
    isComment(name) ? [] : [[name, text(given as Branch, name)] as const],
  );
  const told = [...context]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}`)
    .join(',');
  const who = role === '' ? arn : `${arn}+${role}`;
  const name = profile !== '' ? `${who}|${told}|${profile}` : told === '' ? who : `${who}|${told}`;
  return { type: 'kms', name, encrypted, arn, role, context };
}

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
  return TYPES.flatMap((type) => branches(valueOf(holder, type)).map((key) => READERS[type](key, text(key, 'enc'))));
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
