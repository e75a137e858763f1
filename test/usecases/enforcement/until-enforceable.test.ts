/** A role that cannot be minted for yet is waited for, for a while and by a bounded number of callers. */
import { describe, expect, it } from '@jest/globals';
import { isPassing } from '../../../src/enforcement/assert-enforceable.js';
import { untilEnforceable } from '../../../src/enforcement/until-enforceable.js';
import { handClock } from '../../support/clock.js';
import { exchange } from '../../support/exchanging.js';
import { ACCESS, memoryAws, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker } from '../../support/brokers/sessions.js';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** A broker that has just begun on an empty store. In each pause of a caller that waits, `secondsAPause` pass. */
function begin(secondsAPause: number) {
  const clock = handClock();
  const aws = memoryAws(clock);
  const broker = sessionBroker({ store: modelStore(clock), clock, aws });
  const { ledger } = broker.deps;
  let pauses = 0;
  const pause = async () => {
    pauses += 1;
    await pass(clock, secondsAPause, broker);
  };
  const deps = { ...broker.deps, untilEnforceable: untilEnforceable({ pause }, (role) => isPassing(ledger, role)) };
  const ask = (again?: true) =>
    exchange(deps, {
      ...{ subject: { token: 'lab:red-1', type: JWT }, target: ROLE, access: ACCESS, askedAsScope: false },
      ...{ lifetimeSeconds: 900, requestId: 'r', under: { purpose: 'triage' }, ...(again && { again }) },
    });
  return { aws, broker, clock, ask, pauses: () => pauses };
}

const LATER = { code: 'temporarily_unavailable' };

describe('an SDK that asks for a session of a role that is not ready', () => {
  it('gets it once the role is', async () => {
    const { aws, ask, pauses } = begin(3);
    const { credential } = await ask(true);
    expect(aws.reads(credential.id)).toBe(true);
    expect(pauses()).toBe(Math.ceil(FENCED_SECONDS / 3));
  });

  it('is refused when that takes too long, and any other caller at once', async () => {
    const { ask, pauses } = begin(0);
    await expect(ask(true)).rejects.toMatchObject(LATER);
    expect(pauses()).toBe(6);
    await expect(ask()).rejects.toMatchObject(LATER);
    expect(pauses()).toBe(6);
  });

  it('is refused at once while pushes to the role fail: nobody knows for how long', async () => {
    const { aws, broker, clock, ask, pauses } = begin(3);
    aws.failing.add(ROLE);
    await pass(clock, 3, broker);
    await expect(ask(true)).rejects.toMatchObject(LATER);
    expect(pauses()).toBe(0);
  });
});

it('sixty-four wait at most: further ones do not, whoever they are', async () => {
  let wake: () => void = () => undefined;
  const asleep = new Promise<void>((resolve) => (wake = resolve));
  let passing = true;
  let looks = 0;
  const wait = untilEnforceable({ pause: () => asleep }, () => Promise.resolve((looks += 1) > 0 && passing));
  const waiting = Array.from({ length: 64 }, () => wait(ROLE));
  await wait(ROLE);
  expect(looks).toBe(64);
  passing = false;
  wake();
  await Promise.all(waiting);
  await wait(ROLE);
  expect(looks).toBe(64 + 64 + 1);
});
