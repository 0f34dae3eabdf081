import { quoted } from '../yaml/go-syntax.ts';
import { fail } from './failure.ts';
import { compareText } from './resource-id.ts';

type Requirement = (labels: ReadonlyMap<string, string>) => boolean;
const parsed = new Map<string, readonly Requirement[]>();
/** Selectors that are kept compiled. */
const MAX_KEPT = 1000;

/** Whether labels fit a Kubernetes label selector; an empty one fits all. @throws KustomizeFailure */
export function labelsMatch(selector: string | undefined, labels: () => ReadonlyMap<string, string>): boolean {
  if (selector === undefined || selector === '') return true;
  let requirements = parsed.get(selector);
  if (requirements === undefined) {
    requirements = new Parser(selector).parse();
    if (parsed.size >= MAX_KEPT) parsed.clear();
    parsed.set(selector, requirements);
  }
  const map = labels();
  return requirements.every((fits) => fits(map));
}

interface Token {
  readonly type: 'word' | 'in' | 'notin' | '=' | '==' | '!=' | '!' | '(' | ')' | ',' | '>' | '<' | 'end' | 'error';
  readonly text: string;
}
const MARKS: readonly string[] = ['=', '==', '!=', '!', '(', ')', ',', '>', '<'];

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) {
      at++;
      continue;
    }
    const from = at;
    if (!'=!(),><'.includes(text[at] as string)) {
      while (at < text.length && !/[\s=!(),><]/.test(text[at] as string)) at++;
      const word = text.slice(from, at);
      tokens.push({ type: word === 'in' || word === 'notin' ? word : 'word', text: word });
      continue;
    }
    at++;
    while (at < text.length && MARKS.includes(text.slice(from, at + 1))) at++;
    const mark = text.slice(from, at);
    tokens.push({ type: mark as Token['type'], text: mark });
  }
  return [...tokens, { type: 'end', text: '' }];
}

/** apimachinery's labels.Parse with its messages, as kyaml carries it (yaml/internal/k8sgen/pkg/labels/selector.go). */
class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  /** Where values stand, `in` and `notin` are words like others. */
  private look(): Token {
    const token = this.tokens[this.at] ?? { type: 'end', text: '' };
    return token.type === 'in' || token.type === 'notin' ? { ...token, type: 'word' } : token;
  }

  private take(): Token {
    const token = this.look();
    this.at++;
    return token;
  }

  parse(): readonly Requirement[] {
    const found: { readonly key: string; readonly fits: Requirement }[] = [];
    for (;;) {
      const { type, text } = this.look();
      if (type === 'end') break;
      if (type !== 'word' && type !== '!') fail(`found '${text}', expected: !, identifier, or 'end of string'`);
      found.push(this.requirement());
      const next = this.take();
      if (next.type === 'end') break;
      if (next.type !== ',') fail(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.look();
      if (after.type !== 'word' && after.type !== '!') fail(`found '${after.text}', expected: identifier after ','`);
    }
    return found.sort((a, b) => compareText(a.key, b.key)).map(({ fits }) => fits);
  }

  private requirement(): { readonly key: string; readonly fits: Requirement } {
    const unable = (message: string): never => fail(`unable to parse requirement: ${message}`);
    let token = this.take();
    const negated = token.type === '!';
    if (negated) token = this.take();
    if (token.type !== 'word') unable(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const problems = nameProblems(key);
    if (problems.length > 0) unable(`invalid label key ${quoted(key)}: ${problems.join('; ')}`);
    const next = this.look();
    const alone = next.type === 'end' || next.type === ',';
    if (negated) return { key, fits: (labels) => !labels.has(key) };
    if (alone) return { key, fits: (labels) => labels.has(key) };
    const operator = this.tokens[this.at++] as Token;
    const isSet = operator.type === 'in' || operator.type === 'notin';
    if (!isSet && !['=', '==', '!=', '>', '<'].includes(operator.type)) {
      unable(`found '${operator.text}', expected: '=', '!=', '==', 'in', notin'`);
    }
    const values = isSet ? this.values(unable) : [this.value(unable)];
    if (operator.type === '>' || operator.type === '<') {
      const bound = integer(values[0] as string);
      if (bound === undefined) return unable("for 'Gt', 'Lt' operators, the value must be an integer");
      const fits = (labels: ReadonlyMap<string, string>): boolean => {
        const value = integer(labels.get(key) ?? '');
        return value !== undefined && (operator.type === '>' ? value > bound : value < bound);
      };
      return { key, fits };
    }
    for (const value of values) {
      const wrong = valueProblems(value);
      if (wrong.length > 0)
        unable(`invalid label value: ${quoted(value)}: at key: ${quoted(key)}: ${wrong.join('; ')}`);
    }
    const wanted = new Set(values);
    const has = (labels: ReadonlyMap<string, string>): boolean => {
      const value = labels.get(key);
      return value !== undefined && wanted.has(value);
    };
    const excludes = operator.type === 'notin' || operator.type === '!=';
    return { key, fits: excludes ? (labels) => !has(labels) : has };
  }

  private value(unable: (message: string) => never): string {
    const { type } = this.look();
    if (type === 'end' || type === ',') return '';
    const token = this.take();
    return token.type === 'word' ? token.text : unable(`found '${token.text}', expected: identifier`);
  }

  private values(unable: (message: string) => never): readonly string[] {
    const open = this.take();
    if (open.type !== '(') unable(`found '${open.text}' expected: '('`);
    const first = this.look();
    if (first.type === ')') {
      this.take();
      return [''];
    }
    if (first.type !== 'word' && first.type !== ',') unable(`found '${first.text}', expected: ',', ')' or identifier`);
    const found = new Set<string>();
    for (;;) {
      const token = this.take();
      if (token.type === 'word') {
        found.add(token.text);
        const next = this.look();
        if (next.type === ')') break;
        if (next.type !== ',') unable(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.type === ',') {
        if (found.size === 0) found.add('');
        const next = this.look();
        if (next.type === ')') {
          found.add('');
          break;
        }
        if (next.type === ',') {
          this.take();
          found.add('');
        }
      } else unable(`found '${token.text}', expected: ',', or identifier`);
    }
    this.take();
    return [...found].sort(compareText);
  }
}

function integer(text: string): bigint | undefined {
  return /^[-+]?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

const NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const NAME_PROBLEM = `${NAME_RULE} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME}')`;
const DOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const DOMAIN_PROBLEM = `a DNS-1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${DOMAIN}')`;
const VALUE_PROBLEM = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME})?')`;
const IS_NAME = new RegExp(`^${NAME}$`);
const MAX_NAME = 63;
const MAX_DOMAIN = 253;

/** What apimachinery's IsQualifiedName has against a label's key. */
function nameProblems(key: string): readonly string[] {
  const parts = key.split('/');
  if (parts.length > 2) {
    return [
      `a qualified name ${NAME_PROBLEM} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const problems: string[] = [];
  const name = parts.at(-1) as string;
  if (parts.length === 2) {
    const [prefix = ''] = parts;
    if (prefix === '') problems.push('prefix part must be non-empty');
    else {
      if (prefix.length > MAX_DOMAIN) problems.push(`prefix part must be no more than ${MAX_DOMAIN} characters`);
      // Its pieces are tested one by one: the expression above would take long over a long prefix.
      if (!prefix.split('.').every((piece) => /^[a-z0-9-]+$/.test(piece) && !/^-|-$/.test(piece)))
        problems.push(`prefix part ${DOMAIN_PROBLEM}`);
    }
  }
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > MAX_NAME) problems.push(`name part must be no more than ${MAX_NAME} characters`);
  if (!IS_NAME.test(name)) problems.push(`name part ${NAME_PROBLEM}`);
  return problems;
}

function valueProblems(value: string): readonly string[] {
  const problems: string[] = [];
  if (value.length > MAX_NAME) problems.push(`must be no more than ${MAX_NAME} characters`);
  if (value !== '' && !IS_NAME.test(value)) problems.push(VALUE_PROBLEM);
  return problems;
}
