/** The endpoints of a signal, as JSON: send, list, show, confirm or dismiss. */
import { z } from 'zod';
import type { Permitted } from '../authorization/permission.js';
import { defined } from '../domain/defined.js';
import { sha256 } from '../domain/digest.js';
import { JSON_SOURCE } from '../domain/reserved.js';
import { nameSchema, natural } from '../domain/schemas.js';
import { SELECTOR_CHARACTERS_MAX } from '../domain/selector.js';
import { CALLER_EVENTS, LEVELS, reactionSchema, SIGNAL_STATES, type Signal } from '../domain/signal.js';
import { toTimestamp } from '../domain/time.js';
import { selectorAnswer } from './wire/answers.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { cursor, cursorText } from './wire/cursor.js';
import { printable, timestamp, wholeNumber } from './wire/fields.js';
import { brokerOperation, nothing, operation } from './wire/operation.js';
import { acceptSignal } from '../signals/accept.js';
import { subjectScope } from '../signals/authority.js';
import { decideSignal, permitDecision } from '../signals/confirm.js';
import { dismissAll } from '../signals/dismiss-all.js';
import { showSignal, showSignals, type SignalFilter, type SignalPlace } from '../signals/list.js';
import type { HttpDeps } from './deps.js';

const reason = printable(512).exactOptional().describe('In words, for people.');

const signalAnswer = z
  .strictObject({
    id: z.string(),
    source: z.string().describe('The name of the transmitter, the id of the caller, or `detector`.'),
    event: z.string().describe('What happened; `unknown` has no meaning here, and is never acted upon.'),
    level: z.enum(LEVELS),
    about: z
      .array(selectorAnswer)
      .describe('Whom it is about: what all of these hold for. Empty if none is known here.'),
    at: time().describe('When it happened, by its source.'),
    receivedAt: time(),
    reason: z.string().exactOptional(),
    state: z
      .enum(SIGNAL_STATES)
      .describe(
        'What became of it: [signals.md](signals.md). `pending` waits for a person, `waiting` for a second source.',
      ),
    reaction: reactionSchema.optional().describe('What a reaction did, or would have done.'),
    unfinished: z.literal(true).exactOptional().describe('The state is decided, and is carried out within seconds.'),
    decided: z
      .strictObject({ by: z.string(), at: time(), reason: z.string().exactOptional() })
      .exactOptional()
      .describe('Who confirmed or dismissed it.'),
  })
  .meta({ id: 'Signal', description: 'What a source reported, and what became of it.' });

const pageAnswer = z.strictObject({
  signals: z.array(signalAnswer),
  next: z.string().exactOptional().describe('The `after` of the next page; absent on the last.'),
});

const path = { id: 'The id of the signal.' };

/**
 * POST /signals/json is for sources that cannot sign event tokens. It takes the same events and subjects as POST /signals.
 */
export const jsonSignal = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'sendSignal',
    summary: 'Takes a signal of a source that cannot sign event tokens. The answer comes when it is durable.',
    answers: { 202: json(z.strictObject({ id: z.string().describe('The id of the signal here.') })) },
    refusals: ['conflict', 'quota_exceeded'],
    from: 'body',
    input: z.strictObject({
      id: printable(256).describe("The sender's own id: the same again is the same signal."),
      event: z.enum(CALLER_EVENTS).describe('What happened.'),
      level: z.enum(LEVELS).default('HIGH').describe('How bad it is.'),
      // The code that resolves the subject decides about unknown members.
      subject: z
        .looseObject({ format: z.string().max(64) })
        .describe('Whom it is about: a subject identifier of RFC 9493.'),
      at: timestamp.exactOptional().describe('When it happened. Default: now.'),
      reason,
    }),
    async act({ caller }, input) {
      const { id: itsId, at = deps.ledger.clock.unchecked(), ...rest } = input;
      const source = caller.party.id;
      const about = subjectScope(deps.settings, source);
      const digest = sha256(JSON.stringify(input));
      const { id, put } = await acceptSignal(deps, { source, about, itsId, digest, at, ...rest });
      deps.metrics.signal(JSON_SOURCE, input.event, put);
      return { status: 202, body: { id } };
    },
  });

const filter = {
  subject: nameSchema(SELECTOR_CHARACTERS_MAX).exactOptional().describe('An id, or `kind:id`.'),
  source: nameSchema().exactOptional().describe('The name of a transmitter, the id of a caller, or `detector`.'),
  reaction: nameSchema().exactOptional().describe('The name of the reaction that fits.'),
};

const paging = (deps: HttpDeps) => ({
  after: cursor(deps, 'signals').exactOptional().describe('The `next` of the page before.'),
  limit: wholeNumber(1, 500).default(100).describe('So many at most. Default: 100.'),
});

/** GET /signals returns signals with their source, subject and outcome; oldest first, in pages. */
export const signalList = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Lists signals, oldest first, each with what became of it.',
    answers: { 200: json(pageAnswer) },
    from: 'query',
    input: z.strictObject({
      ...filter,
      state: z.enum(SIGNAL_STATES).exactOptional(),
      ...paging(deps),
    }),
    act: (permitted, { after, limit, ...filter }) => pageOnWire(deps, permitted, filter, defined({ after, limit })),
  });

/** GET /signals/pending returns the signals that wait for a person to confirm or dismiss them. */
export const pendingSignals = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Lists the signals that wait for a person.',
    answers: { 200: json(pageAnswer) },
    from: 'query',
    input: z.strictObject({ ...filter, ...paging(deps) }),
    act: (permitted, { after, limit, ...filter }) =>
      pageOnWire(deps, permitted, { ...filter, state: 'pending' }, defined({ after, limit })),
  });

/** POST /signals/dismiss dismisses what waits for a person, by a filter and so many at a time. */
export const allDismissing = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Dismisses what waits for a person, by a filter and at most 500 at a time.',
    needs: '`readRevocations`, and `revoke` of what each reaction wants',
    answers: {
      200: json(
        z.strictObject({
          dismissed: natural,
          refused: natural.describe('Those that policy does not let the caller decide: they are pending as before.'),
          next: z.string().exactOptional().describe('The `after` of the next call; absent when all were looked at.'),
        }),
      ),
    },
    from: 'body',
    input: z
      .strictObject({
        ...filter,
        reason,
        after: cursor(deps, 'signals').exactOptional().describe('The `next` of the call before.'),
      })
      .refine((asked) => Object.keys(filter).some((name) => name in asked), 'Name a source, a reaction or a subject'),
    about: () => ({ verb: 'dismiss' }),
    async act(permitted, { reason, after, ...filter }, { requestId }) {
      const { next, ...counts } = await dismissAll(deps, permitted, defined({ filter, reason, after, requestId }));
      return ok(defined({ ...counts, next: next && cursorText(deps, 'signals', next) }));
    },
  });

async function pageOnWire(
  deps: HttpDeps,
  permitted: Permitted<'readRevocations'>,
  filter: SignalFilter,
  page: { after?: SignalPlace; limit: number },
) {
  const { signals, next } = await showSignals(deps.ledger, permitted, filter, page);
  return ok(defined({ signals: signals.map(signalOnWire), next: next && cursorText(deps, 'signals', next) }));
}

/** GET /signals/{id} returns one signal as it stands now. */
export const signalReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Shows one signal as it stands now.',
    path,
    answers: { 200: json(signalAnswer) },
    refusals: ['not_found'],
    from: 'query',
    input: nothing,
    act: async (permitted, _, { params }) =>
      ok(signalOnWire(await showSignal(deps.ledger, permitted, params['id'] ?? ''))),
  });

/** POST /signals/{id}/confirm and /dismiss take a person's decision about a reaction that would hit too much at once. */
export const signalDeciding = (deps: HttpDeps, verdict: 'confirm' | 'dismiss') =>
  operation(deps, {
    verb: 'revoke',
    summary:
      verdict === 'confirm'
        ? 'Has a pending reaction carried out. Policy is asked about the revocation that it wants; about a `hold` for a risk.'
        : 'Drops a pending reaction for good. Policy is asked as for confirming it.',
    path,
    answers: { 200: json(signalAnswer) },
    refusals: ['not_found', 'conflict'],
    from: 'body',
    input: z.strictObject({ reason }),
    charged: () => 'nobody',
    permit: (caller, _, { params }) => permitDecision(deps, caller, params['id'] ?? ''),
    about: () => ({ verb: verdict }),
    act: async (permitted, input) => ok(signalOnWire(await decideSignal(deps, permitted, { ...input, verdict }))),
  });

const signalOnWire = ({ id, source, event, level, about, reason, state, reaction, decided, ...times }: Signal) =>
  defined({
    id,
    source,
    event,
    level,
    about,
    at: toTimestamp(times.at),
    receivedAt: toTimestamp(times.receivedAt),
    reason,
    state,
    reaction,
    // The state is decided, but its consequence is not carried out yet. That follows within seconds.
    ...(times.unfinished && { unfinished: true }),
    decided: decided && defined({ by: decided.by, at: toTimestamp(decided.at), reason: decided.reason }),
  });
