/** POST /introspect/wait: the end of a credential, told in the moment of it to whoever stands where it is used. */
import { z } from 'zod';
import { introspectWithEnd } from '../../credentials/introspect.js';
import { defined } from '../../domain/defined.js';
import { WAITED_MS_MOST } from '../../protocol/feed.js';
import type { HttpDeps } from '../deps.js';
import { authenticate } from '../wire/authenticate.js';
import { readJson } from '../wire/body.js';
import { described, json, type Contract } from '../wire/contract.js';
import { ok } from '../wire/endpoint.js';
import { printable } from '../wire/fields.js';

/** Proxies on the way close a connection that is silent for half a minute. */
const WAIT_SECONDS_MOST = 20;

const body = z.strictObject({
  token: z.string().describe('The credential that is in use at yours.'),
  seconds: z.int().min(1).max(WAIT_SECONDS_MOST).default(WAIT_SECONDS_MOST).describe('How long to wait at most.'),
  instance: printable(64).exactOptional().describe('Which of your processes this is, for receipts of revocations.'),
  deniedMs: z
    .int()
    .min(0)
    .max(WAITED_MS_MOST)
    .exactOptional()
    .describe('Instead of waiting: it is dead, and for so many milliseconds it has been out of use at yours.'),
});

const contract: Contract = {
  summary:
    'Waits for the end of a credential, and answers in the moment of it. The time to deny is measured, and receipts ' +
    'name who knew, where the call is repeated with `deniedMs`.',
  proof: 'bearer',
  needs: 'as for `POST /introspect`; where that is missing, the answer is `{"active":false}` at once',
  body,
  answers: {
    200: json(
      z.union([
        z.strictObject({ active: z.literal(false) }).describe('Not live any more, or not for you to know.'),
        z.strictObject({
          active: z.literal(true),
          waitedMs: z
            .int()
            .describe('It was alive so many milliseconds after you sent the question, or later. Ask again at once.'),
        }),
      ]),
    ),
  },
  refusals: ['conflict'],
};

export const introspectionWait = (deps: HttpDeps) =>
  described(contract, async (call) => {
    const { clock } = deps.ledger;
    const caller = await authenticate(deps, call);
    const { token, seconds, instance, deniedMs } = readJson(call, body);
    if (deniedMs !== undefined) await deps.assertFeedWithin.acknowledgements(caller.party.id);
    const who = defined({ verifier: caller.party.id, instance, by: 'wait' as const });
    // Nobody presents the token at this moment: a dead one is no sign of a theft.
    const look = () => introspectWithEnd(deps, caller, { token, isWatched: true, requestId: call.requestId });
    const from = clock.elapsed();
    const wait = deniedMs === undefined ? await deps.feed.listen(who) : undefined;
    let found = await look();
    let waitedMs = 0;
    if (wait && found.claims) {
      const { causes, exp } = found.claims;
      await wait(causes, Math.min(seconds * 1000, exp * 1000 - clock.now()));
      waitedMs = Math.floor(clock.elapsed() - from);
      found = await look();
    }
    if (found.claims) return ok({ active: true, waitedMs });
    const { endedBy } = found;
    if (deniedMs !== undefined && endedBy)
      await deps.feed.acknowledge({
        ...who,
        generation: endedBy.generation,
        applied: [{ seq: endedBy.seq, waitedMs: deniedMs }],
      });
    return ok({ active: false });
  });
