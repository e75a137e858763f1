/** All that people read here: the pages at the top, and those of docs, of the SDKs and of the examples. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...['docs', 'sdk', 'examples'].flatMap(under),
];

/** Markdown below a folder. */
function under(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}
