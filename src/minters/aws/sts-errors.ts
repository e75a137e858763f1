/** What each error of STS means: the answer for the caller, the warning for the operator, and how long the role backs off. */
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { KEY_NOT_RETRIEVED, UNREACHABLE, type Answer } from './answer.js';
import type { OperatorWarning } from './context.js';

interface Failure {
  /** A refusal; or a plain Error, which becomes a 500, where the broker itself was wrong. */
  error: Error;
  backOffSeconds: number;
  warning?: Pick<OperatorWarning, 'what' | 'advice'>;
}

interface Meaning {
  refuse: (answer: Answer) => Error;
  backOffSeconds?: number;
  warning?: Failure['warning'];
}

/** An error that is not in the table means that AWS did not understand the request, which is a bug of the broker. */
export function failureOf(answer: Answer): Failure {
  const { refuse, backOffSeconds = 0, warning } = MEANINGS.get(answer.name) ?? misunderstood;
  return defined({ error: refuse(answer), backOffSeconds, warning });
}

/** The caller gets no details: what is wrong with the account is for the operator, who gets a warning. */
const NOT_SET_UP = 'The broker cannot get sessions of this role.';

const later = (text: string, retryAfterSeconds: number) => (answer: Answer) =>
  new BrokerError('temporarily_unavailable', text, { retryAfterSeconds, cause: answer.trace });

const notSetUp = ({ trace }: Answer) => new BrokerError('invalid_target', NOT_SET_UP, { cause: trace });

function tooLarge({ percent, trace }: Answer): BrokerError {
  const size = percent === undefined ? 'more than' : `${percent}% of`;
  const text = `Packed by AWS, the session policy and the tags take ${size} what a session has room for.`;
  return new BrokerError('invalid_target', text, { retry: 'with-less', cause: trace });
}

const CONFIGURATION_BACK_OFF_SECONDS = 30;
const broken = (what: OperatorWarning['what'], advice: string): Meaning => ({
  refuse: notSetUp,
  backOffSeconds: CONFIGURATION_BACK_OFF_SECONDS,
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
  [UNREACHABLE, { refuse: later('AWS STS does not answer at present.', 2), backOffSeconds: 2 }],
  [
    'Throttling',
    {
      refuse: later('AWS STS takes no more requests at present.', 2),
      backOffSeconds: 2,
      warning: { what: 'throttled', advice: 'Lower aws.mintsPerSecond, or have the quota of the account raised.' },
    },
  ],
  [
    'IDPCommunicationError',
    {
      refuse: later('AWS STS could not verify the broker at present.', 5),
      backOffSeconds: 5,
      warning: {
        what: 'identity-provider',
        advice: "AWS cannot fetch the discovery document or the keys of the broker's issuer: are they on the internet?",
      },
    },
  ],
  [
    KEY_NOT_RETRIEVED,
    {
      refuse: later('AWS STS could not verify the broker at present.', 5),
      backOffSeconds: 5,
      warning: {
        what: 'identity-provider',
        advice: "AWS could not retrieve the keys of the broker's issuer, three times.",
      },
    },
  ],
  [
    'ExpiredToken',
    {
      refuse: later('AWS STS and the broker disagree about the time.', 5),
      backOffSeconds: 5,
      warning: {
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
