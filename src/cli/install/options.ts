import { VERSION } from '../version.ts';

export interface InstallOptions {
  readonly namespace: string;
  readonly components: readonly string[];
  /** Registry and path before the image's name. */
  readonly registry: string;
  /** `v0.1.0` */
  readonly version: string;
  readonly imagePullSecret?: string;
  /** `user:password` for the registry, kept in the image pull secret. */
  readonly registryCredentials?: string;
  readonly watchAllNamespaces: boolean;
  readonly networkPolicy: boolean;
  readonly logLevel: string;
  readonly clusterDomain: string;
  readonly tolerationKeys: readonly string[];
}

export const CURRENT_VERSION: string = `v${VERSION}`;
/** Label by which installations are found; Flux's own value, so that tools made for Flux find Weir's. */
export const PART_OF = { 'app.kubernetes.io/part-of': 'flux' } as const;
export const PART_OF_SELECTOR = 'app.kubernetes.io/part-of=flux';

/** What every object of an installation is labelled with. Source: fluxcd/flux2@v2 pkg/manifestgen/install/templates.go. */
export function labelsOf(options: InstallOptions, component?: string): Readonly<Record<string, string>> {
  return {
    ...(component === undefined ? {} : { 'app.kubernetes.io/component': component }),
    'app.kubernetes.io/instance': options.namespace,
    ...PART_OF,
    'app.kubernetes.io/version': options.version,
  };
}
