/** The endpoints of a mute: silence a source of signals for a while, list what is silenced, end it before its time. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { nameSchema } from '../domain/schemas.js';
import { toTimestamp } from '../domain/time.js';
import type { Mute } from '../ledger/mutes.js';
import { MUTED_SECONDS_MAX, muteSource, permitMuting, showMutes, unmuteSource } from '../signals/mute.js';
import type { HttpDeps } from './deps.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { printable } from './wire/fields.js';
import { brokerOperation, nothing, operation } from './wire/operation.js';

const needs = '`revoke` of `all`, effect `lift`';

const muteAnswer = z
  .strictObject({
    source: z.string(),
    by: z.string().describe('Who muted it.'),
    at: time(),
    until: time(),
    reason: z.string().exactOptional(),
  })
  .meta({ id: 'Mute', description: 'A source of signals on which no reaction acts for a while.' });

/** POST /signals/mutes: until then the reports of a source are recorded, and no reaction acts on them. */
export const muting = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    summary: 'Mutes a source of signals for a while: its reports are recorded, and no reaction acts on them.',
    needs,
    answers: { 200: json(muteAnswer) },
    from: 'body',
    input: z.strictObject({
      source: nameSchema().describe('The name of a transmitter, the id of a caller, or `detector`.'),
      seconds: z.int().min(1).max(MUTED_SECONDS_MAX).default(MUTED_SECONDS_MAX).describe('For so long.'),
      reason: printable(512).exactOptional().describe('For the audit log.'),
    }),
    charged: () => 'caller',
    permit: (caller, { source }) => permitMuting(deps, caller, source),
    about: () => ({ verb: 'mute' }),
    act: async (permitted, input, { requestId }) =>
      ok(muteOnWire(await muteSource(deps, permitted, { ...input, requestId }))),
  });

/** GET /signals/mutes returns what is muted now. */
export const muteList = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Lists what is muted now.',
    answers: { 200: json(z.strictObject({ mutes: z.array(muteAnswer) })) },
    from: 'query',
    input: nothing,
    act: async (permitted) => ok({ mutes: (await showMutes(permitted, deps.ledger)).map(muteOnWire) }),
  });

/** DELETE /signals/mutes/{source} ends a mute. Reactions act on what is reported from then on. */
export const unmuting = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    summary: 'Ends a mute. Reactions act on what is reported from then on.',
    needs,
    path: { source: 'The source, as it is or percent-encoded.' },
    answers: { 200: json(muteAnswer) },
    refusals: ['not_found'],
    from: 'query',
    input: nothing,
    charged: () => 'caller',
    permit: (caller, _, { params }) => permitMuting(deps, caller, params['source'] ?? ''),
    about: () => ({ verb: 'unmute' }),
    act: async (permitted, _, { requestId }) => ok(muteOnWire(await unmuteSource(deps, permitted, { requestId }))),
  });

const muteOnWire = ({ source, by, at, until, reason }: Mute) =>
  defined({ source, by, at: toTimestamp(at), until: toTimestamp(until), reason });
