/** The endpoints of a signal, as JSON: send, list, show, confirm or dismiss. */
import { z } from 'zod';
import type { Permitted } from '../authorization/permit.js';
import { defined } from '../domain/defined.js';
import { sha256 } from '../domain/digest.js';
import { isId } from '../domain/id.js';
import { JSON_SOURCE } from '../domain/reserved.js';
import { nameSchema } from '../domain/schemas.js';
import { SELECTOR_CHARACTERS_MAX } from '../domain/selector.js';
import { CALLER_EVENTS, LEVELS, SIGNAL_STATES, type Signal } from '../domain/signal.js';
import { toTimestamp } from '../domain/time.js';
import { ok } from './wire/endpoint.js';
import { isPrintable, printable, timestamp, wholeNumber } from './wire/fields.js';
import { brokerOperation, nothing, operation } from './wire/operation.js';
import { acceptSignal } from '../signals/accept.js';
import { subjectScope } from '../signals/authority.js';
import { decideSignal, permitDecision } from '../signals/confirm.js';
import { dismissAll } from '../signals/dismiss-all.js';
import { showSignal, showSignals, type SignalPlace, type SignalFilter } from '../signals/list.js';
import type { HttpDeps } from './deps.js';

const reason = printable(512).exactOptional();

/**
 * POST /signals/json is for sources that cannot sign event tokens. It takes the same events and subjects as POST /signals.
 */
export const jsonSignal = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'sendSignal',
    from: 'body',
    input: z.strictObject({
      /** The sender's own id: the same id with the same content is the same signal. */
      id: z.string().refine((text) => isPrintable(text, 256), 'must be 1 to 256 printable characters'),
      event: z.enum(CALLER_EVENTS),
      level: z.enum(LEVELS).default('HIGH'),
      /** A subject of RFC 9493. The code that resolves it decides about unknown members. */
      subject: z.looseObject({ format: z.string().max(64) }),
      at: timestamp.exactOptional(),
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

/** The cursor of a page, as text: `<received at>.<id>`. */
const cursor = z
  .string()
  .regex(/^\d{1,15}\.(sig_[a-z2-7]{16})?$/, 'must be the `next` of a page')
  .transform((text): SignalPlace => {
    const [receivedAt = '', id = ''] = text.split('.');
    return [Number(receivedAt), isId('sig', id) ? id : ''];
  });

const cursorText = ([receivedAt, id]: SignalPlace): string => `${receivedAt}.${id}`;

const filter = {
  subject: nameSchema(SELECTOR_CHARACTERS_MAX).exactOptional(),
  source: nameSchema().exactOptional(),
  reaction: nameSchema().exactOptional(),
};

const page = { after: cursor.exactOptional(), limit: wholeNumber(1, 500).default(100) };

/** GET /signals returns signals with their source, subject and outcome; oldest first, in pages. */
export const signalList = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: z.strictObject({
      ...filter,
      state: z.enum(SIGNAL_STATES).exactOptional(),
      ...page,
    }),
    act: (permitted, { after, limit, ...filter }) => pageOnWire(deps, permitted, filter, defined({ after, limit })),
  });

/** GET /signals/pending returns the signals that wait for a person to confirm or dismiss them. */
export const pendingSignals = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: z.strictObject({ ...filter, ...page }),
    act: (permitted, { after, limit, ...filter }) =>
      pageOnWire(deps, permitted, { ...filter, state: 'pending' }, defined({ after, limit })),
  });

/** POST /signals/dismiss dismisses what waits for a person, by a filter and so many at a time. */
export const allDismissing = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    from: 'body',
    input: z
      .strictObject({ ...filter, reason, after: cursor.exactOptional() })
      .refine((asked) => Object.keys(filter).some((name) => name in asked), 'Name a source, a reaction or a subject'),
    about: () => ({ verb: 'dismiss' }),
    async act(permitted, { reason, after, ...filter }, { requestId }) {
      const { next, ...counts } = await dismissAll(deps, permitted, defined({ filter, reason, after, requestId }));
      return ok(defined({ ...counts, next: next && cursorText(next) }));
    },
  });

async function pageOnWire(
  deps: HttpDeps,
  permitted: Permitted<'readRevocations'>,
  filter: SignalFilter,
  page: { after?: SignalPlace; limit: number },
) {
  const { signals, next } = await showSignals(deps.ledger, permitted, filter, page);
  return ok(defined({ signals: signals.map(signalOnWire), next: next && cursorText(next) }));
}

/** GET /signals/{id} returns one signal as it stands now. */
export const signalReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: nothing,
    act: async (permitted, _, { params }) =>
      ok(signalOnWire(await showSignal(deps.ledger, permitted, params['id'] ?? ''))),
  });

/** POST /signals/{id}/confirm and /dismiss take a person's decision about a reaction that would hit too much at once. */
export const signalDeciding = (deps: HttpDeps, verdict: 'confirm' | 'dismiss') =>
  operation(deps, {
    verb: 'revoke',
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
