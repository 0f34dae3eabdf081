import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a Chromium is: WEIR_CHROMIUM, or the first on the PATH. @throws Error where there is none */
export function chromiumPath(): string {
  const named = process.env['WEIR_CHROMIUM'];
  if (named !== undefined) return named;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'])
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not this one.
      }
  throw new Error('no Chromium on the PATH: install it, or name its program in WEIR_CHROMIUM');
}
