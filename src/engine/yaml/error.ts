/** Why a YAML text was refused. Lines count from 1. */
export interface YamlError {
  /** As Go's YAML library words it, without the prefix `yaml: ` and the line. */
  readonly message: string;
  /** As Go's YAML library counts, which is one less than the real line for some problems. */
  readonly line: number;
  readonly column: number;
  /** The message says the line itself, or has none. */
  readonly whole?: boolean;
}

/** The error as Go prints it: `yaml: line 3: message`. */
export function printYamlError({ message, line, whole }: YamlError): string {
  if (message.startsWith('json: ') || message.startsWith('unsupported map key')) return message;
  return line > 0 && whole !== true ? `yaml: line ${line}: ${message}` : `yaml: ${message}`;
}
