import { isArray, isObject, type Json, type MutableJsonObject, put } from '../../base/json.ts';

const HIDDEN = '***';
/** Shorter secrets are only hidden where they are a whole value: as a part of others they would hide everything. */
const MIN_PART = 3;
/** A line of a key or a certificate; shorter ones (`}`) stand everywhere. */
const MIN_LINE = 8;

/** Texts that came from Secrets, hidden in whatever is printed. */
export class SecretTexts {
  private readonly whole = new Set<string>();
  private parts: readonly string[] | undefined;

  /** Every text and number in `value` is secret from now on. */
  add(value: Json): void {
    if (isArray(value)) value.forEach((item) => this.add(item));
    else if (isObject(value)) for (const key of Object.keys(value)) this.add(value[key] as Json);
    else if (typeof value === 'string') this.addText(value);
    else if (typeof value === 'number' || typeof value === 'bigint') this.addText(String(value));
  }

  private addText(text: string): void {
    const forms = [text, text.trim(), ...text.split('\n').filter((line) => line.trim().length >= MIN_LINE)];
    for (const form of forms.map((one) => one.trim()).concat(text)) {
      if (form === '') continue;
      this.whole.add(form);
      // As templates write them: `b64enc`, `toJson`, `urlquery`.
      this.whole.add(Buffer.from(form).toString('base64'));
      this.whole.add(JSON.stringify(form).slice(1, -1));
      this.whole.add(encodeURIComponent(form));
    }
    this.parts = undefined;
  }

  /** `value` without what is secret. */
  hide(value: Json): Json {
    if (this.whole.size === 0) return value;
    if (isArray(value)) return value.map((item) => this.hide(item));
    if (typeof value === 'string') return this.hideText(value);
    if (typeof value === 'number' || typeof value === 'bigint') return this.whole.has(String(value)) ? HIDDEN : value;
    if (!isObject(value)) return value;
    const out: MutableJsonObject = {};
    for (const key of Object.keys(value)) put(out, key, this.hide(value[key] as Json));
    return out;
  }

  hideText(text: string): string {
    if (this.whole.has(text.trim())) return HIDDEN;
    // Longer ones first: one may hold another.
    this.parts ??= [...this.whole].filter((part) => part.length >= MIN_PART).sort((a, b) => b.length - a.length);
    return this.parts.reduce((shown, part) => (shown.includes(part) ? shown.replaceAll(part, HIDDEN) : shown), text);
  }
}
