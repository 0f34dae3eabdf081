/** Paths of the keys that one object of a valid JSON text holds twice, as sigs.k8s.io/json reports them: once each, in the order found. */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  let index = 0;
  const skip = (): void => {
    while (index < text.length && /\s/.test(text[index] as string)) index++;
  };
  const string = (): string => {
    const start = index++;
    while (text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
    index++;
    const raw = text.slice(start, index);
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  };
  // The text was parsed before, so its depth is bounded.
  const value = (path: string): void => {
    skip();
    const character = text[index];
    if (character === '{') object(path);
    else if (character === '[') array(path);
    else if (character === '"') string();
    else while (index < text.length && !/[\s,\]}]/.test(text[index] as string)) index++;
  };
  const object = (path: string): void => {
    const keys = new Map<string, boolean>();
    index++;
    for (;;) {
      skip();
      if (text[index] === '}') break;
      if (text[index] === ',') {
        index++;
        continue;
      }
      const key = string();
      const own = path === '' ? key : `${path}.${key}`;
      const reported = keys.get(key);
      skip();
      index++;
      value(own);
      if (reported === false) found.push(own);
      keys.set(key, reported !== undefined);
    }
    index++;
  };
  const array = (path: string): void => {
    index++;
    for (let item = 0; ; ) {
      skip();
      if (text[index] === ']') break;
      if (text[index] === ',') {
        index++;
        item++;
        continue;
      }
      value(`${path}[${item}]`);
    }
    index++;
  };
  value('');
  return found;
}
