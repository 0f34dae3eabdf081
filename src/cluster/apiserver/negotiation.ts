/** How a client wants its answer. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/negotiation. */
export interface Wanted {
  readonly format: 'json' | 'yaml';
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | 'APIGroupDiscoveryList';
  /** The media type of `as`, as the answer's content type repeats it. */
  readonly version?: string;
  readonly pretty: boolean;
}

interface MediaType {
  readonly type: string;
  readonly quality: number;
  readonly parameters: ReadonlyMap<string, string>;
}

const TRANSFORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList']);

export function parseAccept(header: string): readonly MediaType[] {
  return header
    .split(',')
    .map((part, order) => {
      const [type = '', ...rest] = part.trim().split(';');
      const parameters = new Map<string, string>();
      for (const parameter of rest) {
        const [key = '', value = ''] = parameter.split('=');
        parameters.set(key.trim().toLowerCase(), value.trim());
      }
      const quality = Number(parameters.get('q') ?? 1);
      return { type: type.trim().toLowerCase(), quality: Number.isNaN(quality) ? 1 : quality, parameters, order };
    })
    .filter(({ type }) => type !== '')
    .sort((a, b) => b.quality - a.quality || a.order - b.order);
}

/**
 * The first acceptable form, or undefined when none fits (406). Protobuf is never written: clients that ask for it accept
 * JSON as well, or get 406.
 */
export function negotiate(
  accept: string | undefined,
  options: { readonly transforms: boolean; readonly pretty: boolean; readonly discovery?: boolean },
): Wanted | undefined {
  const { pretty } = options;
  if (accept === undefined || accept.trim() === '') return { format: 'json', pretty };
  for (const { type, parameters } of parseAccept(accept)) {
    const format =
      type === 'application/json' || type === '*/*' ? 'json' : type === 'application/yaml' ? 'yaml' : undefined;
    if (format === undefined) continue;
    const as = parameters.get('as');
    if (as === undefined) return { format, pretty: parameters.get('pretty') === '1' || pretty };
    const group = parameters.get('g');
    const version = parameters.get('v');
    if (options.discovery === true) {
      if (as === 'APIGroupDiscoveryList' && group === 'apidiscovery.k8s.io' && version === 'v2')
        return { format, as, version, pretty };
      continue;
    }
    if (!options.transforms || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue;
    if (!TRANSFORMS.has(as)) continue;
    return { format, as: as as 'Table', version, pretty };
  }
  return undefined;
}
