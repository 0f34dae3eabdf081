import type { YamlNode } from '../yaml/node.ts';
import { scalarNode } from '../yaml/node.ts';
import { applyFieldSpecs } from './field-filter.ts';
import { type GoRegexp, goRegexp } from './go-regexp.ts';
import type { Image } from './kustomization-type.ts';
import { getField, isNull, requireKind, setScalar } from './node-edit.ts';
import type { Resource } from './resource.ts';
import type { FieldSpec } from './transformer-config.ts';

const LITERAL_NAME = /^[A-Za-z0-9._/:@-]*$/;
const REST = '(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$';

/** Sets name, tag or digest of images (api/filters/imagetag): of every container, and of the fields in `specs`. */
export function applyImage(resources: readonly Resource[], image: Image, specs: readonly FieldSpec[]): void {
  const name = image.name ?? '';
  // The name is a regular expression, as in kustomize; `.` is most of what is used of that.
  const pattern: GoRegexp = LITERAL_NAME.test(name) ? new RegExp(`^${name}${REST}`) : goRegexp(`^${name}${REST}`);
  const set = (node: YamlNode): void => setImage(node, image, pattern);
  for (const resource of resources) {
    if (resource.kind() === 'CustomResourceDefinition' || resource.node === undefined) continue;
    setContainers(resource.node, set);
  }
  for (const resource of resources) {
    if (resource.kind() !== 'CustomResourceDefinition') applyFieldSpecs(resource, specs, { set });
  }
}

function setContainers(node: YamlNode, set: (node: YamlNode) => void): void {
  if (node.kind === 'seq') {
    for (const item of node.content) setContainers(item, set);
    return;
  }
  if (node.kind !== 'map') return;
  for (let index = 0; index < node.content.length; index += 2) {
    const key = (node.content[index] as YamlNode).value;
    const value = node.content[index + 1] as YamlNode;
    if (value.kind === 'scalar') continue;
    setContainers(value, set);
    if ((key !== 'containers' && key !== 'initContainers') || value.kind !== 'seq') continue;
    for (const container of value.content) {
      const image = getField(container, 'image');
      if (image !== undefined) set(image);
    }
  }
}

function setImage(node: YamlNode, image: Image, pattern: GoRegexp): void {
  requireKind(node, 'scalar');
  if (isNull(node) || !pattern.test(node.value)) return;
  setScalar(node, scalarNode(newImage(node.value, image)));
}

/** The image reference that `image` makes of `value`. */
export function newImage(
  value: string,
  { newName = '', newTag = '', digest: newDigest = '', tagSuffix = '' }: Image,
): string {
  let { name, tag, digest } = splitImage(value);
  if (newName !== '') name = newName;
  if (newTag !== '' && newDigest !== '') {
    tag = newTag;
    digest = newDigest;
  } else if (newTag !== '') {
    tag = newTag;
    digest = '';
  } else if (newDigest !== '') {
    tag = '';
    digest = newDigest;
  } else if (tagSuffix !== '') {
    tag += tagSuffix;
    digest = '';
  }
  return name + (tag === '' ? '' : `:${tag}`) + (digest === '' ? '' : `@${digest}`);
}

/** Name, tag and digest of an image reference; a port in the host is part of the name. */
export function splitImage(image: string): { name: string; tag: string; digest: string } {
  const slash = image.indexOf('/');
  const from = slash > 0 ? slash : 0;
  const at = image.indexOf('@', from);
  const colon = image.indexOf(':', from);
  if (at < 0 && colon < 0) return { name: image, tag: '', digest: '' };
  if (at >= 0 && (at < colon || colon < 0)) return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  if (at >= 0) return { name: image.slice(0, colon), tag: image.slice(colon + 1, at), digest: image.slice(at + 1) };
  return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' };
}
