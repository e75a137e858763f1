import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BrokerError } from '../../../src/domain/errors.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { scrub } from '../../../src/telemetry/scrub.js';

const JWT = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.${'c2lnbmF0dXJl'.repeat(4)}`;
const CODE = `mdc_aaaaaaaaaaaaaaaa_${'Zz9-_'.repeat(8)}abc`;
const AWS_KEY = 'ASIAIOSFODNN7EXAMPLE';
const CANARY = 'canary-3f9c1b';

function logged(write: (log: ReturnType<typeof createLogger>) => void): {
  text: string;
  entry: Record<string, unknown>;
} {
  const lines: string[] = [];
  write(createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } }));
  const text = lines.join('');
  return { text, entry: JSON.parse(text) as Record<string, unknown> };
}

describe('a log line', () => {
  it('is JSON with level, time, message and its fields', () => {
    const { entry } = logged((log) => log.info({ endpoint: '/token' }, 'answered'));
    expect(entry).toMatchObject({ level: 'info', endpoint: '/token', msg: 'answered' });
    expect(entry['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it.each([
    ['a token in the message', (log: ReturnType<typeof createLogger>) => log.info(`got ${JWT} here`)],
    ['a token deep inside', (log: ReturnType<typeof createLogger>) => log.info({ a: { b: [{ c: JWT }] } }, 'x')],
    ['a deferral code', (log: ReturnType<typeof createLogger>) => log.info({ at: `of ${CODE}` }, `got ${CODE}`)],
    ['a deferral code by its name', (log: ReturnType<typeof createLogger>) => log.info(`deferral_code=${CANARY}&a=b`)],
    ['an access key id', (log: ReturnType<typeof createLogger>) => log.info({ id: AWS_KEY }, AWS_KEY)],
    [
      'a header',
      (log: ReturnType<typeof createLogger>) =>
        log.info({ req: { headers: { authorization: `Basic ${CANARY}` } } }, 'x'),
    ],
    [
      'a header with several values',
      (log: ReturnType<typeof createLogger>) => log.info({ headers: { Cookie: [CANARY, CANARY] } }, 'x'),
    ],
    ['a form', (log: ReturnType<typeof createLogger>) => log.info(`body: grant_type=x&subject_token=${CANARY}&a=b`)],
    [
      'a field by its name',
      (log: ReturnType<typeof createLogger>) => log.info({ body: { Subject_Token: `a"b\\${CANARY}` } }, 'x'),
    ],
    [
      'JSON within a string',
      (log: ReturnType<typeof createLogger>) => log.info(JSON.stringify({ access_token: CANARY })),
    ],
    [
      'a private key',
      (log: ReturnType<typeof createLogger>) =>
        log.info(`-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----`),
    ],
    [
      'a private JWK',
      (log: ReturnType<typeof createLogger>) => log.info({ jwk: { kty: 'EC', d: `${CANARY}-${'x'.repeat(30)}` } }, 'x'),
    ],
    [
      'the password of a URL',
      (log: ReturnType<typeof createLogger>) => log.info(`connecting to redis://user:${CANARY}@redis.example`),
    ],
  ])('never shows %s', (_, write) => {
    const { text } = logged(write);
    for (const secret of [JWT.slice(0, 30), JWT.slice(-30), AWS_KEY, CANARY, CODE]) expect(text).not.toContain(secret);
    expect(text).toMatch(/\[(redacted|jwt|aws-key-id|private-key|deferral-code)\]/);
  });

  it('stays JSON whatever stands in it', () => {
    const secretive = fc.constantFrom('authorization', 'token', 'd', 'x');
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(JWT, `"${JWT}\\`, '-----BEGIN PRIVATE KEY-----\\"', 'token="', '\\"token\\":\\"'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(secretive, text)), (fields) => {
        expect(() => JSON.parse(scrub(JSON.stringify(Object.fromEntries(fields)))) as unknown).not.toThrow();
      }),
    );
  });

  it('keeps what is not secret', () => {
    const line = JSON.stringify({
      task: 'tsk_aaaaaaaaaaaaaaaa',
      workload: 'spiffe://prod.example/ns/a',
      url: 'https://tickets.example/incident/4711',
    });
    expect(scrub(line)).toBe(line);
  });
});

describe('an error in the log', () => {
  const errorOf = (err: unknown) => logged((log) => log.error({ err }, 'failed')).entry['err'];

  it('is, for a refusal, its code and sentence with the cause by type', () => {
    const cause = Object.assign(new SyntaxError(`Unexpected token in ${CANARY}`), { payload: CANARY });
    const refusal = new BrokerError('access_denied', 'No policy permits it.', {
      cause,
      decision: { id: 'dec_1', outcome: 'deny', policies: [], digest: 'd' },
      retry: 'never',
    });
    expect(errorOf(refusal)).toEqual({
      type: 'BrokerError',
      code: 'access_denied',
      message: 'No policy permits it.',
      decisionId: 'dec_1',
      retry: 'never',
      cause: { type: 'SyntaxError', at: expect.any(Array) },
    });
  });

  it('is, for a library, its type, code and place, without message and fields', () => {
    class ReplyError extends Error {
      override name = 'ReplyError';
      code = 'ERR_REPLY';
      command = { args: [CANARY] };
    }
    const { text } = logged((log) => log.error({ err: new ReplyError(`args: ${CANARY}`) }, 'failed'));
    expect(text).not.toContain(CANARY);
    expect(text).toContain('ERR_REPLY');
    expect(text).toContain('telemetry/log.test');
  });

  it('is, for a bug, what it says and where', () => {
    expect(errorOf(new Error('no such shard'))).toMatchObject({
      type: 'Error',
      message: 'no such shard',
      at: expect.any(Array),
    });
  });

  it('does not follow causes for ever', () => {
    const loop = new Error('a');
    loop.cause = loop;
    expect(JSON.stringify(errorOf(loop)).match(/"type"/g)).toHaveLength(5);
  });

  it('has nothing to say of what is not an error', () => {
    expect(errorOf(CANARY)).toEqual({ type: 'string' });
  });
});
