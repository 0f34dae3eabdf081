import { shortRevision } from '../api/words.ts';

export function Revision({ of }: { readonly of: string | undefined }) {
  if (of === undefined) return null;
  return (
    <code className="revision" title={of}>
      {shortRevision(of)}
    </code>
  );
}
