const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Room for what charts put behind the name. Source: helm@4.1.4 pkg/chart/v2/util/validate_name.go. */
export const MAX_RELEASE_NAME = 53;

/** Why Helm refuses `name` for a release; undefined when it takes it. */
export function releaseNameObjection(name: string): string | undefined {
  if (name === '') return 'no name provided';
  if (name.length <= MAX_RELEASE_NAME && NAME.test(name)) return undefined;
  return `invalid release name, must match regex ${NAME.source} and the length must not be longer than ${MAX_RELEASE_NAME}`;
}
