/** Which refusals the audit log and the detectors get, and that no caller is answered otherwise because of it. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../../src/audit/event.js';
import { auditingRefusals, itself, nobody } from '../../../src/authorization/audit.js';
import { BROKER_ERROR_CODES, BrokerError } from '../../../src/domain/errors.js';
import { AGENT, bareBroker, proven, unobserved } from '../../support/brokers/stubbed.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

const clock = handClock();
const caller = proven(AGENT, clock);
const about = { type: 'operation.refused', verb: 'completeTask', requestId: 'r', charged: nobody } as const;

let entries: AuditEvent[];
let takesEntries: boolean;
/** What the detectors were given. */
let observed: unknown[];
beforeEach(() => {
  entries = [];
  takesEntries = true;
  observed = [];
});

const deps = {
  ...bareBroker(modelStore(clock), clock),
  audit: {
    append(event: AuditEvent): Promise<void> {
      entries.push(event);
      return takesEntries ? Promise.resolve() : Promise.reject(new Error('the audit log takes no entry'));
    },
  },
  observer: { ...unobserved, refused: (...given: unknown[]) => void observed.push(given) },
};

type About = Parameters<typeof auditingRefusals>[2];

async function refusing(error: Error, more: Partial<About> = {}): Promise<void> {
  const refused = auditingRefusals(deps, caller, { ...about, ...more }, () => {
    throw error;
  });
  await expect(refused).rejects.toBe(error);
}

const refusal = (code: BrokerError['code'] = 'access_denied') => new BrokerError(code, 'Refused.');

/** A flood must not fill the audit log, an outage decides nothing about anybody, and what waits for people is no refusal yet. */
const NOT_AUDITED = ['slow_down', 'temporarily_unavailable', 'authorization_pending'] as const;
const AUDITED = BROKER_ERROR_CODES.filter((code) => !NOT_AUDITED.some((other) => other === code));

describe('Work of an authenticated caller', () => {
  it('that succeeds is answered, and leaves no entry', async () => {
    expect(await auditingRefusals(deps, caller, about, () => 'done')).toBe('done');
    expect([entries, observed]).toEqual([[], []]);
  });

  it.each(AUDITED)('that is refused as %s leaves one entry, and the caller gets that same refusal', async (code) => {
    await refusing(refusal(code));
    expect(entries).toEqual([expect.objectContaining({ verb: 'completeTask', error: code, reason: 'Refused.' })]);
    expect(entries[0]).not.toHaveProperty('charged');
    expect(entries[0]).toHaveProperty('actor.id', AGENT);
  });

  it.each(NOT_AUDITED)('that is refused as %s leaves no entry, and is no denial for the detectors', async (code) => {
    await refusing(refusal(code));
    expect([entries, observed]).toEqual([[], []]);
  });

  it('that finds a bug leaves no entry: nobody has refused anything', async () => {
    await refusing(new Error('a bug'));
    expect([entries, observed]).toEqual([[], []]);
  });

  it('is refused for its own reason, also when the audit log takes no entry', async () => {
    takesEntries = false;
    await refusing(refusal());
    expect(entries).toHaveLength(1);
  });
});

describe('The detectors', () => {
  it('are told whom a refusal is counted for, and of one without a refusal of anybody nothing', async () => {
    const error = refusal();
    await refusing(error, { charged: itself(caller) });
    await refusing(error);
    await refusing(refusal('slow_down'), { charged: itself(caller) });
    expect(observed).toEqual([
      [[{ kind: 'party', of: caller.party }], error],
      [[], error],
    ]);
  });
});
