import type { KubeObject } from '../../api/object.ts';
import { withField } from './draft.ts';
import type { ResourceType } from './resource-type.ts';

/** Changes the version in which an object is written. Kinds whose versions differ in more than their name have a function of their own. */
export function convert(object: KubeObject, _type: ResourceType, apiVersion: string): KubeObject {
  return object.apiVersion === apiVersion ? object : withField(object, 'apiVersion', apiVersion);
}
