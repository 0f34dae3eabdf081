/**
 * Text for a person: control characters are shown instead of obeyed. Messages, names and events come from repositories and
 * clusters; escape sequences in them could recolour, overwrite or retitle the terminal (CVE-2021-25743, CVE-2022-23525).
 */
export function visible(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
