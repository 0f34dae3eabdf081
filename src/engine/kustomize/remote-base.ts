/** What a URL in a kustomization led to: a file, the folder of a clone, or why neither. */
export type RemoteBase =
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'failed'; readonly message: string };
