// Writes docs/reference/<kind>.md from the schemas of the kinds: `npm run docs`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '../src/api/kinds/all.ts';
import { referencePage } from '../src/api/reference.ts';

const folder = join(import.meta.dirname, '../docs/reference');
mkdirSync(folder, { recursive: true });
for (const kind of kinds) writeFileSync(join(folder, `${kind.kind.toLowerCase()}.md`), referencePage(kind));
