import { KUBERNETES_VERSION } from '../data/builtins.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';

/** What clients ask for, and what is answered: an `@` is not legal in a media type, and Go refuses to read it. */
const ASKED = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const ANSWERED = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * The OpenAPI v2 document, without paths and definitions: every schema is in v3. kubectl turns to v2 for a kind that v3 does not
 * know yet (a custom resource before its CRD), and its own words for that (`no matches for kind`) need a document to be there.
 */
export function openApiV2(accept: string): Reply {
  const info = { title: 'Kubernetes', version: KUBERNETES_VERSION };
  if (!accept.includes(ASKED) && !accept.includes(ANSWERED)) return answer({ swagger: '2.0', info, paths: {} });
  // gnostic openapiv2.Document: swagger = 1, info = 2 {title = 1, version = 2}.
  const bytes = [
    ...stringField(1, '2.0'),
    ...lengthField(2, [...stringField(1, info.title), ...stringField(2, info.version)]),
  ];
  return { status: 200, content: { kind: 'bytes', bytes: Uint8Array.from(bytes), type: ANSWERED } };
}

function stringField(number: number, value: string): readonly number[] {
  return lengthField(number, [...Buffer.from(value)]);
}

/** A length-delimited field of less than 128 bytes. */
function lengthField(number: number, bytes: readonly number[]): readonly number[] {
  return [(number << 3) | 2, bytes.length, ...bytes];
}
