/** npm run pages: writes the parts of docs/ that are made from the code. */
import { writeFileSync } from 'node:fs';
import { PAGES, pageText } from './pages.js';

for (const path of PAGES) writeFileSync(path, await pageText(path));
