/** What each refusal of STS means to the caller and to the operator, and that no part of its text is passed on. */
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { BrokerError } from '../../../src/domain/errors.js';
import { answerOf } from '../../../src/minters/aws/answer.js';
import { failureOf } from '../../../src/minters/aws/sts-errors.js';
import { safeError } from '../../../src/telemetry/safe-error.js';

const canary = 'eyJhbGciOi-canary';

const thrown = (name: string, { message = canary, status = 400, attempts = 1 } = {}) =>
  Object.assign(new Error(message), {
    name,
    $fault: 'client',
    $response: { body: canary },
    $metadata: { httpStatusCode: status, attempts, requestId: 'b9d6-1' },
    Error: { Code: name, Message: message },
  });
const failure = (error: unknown) => failureOf(answerOf('STS', error));

const busy = ['temporarily_unavailable', 'later'];
const broken = ['invalid_target', 'never'];
const less = ['invalid_target', 'with-less'];

const unretrieved = "Couldn't retrieve verification key from your identity provider";
const table: [string, ReturnType<typeof thrown>, string[], number, string | undefined][] = [
  ['Throttling', thrown('Throttling', { attempts: 3 }), busy, 2, 'throttled'],
  ['any 429', thrown('Whatever', { status: 429 }), busy, 2, 'throttled'],
  ['IDPCommunicationError', thrown('IDPCommunicationErrorException', { attempts: 3 }), busy, 5, 'identity-provider'],
  ['no keys', thrown('InvalidIdentityTokenException', { message: unretrieved }), busy, 5, 'identity-provider'],
  ['ExpiredToken', thrown('ExpiredTokenException'), busy, 5, 'clock'],
  ['a 5xx', thrown('InternalFailure', { status: 500, attempts: 3 }), busy, 2, undefined],
  ['an answer in no known form', thrown('Unknown', { status: 200 }), busy, 2, undefined],
  ['AccessDenied', thrown('AccessDenied', { status: 403 }), broken, 30, 'trust-policy'],
  ['InvalidIdentityToken', thrown('InvalidIdentityTokenException'), broken, 30, 'identity-provider'],
  ['IDPRejectedClaim', thrown('IDPRejectedClaimException', { status: 403 }), broken, 30, 'identity-provider'],
  ['RegionDisabled', thrown('RegionDisabledException', { status: 403 }), broken, 30, 'region-disabled'],
  ['PackedPolicyTooLarge', thrown('PackedPolicyTooLargeException'), less, 0, undefined],
];

describe('a refusal of STS', () => {
  it.each(table)('%s', (_, error, [code, retry], seconds, what) => {
    const { error: refusal, ...rest } = failure(error);
    expect(refusal).toBeInstanceOf(BrokerError);
    expect(refusal).toMatchObject({ code, details: { retry } });
    expect([rest.backOffMs, rest.warning?.what]).toEqual([seconds * 1_000, what]);
    if (retry === 'later') expect(refusal).toMatchObject({ details: { retryAfterSeconds: seconds } });
  });

  it.each(table)('%s: neither spelling of its name matters, and none of its text comes out', (_, error) => {
    const other = error.name.endsWith('Exception') ? error.name.replace('Exception', '') : `${error.name}Exception`;
    const expected = failure(error).error.message;
    for (const name of [error.name, other]) {
      const found = failure(Object.assign(error, { name }));
      expect(found.error.message).toBe(expected);
      expect(inspect(found, { depth: 10 })).not.toContain(canary);
      expect(JSON.stringify(safeError(found.error))).not.toContain(canary);
    }
  });

  it.each(['MalformedPolicyDocumentException', 'ValidationError', 'ANameThatAwsMayInvent'])(
    '%s is a bug of the broker, or of its configuration, and no refusal',
    (name) => {
      const { error, warning } = failure(thrown(name));
      expect(error).not.toBeInstanceOf(BrokerError);
      expect([error.name, warning?.what]).toEqual(['Error', 'refused-as-malformed']);
      expect(error.message).toBe(`STS: ${name}, HTTP 400, attempt 1, request b9d6-1`);
    },
  );

  it('for size says how large it was', () => {
    const message = `Packed policy consumes 112% of allotted space ${canary}`;
    const { error } = failure(thrown('PackedPolicyTooLargeException', { message }));
    expect(error.message).toBe(
      'Packed by AWS, the session policy and the tags take 112% of what a session has room for.',
    );
  });

  it('that gives the account away does not', () => {
    const texts = table.filter(([, , [, retry]]) => retry === 'never').map(([, error]) => failure(error).error.message);
    expect(new Set(texts).size).toBe(1);
  });
});

describe('that STS made no session is certain', () => {
  it.each([
    ['after a 4xx to the only attempt', thrown('AccessDenied', { status: 403 }), true],
    ['not when an attempt before may have made one', thrown('AccessDenied', { status: 403, attempts: 2 }), false],
    ['not after a 408, which says that something took too long', thrown('RequestTimeout', { status: 408 }), false],
    ['not after a 5xx', thrown('InternalFailure', { status: 500 }), false],
    ['not after a success that could not be read', thrown('SyntaxError', { status: 200 }), false],
    ['not when the SDK counted no attempts', Object.assign(new Error(), { $metadata: { httpStatusCode: 400 } }), false],
    ['not when the connection broke', Object.assign(new Error(canary), { code: 'ECONNRESET' }), false],
    ['not after something that is no error at all', undefined, false],
  ])('%s', (_, error, certain) => {
    expect(answerOf('STS', error).refused).toBe(certain);
  });
});

it('an error whose name or numbers are no words says nothing of itself', () => {
  const strange = Object.assign(thrown(`<xml>${canary}</xml>`), { code: canary });
  expect(inspect(answerOf('STS', strange))).not.toContain(canary);
  const halfStrange = Object.assign(thrown('AccessDenied'), {
    $metadata: { requestId: `${canary} ${canary}`, attempts: 1 },
  });
  expect(inspect(answerOf('STS', halfStrange))).not.toContain(canary);
});
