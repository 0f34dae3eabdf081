import { ExecutionError } from '../gotemplate/execution-error.ts';
import { GoError } from '../gotemplate/value.ts';

/*
 * Helm's wording of what Go's templates say. Source: helm@4.1.4 pkg/engine/engine.go cleanupParseError, reformatExecErrorMsg.
 */

const BEGIN = 'HELM_ERR_START';
const END = 'HELM_ERR_END';

/** Marks the text of `fail` and `required`, which is all that is told of such an error. */
export function marked(message: string): GoError {
  return new GoError(`${BEGIN}${message}${END}`);
}

/** The error of a text that is no template. */
export function parseErrorMessage(file: string, { message }: GoError): string {
  const parts = message.split(': ');
  if (parts.length === 1) return `parse error in (${file}): ${message}`;
  return `parse error at (${parts[1]}): ${parts.at(-1)}`;
}

/** The error of a template that failed: where, in which template, what; the same for each template that it was called from. */
export function executionErrorMessage(file: string, error: GoError): string {
  const { message } = error;
  if (!(error instanceof ExecutionError)) return message;
  const first = message.indexOf(': ');
  const second = message.indexOf(': ', first + 2);
  if (first < 0 || second < 0) return `execution error in (${file}): ${message}`;
  const begin = message.indexOf(BEGIN, second);
  const end = message.lastIndexOf(END);
  if (begin >= 0 && end > begin) {
    return `execution error at (${message.slice(first + 2, second)}): ${message.slice(begin + BEGIN.length, end)}`;
  }
  const steps: string[] = [];
  for (let current: unknown = error; current instanceof Error; current = causeOf(current)) {
    const step = describe(current.message);
    if (step === undefined) return message;
    if (steps.at(-1) !== step) steps.push(step);
  }
  return steps.join('').trim();
}

/** What Go wraps: the error of a function that was called, and nothing else. */
function causeOf(error: Error): unknown {
  return error instanceof ExecutionError && !error.reason.startsWith('error calling ') ? undefined : error.cause;
}

/** One error of a chain in lines; undefined when it is none of a template. */
function describe(message: string): string | undefined {
  const prefix = 'template: ';
  if (!message.startsWith(prefix)) return undefined;
  const rest = message.slice(prefix.length);
  if (rest.startsWith('no template ')) return `${message}\n`;
  const executing = rest.indexOf(': executing ');
  const parts = executing < 0 ? null : /^"([^"]*)" at </.exec(rest.slice(executing + ': executing '.length));
  if (parts !== null) {
    const after = rest.slice(executing + ': executing '.length + parts[0].length);
    const close = after.indexOf('>: ');
    if (close >= 0) {
      const what = withoutInner(after.slice(close + 3));
      return `${rest.slice(0, executing)}\n  executing "${parts[1]}" at <${after.slice(0, close)}>:\n    ${what}\n`;
    }
  }
  const last = rest.lastIndexOf(': ');
  return last < 0 ? undefined : `${rest.slice(0, last)}\n  ${withoutInner(rest.slice(last + 2))}\n`;
}

/** The message of a chained error follows in a line of its own. */
function withoutInner(message: string): string {
  const cut = message.indexOf(' template:');
  return cut < 0 ? message : message.slice(0, cut);
}
