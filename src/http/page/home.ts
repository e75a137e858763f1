/** The page that a person comes to who has signed in. */
import type { HttpDeps } from '../deps.js';
import { pageOf } from './frame.js';
import { html } from './html.js';
import { browserEndpoint, shown } from './paged.js';
import { personOf } from './session.js';

export const home = (deps: HttpDeps) =>
  browserEndpoint(
    deps,
    { summary: 'Shows who has signed in.', proof: 'session', page: 'Who has signed in, or the way to do so.' },
    (call) =>
      shown(deps, call, (_, session) => {
        const body = html`<p>Open the address that the message about a request has.</p>`;
        return Promise.resolve(pageOf({ title: 'Approvals', person: personOf(session), body }));
      }),
  );
