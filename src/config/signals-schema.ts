/** The schema of signals: transmitters, reactions, detectors, and webhooks. */
import { z } from 'zod';
import { AUDIT_EVENT_TYPES } from '../domain/audit-event-types.js';
import { nameSchema } from '../domain/schemas.js';
import {
  FOREIGN_EVENTS,
  LEVELS,
  NARROWING_MEMBERS,
  SIGNAL_EVENTS,
  SIGNAL_STATES,
  type DETECTOR_EVENTS,
} from '../domain/signal.js';
import { algorithm, algorithms, keySource, keyUrl, name, seconds, unreservedName } from './values.js';

const DAY_SECONDS = 86_400;

export const transmitterSchema = z.strictObject({
  name: unreservedName.describe('Names it in reactions and in the audit log.'),
  issuer: z.string().min(1).describe('The `iss` claim of its events, compared byte for byte.'),
  audience: z.string().min(1).describe('The `aud` its events must have, alone.'),
  jwks: keySource.describe('Where its keys are.'),
  algorithms: algorithms(algorithm)
    .prefault(['RS256', 'ES256'])
    .describe('Signature algorithms accepted from it; any other event is refused.'),
  about: z
    .array(unreservedName)
    .min(1)
    .describe('Trust names whose workloads and persons it may speak of. Signals about others change nothing.'),
  ignoreMembers: z
    .array(z.enum(NARROWING_MEMBERS))
    .default([])
    .describe('Members of a subject that are passed over where they are unknown here: the user or workload is meant.'),
  events: z
    .record(z.string().min(1).max(512), z.enum(FOREIGN_EVENTS))
    .default({})
    .describe('What its event types mean, where it has its own: URI of the type, and the event that it is taken for.'),
  perMinute: z.int().min(1).default(600).describe('Events a minute, counted by each broker for itself; more are 429.'),
});

export const reactionSchema = z.strictObject({
  name: unreservedName.describe('Names it in answers and in the audit log.'),
  event: z.enum(SIGNAL_EVENTS).describe('What it is about.'),
  level: z.enum(LEVELS).optional().describe('Only signals of this level; default: any.'),
  from: z
    .array(nameSchema())
    .min(1)
    .optional()
    .describe('Only signals of these: transmitters by name, callers by id, `detector`; default: any.'),
  do: z
    .enum(['end', 'hold', 'cutoff', 'risk', 'record'])
    .describe('End, hold or cut off what it covers; set its risk; or only record.'),
  covers: z
    .enum(['credential', 'task', 'workload', 'principal', 'issuer'])
    .optional()
    .describe(
      'What of the subject: itself, or what it belongs to. Where the subject has no such thing, nothing is done.',
    ),
  risk: z.enum(['MEDIUM', 'HIGH']).optional().describe('With `risk`: the level that policy sees.'),
  holdSeconds: seconds(30 * DAY_SECONDS)
    .optional()
    .describe('With `hold`: lifted by itself after; default: by hand.'),
  observe: z.boolean().default(false).describe('Only say what it would have done.'),
  corroborate: z
    .strictObject({
      sources: z.int().min(2).max(8).describe('So many different sources must say it of the same subject,'),
      withinSeconds: seconds(DAY_SECONDS).describe('within this time.'),
    })
    .optional()
    .describe('How many different sources must report the same.'),
});

const threshold = (events: number, withinSeconds: number) => ({
  threshold: z.int().min(1).max(1_000_000).default(events).describe('How many make a finding,'),
  withinSeconds: seconds(3_600).default(withinSeconds).describe('within this time.'),
});

const detector = <S extends z.ZodRawShape>(shape: S, what: string) =>
  z
    .strictObject({
      observe: z
        .boolean()
        .default(true)
        .describe('Findings are recorded, and no reaction does more than say what it would do.'),
      level: z.enum(LEVELS).default('HIGH').describe('Of its findings.'),
      ...shape,
    })
    .prefault({} as never)
    .describe(what);

const detectors = z
  .strictObject({
    useAfterEnd: detector(threshold(1, 60), 'A credential is presented that was ended or revoked.'),
    outOfScope: detector(threshold(5, 600), 'So many refusals under one task in a row, for what it may not do.'),
    denialBurst: detector(threshold(30, 60), 'So many refusals of what one workload itself asks for.'),
    mintSpike: detector(
      {
        factor: z
          .number()
          .min(2)
          .max(1_000)
          .default(10)
          .describe('So many times its usual number of credentials a minute,'),
        atLeast: z.int().min(1).default(50).describe('and at least so many.'),
      },
      'A workload gets far more credentials than it used to.',
    ),
    manyPlaces: detector(
      {
        ...threshold(3, 3_600),
        threshold: z.int().min(1).max(64).default(3).describe('So many places are allowed; more make a finding,'),
      },
      'One credential is presented from more places than are allowed, as resource servers report.',
    ),
    endedIdentity: detector(threshold(5, 60), 'A token that a hold or cutoff refuses is presented again and again.'),
    canaryUsed: detector({}, 'A credential that was made to be found is presented.'),
  } satisfies Record<string, z.ZodType>)
  .prefault({})
  .describe('What the broker notices by itself.');

export const signalsSchema = z
  .strictObject({
    transmitters: z.array(transmitterSchema).prefault([]).describe('Who may push Security Event Tokens.'),
    about: z
      .array(unreservedName)
      .optional()
      .describe('Trust names that callers of /signals/json may speak of, where policy lets them; default: all.'),
    reactions: z
      .array(reactionSchema)
      .default([])
      .describe('The first that fits is taken; without one a signal is recorded.'),
    maxPartiesPerMinute: z
      .union([z.int().min(0).max(1_000), z.literal('unlimited')])
      .default(100)
      .describe(
        'Workloads and persons of one trust entry that one source may hit by one reaction in 60 seconds; beyond it a person must confirm.',
      ),
    dedupeSeconds: seconds(3_600, 0)
      .default(60)
      .describe('The same reaction to the same subject is not repeated within.'),
    riskStepSeconds: seconds(DAY_SECONDS).default(3_600).describe('How long a risk stays before it falls by a level.'),
    detectors,
  })
  .prefault({})
  .describe('Signals about workloads, persons, tasks and credentials, and what is done about them.');

/** The setting of each detector, by the event that it raises. */
export const DETECTOR_OF = {
  'use-after-end': 'useAfterEnd',
  'out-of-scope': 'outOfScope',
  'denial-burst': 'denialBurst',
  'mint-spike': 'mintSpike',
  'many-places': 'manyPlaces',
  'ended-identity': 'endedIdentity',
  'canary-used': 'canaryUsed',
} as const satisfies Record<(typeof DETECTOR_EVENTS)[number], keyof z.output<typeof detectors>>;

/** What a webhook may ask for: types of audit entries, their first words, or the state in which an evaluated signal was left. */
const WEBHOOK_TYPES: ReadonlySet<string> = new Set([
  ...AUDIT_EVENT_TYPES.flatMap((type) => [type, type.split('.', 1)[0] ?? type]),
  ...SIGNAL_STATES.filter((state) => state !== 'accepted').map((state) => `signal.${state}`),
]);

/** Names that look like a type of audit entry, or were one in an older version, and what to ask for instead. */
const INSTEAD = new Map([
  ['task.ended', 'the end of a task is a `revocation.published` entry'],
  ['task.suspended', 'a suspension is a `revocation.published` entry'],
  ['task.resumed', 'a resumption is a `revocation.published` entry'],
  ['signal.judged', 'it is `signal.evaluated` now'],
  ['target.told', 'it is `target.synced` now'],
  ['target.deaf', 'it is `target.sync_failed` now'],
  ['signal.accepted', 'an entry is written once a signal is evaluated: ask for `signal` or for a later state'],
]);

const webhookType = z.string().refine((text) => WEBHOOK_TYPES.has(text), {
  error: ({ input }) => {
    const instead = INSTEAD.get(String(input));
    const reason = 'is no type of audit entry, nor the first word of one';
    return instead === undefined ? reason : `${reason}: ${instead}`;
  },
});

export const webhookSchema = z.strictObject({
  name: name.describe('Names it in metrics and in the list of what could not be delivered.'),
  url: keyUrl.describe('Where CloudEvents are posted, signed by the broker.'),
  types: z
    .array(webhookType)
    .min(1)
    .default(['revocation', 'signal'])
    .describe(
      'Types of audit entries, their first words, or what became of a signal: `revocation`, `signal.reacted`. Emergencies go to all.',
    ),
  ca: z.string().min(1).optional().describe('PEM certificates to trust for this URL instead of those of the system.'),
  giveUpSeconds: seconds(7 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .describe('An event that the receiver does not accept is given up after this time.'),
});

export const notifySchema = z.array(webhookSchema).default([]).describe('Webhooks that receive events.');

export type SignalsConfig = z.output<typeof signalsSchema>;
export type Transmitter = z.output<typeof transmitterSchema>;
export type Reaction = z.output<typeof reactionSchema>;
export type Webhook = z.output<typeof webhookSchema>;
