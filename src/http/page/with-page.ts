/** An endpoint of the API that shows browsers a page in the place of its JSON. */
import type { HttpDeps } from '../deps.js';
import { described, type Described } from '../wire/contract.js';
import { shown, type ForSession } from './paged.js';

/** Where no page is configured, a browser gets what everybody gets. */
export const withPage = (deps: HttpDeps, api: Described, page: string, show: ForSession): Described =>
  described({ ...api.contract, page }, (call) =>
    deps.login && call.headers.accept?.includes('text/html') ? shown(deps, call, show) : api(call),
  );
