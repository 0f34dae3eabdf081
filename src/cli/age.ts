const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A span as kubectl prints ages: at most two units. Source: kubernetes@1.34 apimachinery util/duration HumanDuration. */
export function humanDuration(ms: number): string {
  if (Math.trunc(ms / SECOND) < -1) return '<invalid>';
  if (ms < 0) return '0s';
  const both = (large: number, largeUnit: string, small: number, smallUnit: string): string => {
    const rest = Math.floor((ms % large) / small);
    return `${Math.floor(ms / large)}${largeUnit}${rest === 0 ? '' : `${rest}${smallUnit}`}`;
  };
  if (ms < 120 * SECOND) return `${Math.floor(ms / SECOND)}s`;
  if (ms < 10 * MINUTE) return both(MINUTE, 'm', SECOND, 's');
  if (ms < 180 * MINUTE) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < 8 * HOUR) return both(HOUR, 'h', MINUTE, 'm');
  if (ms < 48 * HOUR) return `${Math.floor(ms / HOUR)}h`;
  if (ms < 8 * DAY) return both(DAY, 'd', HOUR, 'h');
  if (ms < 2 * YEAR) return `${Math.floor(ms / DAY)}d`;
  return ms < 8 * YEAR ? both(YEAR, 'y', DAY, 'd') : `${Math.floor(ms / YEAR)}y`;
}
