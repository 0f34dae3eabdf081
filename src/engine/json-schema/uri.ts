const PARTS = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/s;

/** What `reference` means in a document at `base`. Source: RFC 3986, section 5.2.2. */
export function resolveReference(base: string, reference: string): string {
  const [, scheme, authority, path = '', query = '', fragment = ''] = PARTS.exec(reference) ?? [];
  if (scheme !== undefined) return reference;
  const [, baseScheme = '', baseAuthority, basePath = '', baseQuery = ''] = PARTS.exec(base) ?? [];
  const print = (host: string | undefined, where: string, asked: string): string =>
    `${baseScheme}:${host === undefined ? '' : `//${host}`}${where}${asked}${fragment}`;
  if (authority !== undefined) return print(authority, withoutDots(path), query);
  if (path === '') return print(baseAuthority, basePath, query === '' ? baseQuery : query);
  if (path.startsWith('/')) return print(baseAuthority, withoutDots(path), query);
  return print(baseAuthority, withoutDots(`${basePath.slice(0, basePath.lastIndexOf('/') + 1)}${path}`), query);
}

function withoutDots(path: string): string {
  const out: string[] = [];
  for (const step of path.split('/')) {
    if (step === '..') {
      if (out.length > 1) out.pop();
    } else if (step !== '.') out.push(step);
  }
  return out.join('/') + (/(?:^|\/)\.{1,2}$/.test(path) ? '/' : '');
}
