/** What each refusal of STS means: what the caller is told, what the operator is told, how long STS is then left alone. */
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { KEY_NOT_RETRIEVED, UNREACHABLE, type Answer } from './answer.js';
import type { AwsTrouble } from './trouble.js';

interface Failure {
  /** A refusal, or a plain Error where the broker itself was wrong. */
  error: Error;
  restSeconds: number;
  trouble?: Pick<AwsTrouble, 'what' | 'advice'>;
}

interface Meaning {
  refuse: (answer: Answer) => Error;
  restSeconds?: number;
  trouble?: Failure['trouble'];
}

/** @param answer Any: what is not in the table is a request that AWS does not understand, which is a bug. */
export function failureOf(answer: Answer): Failure {
  const { refuse, restSeconds = 0, trouble } = MEANINGS.get(answer.name) ?? misunderstood;
  return defined({ error: refuse(answer), restSeconds, trouble });
}

/** Nothing more: what is wrong with the account is for the operator, who is told. */
const NOT_SET_UP = 'The broker cannot get sessions of this role.';

const later = (text: string, retryAfterSeconds: number) => (answer: Answer) =>
  new BrokerError('temporarily_unavailable', text, { retryAfterSeconds, cause: answer.trace });

const notSetUp = ({ trace }: Answer) => new BrokerError('invalid_target', NOT_SET_UP, { cause: trace });

function tooLarge({ percent, trace }: Answer): BrokerError {
  const size = percent === undefined ? 'more than' : `${percent}% of`;
  const text = `Packed by AWS, the session policy and the tags take ${size} what a session has room for.`;
  return new BrokerError('invalid_target', text, { retry: 'with-less', cause: trace });
}

const CONFIGURATION_REST_SECONDS = 30;
const broken = (what: AwsTrouble['what'], advice: string): Meaning => ({
  refuse: notSetUp,
  restSeconds: CONFIGURATION_REST_SECONDS,
  trouble: { what, advice },
});

const misunderstood: Meaning = {
  refuse: ({ trace }) => trace,
  trouble: {
    what: 'refused-as-malformed',
    advice: 'Is aws.lifetimeMax above the maximum session duration of the role? Otherwise this is a bug of the broker.',
  },
};

const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  [UNREACHABLE, { refuse: later('AWS STS does not answer at present.', 2), restSeconds: 2 }],
  [
    'Throttling',
    {
      refuse: later('AWS STS takes no more requests at present.', 2),
      restSeconds: 2,
      trouble: { what: 'throttled', advice: 'Lower aws.mintsPerSecond, or have the quota of the account raised.' },
    },
  ],
  [
    'IDPCommunicationError',
    {
      refuse: later('AWS STS could not verify the broker at present.', 5),
      restSeconds: 5,
      trouble: {
        what: 'identity-provider',
        advice: "AWS cannot fetch the discovery document or the keys of the broker's issuer: are they on the internet?",
      },
    },
  ],
  [
    KEY_NOT_RETRIEVED,
    {
      refuse: later('AWS STS could not verify the broker at present.', 5),
      restSeconds: 5,
      trouble: {
        what: 'identity-provider',
        advice: "AWS could not retrieve the keys of the broker's issuer, three times.",
      },
    },
  ],
  [
    'ExpiredToken',
    {
      refuse: later('AWS STS and the broker disagree about the time.', 5),
      restSeconds: 5,
      trouble: {
        what: 'clock',
        advice: 'A token of a minute had expired when it arrived, twice: check the clock of this host.',
      },
    },
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
