/** npm run pages: writes what is committed and made from the code: parts of docs/, the client in the GitHub Action, and cases for verifiers. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ACTION_LIBRARY, actionFiles } from './action.js';
import { PAGES, pageText } from './pages.js';
import { VECTORS, vectorsText } from './vectors.js';

for (const path of PAGES) writeFileSync(path, await pageText(path));

rmSync(ACTION_LIBRARY, { recursive: true, force: true });
for (const [path, text] of await actionFiles()) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

mkdirSync(dirname(VECTORS), { recursive: true });
writeFileSync(VECTORS, await vectorsText());
