/** What each error of STS means: the answer for the caller, the warning for the operator, and how long the role backs off. */
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { toSeconds } from '../../domain/time.js';
import {
  STS_BUSY_BACK_OFF_MS,
  STS_CONFIGURATION_BACK_OFF_MS,
  STS_UNVERIFIED_BACK_OFF_MS,
} from '../../domain/timing.js';
import { KEY_NOT_RETRIEVED, UNREACHABLE, type Answer } from './answer.js';
import type { OperatorWarning } from './context.js';

interface Failure {
  /** A refusal; or a plain Error, which becomes a 500, where the broker itself was wrong. */
  error: Error;
  backOffMs: number;
  warning?: Pick<OperatorWarning, 'what' | 'advice'>;
}

interface Meaning {
  refuse: (answer: Answer) => Error;
  backOffMs?: number;
  warning?: Failure['warning'];
}

/**
 * Returns what an answer of STS means. An error that is not in the table means that AWS did not understand the request,
 * which is a bug of the broker.
 */
export function failureOf(answer: Answer): Failure {
  const { refuse, backOffMs = 0, warning } = MEANINGS.get(answer.name) ?? misunderstood;
  return defined({ error: refuse(answer), backOffMs, warning });
}

/** The caller gets no details: what is wrong with the account is for the operator, who gets a warning. */
const NOT_SET_UP = 'The broker cannot get sessions of this role.';

/** The caller may ask again when the role no longer backs off. */
const later = (text: string, backOffMs: number, warning?: Failure['warning']): Meaning =>
  defined({
    refuse: ({ trace }: Answer) =>
      new BrokerError('temporarily_unavailable', text, { retryAfterSeconds: toSeconds(backOffMs), cause: trace }),
    backOffMs,
    warning,
  });

const notSetUp = ({ trace }: Answer) => new BrokerError('invalid_target', NOT_SET_UP, { cause: trace });

function tooLarge({ percent, trace }: Answer): BrokerError {
  const size = percent === undefined ? 'more than' : `${percent}% of`;
  const text = `Packed by AWS, the session policy and the tags take ${size} what a session has room for.`;
  return new BrokerError('invalid_target', text, { retry: 'with-less', cause: trace });
}

const broken = (what: OperatorWarning['what'], advice: string): Meaning => ({
  refuse: notSetUp,
  backOffMs: STS_CONFIGURATION_BACK_OFF_MS,
  warning: { what, advice },
});

const misunderstood: Meaning = {
  refuse: ({ trace }) => trace,
  warning: {
    what: 'refused-as-malformed',
    advice: 'Is aws.lifetimeMax above the maximum session duration of the role? Otherwise this is a bug of the broker.',
  },
};

const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  [UNREACHABLE, later('AWS STS does not answer at present.', STS_BUSY_BACK_OFF_MS)],
  [
    'Throttling',
    later('AWS STS takes no more requests at present.', STS_BUSY_BACK_OFF_MS, {
      what: 'throttled',
      advice: 'Lower aws.mintsPerSecond, or have the quota of the account raised.',
    }),
  ],
  [
    'IDPCommunicationError',
    later('AWS STS could not verify the broker at present.', STS_UNVERIFIED_BACK_OFF_MS, {
      what: 'identity-provider',
      advice: "AWS cannot fetch the discovery document or the keys of the broker's issuer: are they on the internet?",
    }),
  ],
  [
    KEY_NOT_RETRIEVED,
    later('AWS STS could not verify the broker at present.', STS_UNVERIFIED_BACK_OFF_MS, {
      what: 'identity-provider',
      advice: "AWS could not retrieve the keys of the broker's issuer, three times.",
    }),
  ],
  [
    'ExpiredToken',
    later('AWS STS and the broker disagree about the time.', STS_UNVERIFIED_BACK_OFF_MS, {
      what: 'clock',
      advice: 'A token of a minute had expired when it arrived, twice: check the clock of this host.',
    }),
  ],
  [
    'AccessDenied',
    broken(
      'trust-policy',
      "The trust policy of the role must allow the broker's OIDC provider sts:AssumeRoleWithWebIdentity, sts:TagSession and sts:SetSourceIdentity, for its audience and for subjects wl:*.",
    ),
  ],
  [
    'InvalidIdentityToken',
    broken(
      'identity-provider',
      "AWS does not accept the broker's token: compare issuer, audience and published keys with the OIDC provider in the account.",
    ),
  ],
  [
    'IDPRejectedClaim',
    broken('identity-provider', "AWS rejects a claim of the broker's token: check the clock and the audience."),
  ],
  ['RegionDisabled', broken('region-disabled', 'Activate STS for aws.region in the account, or use another region.')],
  ['PackedPolicyTooLarge', { refuse: tooLarge }],
]);
