/** The endpoints of the revocation feed. What a verifier hears, and what it makes of it, is in docs/feed.md. */
import { z } from 'zod';
import { auditingRefusals, nobody } from '../authorization/audit.js';
import type { Permitted } from '../authorization/permission.js';
import { permitOnBroker } from '../authorization/permit-on-broker.js';
import { defined } from '../domain/defined.js';
import { partyCauses } from '../domain/hangs-on.js';
import { parseEpoch, type Epoch } from '../domain/liveness.js';
import { natural } from '../domain/schemas.js';
import type { Subscription } from '../feed/feed.js';
import { ACKNOWLEDGED_MOST, WAITED_MS_MOST } from '../protocol/feed.js';
import { json } from './wire/contract.js';
import { ok, type Call } from './wire/endpoint.js';
import { printable } from './wire/fields.js';
import { brokerOperation } from './wire/operation.js';
import type { HttpDeps } from './deps.js';

const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store, no-transform',
  // nginx would otherwise keep events back until it has a buffer full of them.
  'X-Accel-Buffering': 'no',
};

const instance = printable(64).describe('Which of the instances of the caller this is: a pod, a host.');
/** GET /revocations/feed says what is dead, and from then on what dies. */
export const revocationFeed = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'followFeed',
    summary:
      'Says what is dead, and from then on everything that dies, until either side ends it. The request header ' +
      '`Last-Event-ID` goes on from an event. The events, and what a verifier makes of them: [feed.md](feed.md).',
    answers: { 200: { 'text/event-stream': 'Server-sent events.' } },
    within: ({ id }) => deps.assertFeedWithin.streams(id),
    from: 'query',
    input: z.strictObject({ instance: instance.exactOptional() }),
    async act(permitted, { instance }, call) {
      const { texts, cut } = await deps.feed.subscribe(subscriptionOf(deps, permitted, call, instance));
      return { ...ok(texts), headers: HEADERS, endless: { cut } };
    },
  });

/** POST /revocations/feed/ack says what a verifier has applied. */
export const feedAcknowledgement = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'followFeed',
    summary:
      'Says which entries of the feed a verifier has applied, and when: the time to deny is measured by it, and receipts ' +
      'name who knew. Many entries go in one call; any broker takes it.',
    answers: {
      200: json(z.strictObject({ measured: natural.describe('Not those that are no longer kept here.') })),
    },
    refusals: ['conflict'],
    within: ({ id }) => deps.assertFeedWithin.acknowledgements(id),
    from: 'body',
    input: z.strictObject({
      generation: printable(64).describe('The generation that the entries are of.'),
      instance: instance.exactOptional(),
      applied: z
        .array(
          z.strictObject({
            seq: z.int().min(1).describe('The number of the entry.'),
            waitedMs: z
              .int()
              .min(0)
              .max(WAITED_MS_MOST)
              .default(0)
              .describe('For how many milliseconds it was applied when this request was sent, by your own clock.'),
          }),
        )
        .min(1)
        .max(ACKNOWLEDGED_MOST),
    }),
    act: async ({ caller }, { generation, instance, applied }) =>
      ok({
        measured: await deps.feed.acknowledge(defined({ verifier: caller.party.id, instance, generation, applied })),
      }),
  });

function subscriptionOf(
  deps: HttpDeps,
  { caller }: Permitted<'followFeed'>,
  { headers, requestId }: Call,
  instance: string | undefined,
): Subscription {
  const { party, expiresAt } = caller;
  const asked = { type: 'operation.refused', verb: 'followFeed', requestId, charged: nobody } as const;
  return defined({
    party: party.id,
    instance,
    causes: partyCauses(party),
    from: lastEvent(headers['last-event-id']),
    validMs: expiresAt - deps.ledger.clock.now(),
    admit: () => auditingRefusals(deps, caller, asked, () => permitOnBroker(deps, caller, 'followFeed')),
  });
}

/** Whoever sends what is no id of an event gets everything, as one who sends none. */
function lastEvent(id: string | string[] | undefined): Epoch | undefined {
  try {
    return typeof id === 'string' ? parseEpoch(id) : undefined;
  } catch {
    return undefined;
  }
}
