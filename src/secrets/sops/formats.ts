/** The formats that sops knows. `binary` is any content, wrapped in JSON. */
export type Format = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary';

/** How Flux names a format in messages. Source: kustomize-controller@1.9 sopsFormatToString. */
export const FORMAT_NAMES: Readonly<Record<Format, string>> = {
  binary: 'binary',
  dotenv: 'dotenv',
  ini: 'INI',
  json: 'JSON',
  yaml: 'YAML',
};

/** What text of a format holds when it is encrypted. Source: kustomize-controller@1.9 sopsFormatToMarkerBytes. */
const MARKERS: readonly (readonly [Format, string])[] = [
  ['json', '"mac": "ENC['],
  ['dotenv', 'sops_mac=ENC['],
  ['ini', '[sops]'],
  ['yaml', 'mac: ENC['],
];

/** The format of a file by its name. Source: sops@3.13 cmd/sops/formats/formats.go, kustomize-controller@1.9 formatForPath. */
export function formatForPath(path: string): Format {
  if (path.endsWith('.dockerconfigjson') || path.endsWith('.json')) return 'json';
  if (path.endsWith('.yaml') || path.endsWith('.yml')) return 'yaml';
  if (path.endsWith('.env')) return 'dotenv';
  return path.endsWith('.ini') ? 'ini' : 'binary';
}

/** The format in which `text` is encrypted; undefined when it is not. */
export function encryptedFormat(text: string): Exclude<Format, 'binary'> | undefined {
  return MARKERS.find(([, marker]) => text.includes(marker))?.[0] as Exclude<Format, 'binary'> | undefined;
}

/** Whether `text`, of a known format, is encrypted. */
export function isEncryptedAs(text: string, format: Format): boolean {
  const like = format === 'binary' ? 'json' : format;
  return MARKERS.some(([known, marker]) => known === like && text.includes(marker));
}
