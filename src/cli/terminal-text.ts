/** Everything a terminal takes for a command, but line feeds and tabs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const COMMANDS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Text for a person: control characters are shown instead of obeyed. Messages, names and events come from repositories and
 * clusters; escape sequences in them could recolour, overwrite or retitle the terminal (CVE-2021-25743, CVE-2022-23525).
 */
export function visible(text: string): string {
  return text.replace(COMMANDS, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
