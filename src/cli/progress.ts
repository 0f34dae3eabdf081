import type { Progress } from './command.ts';

/** Progress lines with the glyphs of Flux. Source: fluxcd/flux2@v2 cmd/flux/log.go. */
export function printProgress(write: (text: string) => void): Progress {
  const line =
    (glyph: string) =>
    (text: string): void =>
      write(`${glyph} ${text}\n`);
  return {
    action: line('►'),
    generate: line('✚'),
    wait: line('◎'),
    success: line('✔'),
    warning: line('⚠️'),
    failure: line('✗'),
  };
}
