/** Security Event Tokens (RFC 8417) as SSF 1.0 restricts them, with subjects by RFC 9493. Only shapes are checked here. */
import { z } from 'zod';

/** The `typ` of the header: RFC 8417 §2.3. */
export const SET_TYP = 'secevent+jwt';
/** The media type of a push: RFC 8935 §2. */
export const SET_CONTENT_TYPE = 'application/secevent+jwt';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const OAUTH = 'https://schemas.openid.net/secevent/oauth/event-type/';
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type/';

const NAMES = [
  [
    CAEP,
    ['session-revoked', 'credential-change', 'risk-level-change', 'device-compliance-change', 'assurance-level-change'],
  ],
  [
    RISC,
    [
      'account-disabled',
      'account-purged',
      'account-credential-change-required',
      'credential-compromise',
      'sessions-revoked',
    ],
  ],
  [OAUTH, ['tokens-revoked']],
  [SSF, ['verification', 'stream-updated']],
] as const;

/** The event types that have a meaning here: URI → the last part of it. */
export const EVENT_NAMES: ReadonlyMap<string, (typeof NAMES)[number][1][number]> = new Map(
  NAMES.flatMap(([base, names]) => names.map((name) => [`${base}${name}`, name] as const)),
);

/** The `err` of a refused push: RFC 8935 §2.4. */
export type SetErrorCode =
  'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience' | 'authentication_failed' | 'access_denied';

const text = z.string().min(1).max(2048);

/**
 * Returns a subject in the form of RFC 9493, where it has one of the forms of the drafts before it: `subject_type: iss-sub`, as
 * Google writes it, and a complex subject without `format`, as Okta writes it. Anything else stays as it is.
 */
function modernised(subject: unknown): unknown {
  if (!isObject(subject) || 'format' in subject) return subject;
  const { subject_type: type, ...members } = subject;
  if (typeof type === 'string') return { ...members, format: type.replaceAll('-', '_') };
  const isComplex = type === undefined && Object.values(members).every(isObject);
  return isComplex ? { ...members, format: 'complex' } : subject;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * One subject: RFC 9493 §3.2, and `jwt_id` of SSF 1.0 §3.2.2. A member that the format does not have is refused (RFC 9493 §3): the
 * sender may mean it to narrow the subject.
 */
const simpleSubjectSchema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal('account'), uri: text }),
  z.strictObject({ format: z.literal('email'), email: text }),
  z.strictObject({ format: z.literal('iss_sub'), iss: text, sub: text }),
  z.strictObject({ format: z.literal('jwt_id'), iss: text, jti: text }),
  z.strictObject({ format: z.literal('opaque'), id: text }),
  z.strictObject({ format: z.literal('uri'), uri: text }),
]);
export type SimpleSubject = z.infer<typeof simpleSubjectSchema>;

/** Any subject: its `format`, and members that depend on the format. */
export const subjectSchema = z.preprocess(modernised, z.looseObject({ format: z.string().max(64) }));

/** Returns the subject if it has one of the simple formats, else undefined. Never throws. */
export const simpleSubject = (subject: unknown): SimpleSubject | undefined =>
  simpleSubjectSchema.safeParse(modernised(subject)).data;

/** Several names of one subject: RFC 9493 §3.2.8. An `aliases` within `aliases` is not allowed there. */
export const aliasesSchema = z.strictObject({
  format: z.literal('aliases'),
  identifiers: z.array(subjectSchema).min(1).max(16),
});

/**
 * Since 1970, up to the year 9999: RFC 3339 can write no later moment. RFC 7519 §2 lets a time have a fraction, and some issuers
 * write one. It is dropped, as in identity tokens.
 */
const seconds = z.number().nonnegative().max(253_402_300_799).transform(Math.floor);

/**
 * The claims of a SET: RFC 8417 §2.2, SSF 1.0 §4.1. `exp` and `sub` are forbidden, so that no SET passes for an identity
 * token. Seconds. A claim that nobody reads, such as `txn`, has no place here: whatever it is, it refuses nothing.
 */
export const setClaimsSchema = z.looseObject({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string()).max(16)]),
  iat: seconds,
  jti: z.string().min(1).max(512),
  exp: z.undefined().optional(),
  sub: z.undefined().optional(),
  /** The moment at which the event happened. Seconds. An alarm is not lost because it says no time that can be read. */
  toe: seconds.optional().catch(undefined),
  sub_id: z.unknown().optional(),
  events: z.record(z.string(), z.looseObject({})),
});
export type SetClaims = z.infer<typeof setClaimsSchema>;

/** The members of CAEP 1.0 events that are used here. A member of the wrong type counts as absent, so that it hides no other. */
export const eventFactsSchema = z.looseObject({
  /** Seconds, as everywhere in SSF, and not milliseconds. */
  event_timestamp: seconds.optional().catch(undefined),
  /** In any case of letters: Okta writes `low`. */
  current_level: z
    .string()
    .toUpperCase()
    .pipe(z.enum(['LOW', 'MEDIUM', 'HIGH']))
    .optional()
    .catch(undefined),
  current_status: z.enum(['compliant', 'not-compliant']).optional().catch(undefined),
  change_type: z.enum(['create', 'revoke', 'update', 'delete']).optional().catch(undefined),
  change_direction: z.enum(['increase', 'decrease']).optional().catch(undefined),
  /** Texts by language tag: CAEP 1.0 §2. Only the first is looked at. */
  reason_admin: z.looseObject({}).optional().catch(undefined),
  state: z.string().max(512).optional().catch(undefined),
  status: z.string().max(64).optional().catch(undefined),
  /** The subject, where older transmitters put it: within the event. */
  subject: z.unknown().optional(),
});
