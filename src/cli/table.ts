/**
 * A table as Flux prints it: cells padded to their column's width and followed by a tab, headings in capitals and without
 * the last tab. Source: fluxcd/flux2@v2 pkg/printers/table_printer.go over olekukonko/tablewriter@0.0.5.
 */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = header.length > 0 ? [header, ...rows] : rows;
  const columns = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...all.map((row) => widthOf(row[column] ?? ''))),
  );
  const pad = (row: readonly string[]): string[] =>
    widths.map((width, column) => {
      const cell = row[column] ?? '';
      return cell + ' '.repeat(width - widthOf(cell));
    });
  const lines = rows.map((row) => `${pad(row.map(oneLine)).join('\t')}\t\n`);
  if (header.length > 0) lines.unshift(`${pad(header.map((name) => name.toUpperCase())).join('\t')} \n`);
  return lines.join('');
}

/** Line breaks would break the table: tools that read it line by line rely on one row being one line. */
function oneLine(cell: string): string {
  return cell.replaceAll(/\s*\n\s*/g, ' ');
}

/** Columns on a terminal: wide East Asian characters and emoji take two, combining marks none. */
function widthOf(cell: string): number {
  const text = oneLine(cell);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the common case, all ASCII
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
