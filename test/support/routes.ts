/** The route table is written one line a route; read as text, so that it need not be started. */
import { readFileSync } from 'node:fs';

export const ROUTES: readonly { method: string; path: string }[] = [
  ...readFileSync('src/http/server.ts', 'utf8').matchAll(/\b(?:ours|oauth|container)\('([A-Z]+)', '([^']+)'/g),
].map(([, method = '', path = '']) => ({ method, path }));
