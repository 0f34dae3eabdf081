/** Why a YAML text was refused. Lines and columns count from 1; 0 where no position is known. */
export interface YamlError {
  /** As Go's YAML library words it, without the prefix `yaml: ` and the line. */
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** The error as Go prints it: `yaml: line 3: message`. */
export function printYamlError({ message, line }: YamlError): string {
  return line > 0 ? `yaml: line ${line}: ${message}` : `yaml: ${message}`;
}
