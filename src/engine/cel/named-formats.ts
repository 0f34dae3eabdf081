import { fitsFormat, isDateTime } from '../schema/formats.ts';
import {
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  labelValue,
  qualifiedName,
} from '../schema/names.ts';
import { parseGoUrl } from './go-url.ts';

/** The formats of Kubernetes' `format` library and what each finds wrong. (apiserver@0.34 pkg/cel/library/format.go) */
export const NAMED_FORMATS: { readonly [name: string]: (text: string) => readonly string[] } = {
  dns1123Label,
  dns1123Subdomain,
  dns1035Label,
  qualifiedName,
  dns1123LabelPrefix: (text) => dns1123Label(text.replace(/-$/, 'a')),
  dns1123SubdomainPrefix: (text) => dns1123Subdomain(text.replace(/-$/, 'a')),
  dns1035LabelPrefix: (text) => dns1035Label(text.replace(/-$/, 'a')),
  labelValue,
  configMapKey,
  uri: (text) => {
    const parsed = parseGoUrl(text, 'request');
    return parsed.ok ? [] : [parsed.error];
  },
  uuid: (text) => (fitsFormat('uuid', text) ? [] : ['does not match the UUID format']),
  byte: (text) => (fitsFormat('byte', text) ? [] : ['invalid base64']),
  date: (text) => (fitsFormat('date', text) ? [] : ['invalid date']),
  datetime: (text) => (isDateTime(text) ? [] : ['invalid datetime']),
};
