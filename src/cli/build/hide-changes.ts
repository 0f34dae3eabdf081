import { equal, isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import type { Change, Detail } from './changes.ts';
import type { SecretTexts } from './helm-secrets.ts';
import { isEncryptedText } from './hide-encrypted.ts';

const HIDDEN = '***';

/** Changes without what sops encrypted, nor what `secrets` holds. Where a secret comes, what was there may be the one of yesterday. */
export function hideChanges(changes: readonly Change[], secrets: SecretTexts | undefined): readonly Change[] {
  const hide = (value: Json): Json => {
    const plain = hideEncrypted(value);
    return secrets === undefined ? plain : secrets.hide(plain);
  };
  return changes.map(({ path, details }) => {
    const comes = details.some((detail) => detail.kind === 'added' && !equal(hide(detail.entries), detail.entries));
    return { path, details: details.map((detail) => hideDetail(detail, comes, hide)) };
  });
}

function hideDetail(detail: Detail, secretComes: boolean, hide: (value: Json) => Json): Detail {
  switch (detail.kind) {
    case 'added':
      return { ...detail, entries: hide(detail.entries) as JsonObject | readonly Json[] };
    case 'removed':
      return { ...detail, entries: (secretComes ? stars(detail.entries) : hide(detail.entries)) as JsonObject };
    case 'changed': {
      const after = hide(detail.after);
      if (equal(after, detail.after)) return { ...detail, before: hide(detail.before) };
      return { ...detail, before: `${HIDDEN} (before)`, after: after === HIDDEN ? `${HIDDEN} (after)` : after };
    }
    case 'order':
      return { ...detail, before: detail.before.map(hide), after: detail.after.map(hide) };
    default:
      return detail satisfies never;
  }
}

function hideEncrypted(value: Json): Json {
  return typeof value === 'string' && isEncryptedText(value) ? HIDDEN : eachLeaf(value, hideEncrypted);
}

function stars(value: Json): Json {
  return isArray(value) || isObject(value) ? eachLeaf(value, stars) : HIDDEN;
}

function eachLeaf(value: Json, by: (inner: Json) => Json): Json {
  if (isArray(value)) return value.map(by);
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const [key, inner] of Object.entries(value)) put(out, key, by(inner));
  return out;
}
