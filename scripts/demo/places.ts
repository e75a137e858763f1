/** Where things lie, and what the API of the story is called. */
import { fileURLToPath } from 'node:url';

export const TICKETS = 'https://tickets.example';

/** Compiled, this file is dist/scripts/demo/places.js. */
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const MAIN = at('../../src/main.js');
export const CLI = at('../../src/cli/main.js');
export const TICKETS_API = at('./tickets-api.js');
export const POLICIES = at('../../../config/policies');
// Not compiled: they are read where they lie in the checkout.
export const OPENID_PROVIDER = at('../../../fakes/openid-provider.mjs');
export const PYTHON_AGENT = at('../../../scripts/demo/agent.py');
export const PYTHON_SDK = at('../../../sdk/python/src');
export const PYTHON_SEARCH = at('../../../scripts/python.mjs');
