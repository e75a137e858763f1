/** Which events of a minute are entered, which are counted, and how large a line may be. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { entryText } from '../../../src/audit/chain.js';
import type { AuditEvent } from '../../../src/audit/event.js';
import type { AuditLog } from '../../../src/audit/log.js';
import { rationed, type RationedAuditLog } from '../../../src/audit/ration.js';
import { LINES_PER_CALLER, LINES_PER_ISSUER } from '../../../src/audit/shares.js';
import { USES_KEPT } from '../../../src/audit/uses.js';
import { HARD_LIMITS } from '../../../src/domain/limits.js';
import { handClock } from '../../support/clock.js';

const clock = handClock();
let entered: AuditEvent[];
let hasRoom: boolean;
let takesEntries: boolean;
let audit: RationedAuditLog;

beforeEach(() => {
  entered = [];
  hasRoom = true;
  takesEntries = true;
  const log = {
    append(event: AuditEvent): Promise<void> {
      if (!takesEntries) return Promise.reject(new Error('the audit log takes no entry'));
      entered.push(event);
      return Promise.resolve();
    },
  } as AuditLog;
  audit = rationed(log, { clock, hasRoom: () => hasRoom });
});

const refusal = (more: Partial<AuditEvent> = {}): AuditEvent => ({
  type: 'operation.refused',
  at: clock.now(),
  actor: { id: 'lab:a', kind: 'workload', issuer: 'lab' },
  verb: 'revoke',
  error: 'access_denied',
  retry: 'never',
  ...more,
});
const caller = (id: string, issuer = 'lab') => ({ actor: { id, kind: 'workload', issuer } as const });

async function refused(times: number, more: Partial<AuditEvent> = {}): Promise<void> {
  for (let i = 0; i < times; i += 1) await audit.append(refusal(more));
}

const counts = () => entered.flatMap(({ counted }) => counted?.events ?? []);

describe('the lines of a minute', () => {
  it('are whole up to the share of the caller; one more says how many there were, of what, and when', async () => {
    await refused(LINES_PER_CALLER + 2);
    const from = clock.now();
    clock.advance(1_000);
    await refused(1, { error: 'not_found' });
    const until = clock.now();
    await audit.enterCounts();
    expect(entered.slice(LINES_PER_CALLER)).toEqual([
      {
        type: 'audit.counted',
        at: clock.now(),
        ...caller('lab:a'),
        counted: {
          from,
          until,
          events: [
            { type: 'operation.refused', verb: 'revoke', error: 'access_denied', count: 2 },
            { type: 'operation.refused', verb: 'revoke', error: 'not_found', count: 1 },
          ],
        },
      },
    ]);
    expect(() => entryText(entered.at(-1)!)).not.toThrow();
  });

  it('have a bound for a caller, and for an issuer, however many minutes the flood lasts', async () => {
    for (let minute = 0; minute < 5; minute += 1) {
      const already = entered.length;
      for (let i = 0; i < 1_000; i += 1) await refused(1, caller(`lab:${i % 250}`));
      await audit.enterCounts();
      expect(entered.length - already).toBeLessThanOrEqual(2 * LINES_PER_ISSUER + 1);
    }
    // What is counted in one minute is written in the next, as part of its share.
    expect(entered.length).toBeLessThanOrEqual(6 * (LINES_PER_ISSUER + 1));
  });

  it('of one issuer take nothing from another', async () => {
    for (let i = 0; i < 1_000; i += 1) await refused(1, caller(`lab:${i}`));
    await refused(1, caller('other:a', 'other'));
    expect(entered.at(-1)).toMatchObject(caller('other:a', 'other'));
  });

  it('are one for a caller that is held, in every minute but the first', async () => {
    for (let minute = 0; minute < 4; minute += 1) {
      await refused(500, { retry: 'after-lift' });
      await refused(500, { error: 'invalid_request' });
      await audit.enterCounts();
    }
    expect(entered).toHaveLength(5);
    expect(counts().reduce((sum, { count }) => sum + count, 0)).toBe(4_000 - 1);
  });

  it('name a bounded number of sorts of events', async () => {
    for (let i = 0; i < 1_000; i += 1) await refused(1, { verb: `verb-${i}` });
    await audit.enterCounts();
    expect(counts().length).toBeLessThanOrEqual(20);
    expect(counts().reduce((sum, { count }) => sum + count, 0)).toBe(1_000 - LINES_PER_CALLER);
  });
});

describe('what an API is shown', () => {
  const shown = { type: 'introspection.inactive', ...caller('lab:api') } as const;

  it('junk takes no line from what the API itself is refused, and hides no dead credential', async () => {
    await refused(1_000, shown);
    await refused(1, caller('lab:api'));
    await refused(1, { ...shown, credential: 'crd_a' });
    expect(entered.slice(LINES_PER_CALLER)).toEqual([
      expect.objectContaining({ type: 'operation.refused' }),
      expect.objectContaining({ credential: 'crd_a' }),
    ]);
  });

  it('an SDK that asks before every call hides neither what was refused nor who read the log', async () => {
    await refused(1_000, { ...caller('lab:api'), type: 'credential.given_again' });
    await refused(1, caller('lab:api'));
    await refused(1, { ...caller('lab:api'), type: 'audit.read' });
    expect(entered.slice(LINES_PER_CALLER)).toEqual([
      expect.objectContaining({ type: 'operation.refused' }),
      expect.objectContaining({ type: 'audit.read' }),
    ]);
  });

  it('one dead credential that is shown again and again has one whole line, and one with the count', async () => {
    await refused(50, { ...shown, credential: 'crd_a' });
    await audit.enterCounts();
    expect(entered).toHaveLength(2);
    expect(entered[1]).toMatchObject({ type: 'audit.counted', credential: 'crd_a' });
  });
});

describe('uses of credentials', () => {
  const use = (api: string, number: number, more: Partial<AuditEvent> = {}): AuditEvent => ({
    ...{ type: 'access.reported', at: clock.now(), outcome: 'permitted', ...caller(api), target: 'https://a.example' },
    ...{ credential: `crd_${number}`, task: `tsk_${number}`, access: [{ path: `a/${number}`, actions: ['read'] }] },
    ...more,
  });
  const timesOf = (events: readonly AuditEvent[]) => events.reduce((sum, { times = 0 }) => sum + times, 0);

  it('of one caller fill half of the lines of a minute at most; all that is beyond is one line', async () => {
    for (let i = 0; i < 5_000; i += 1) await audit.append(use('lab:floods', i));
    await audit.append(use('lab:other', 1));
    await audit.enterCounts();
    expect(entered).toHaveLength(USES_KEPT.ofCaller + 2);
    expect(entered.filter(({ credential }) => credential === undefined)).toEqual([
      expect.objectContaining({ ...caller('lab:floods'), times: 5_000 - USES_KEPT.ofCaller }),
    ]);
    expect(entered.at(-1)).toMatchObject({ ...caller('lab:other'), credential: 'crd_1' });
  });

  it('of many callers have a bound too, and every use is counted', async () => {
    for (let i = 0; i < 5_000; i += 1) await audit.append(use(`lab:${i % 10}`, i));
    await audit.enterCounts();
    expect(entered).toHaveLength(USES_KEPT.inAll + 10);
    expect(timesOf(entered)).toBe(5_000);
  });

  it('of one task are kept apart up to its share, and beyond that counted for each credential', async () => {
    const rest = { task: 'tsk_a', credential: 'crd_a' };
    for (let i = 0; i < 100; i += 1) await audit.append(use('lab:api', i, rest));
    await audit.enterCounts();
    expect(entered).toHaveLength(USES_KEPT.ofTask + 1);
    expect(entered.at(-1)).toMatchObject({ ...rest, times: 100 - USES_KEPT.ofTask });
    expect(entered.at(-1)).not.toHaveProperty('access');
  });

  it('that were denied are not counted as permitted, and what the broker decided not as what an API says', async () => {
    await audit.append(use('lab:api', 1));
    await audit.append(use('lab:api', 1, { outcome: 'denied' }));
    await audit.append(use('lab:api', 1, { type: 'access.permitted' }));
    await audit.enterCounts();
    expect(entered.map(({ times }) => times)).toEqual([1, 1, 1]);
  });

  it('that the audit log does not take are entered later', async () => {
    await audit.append(use('lab:api', 1, { times: 3 }));
    takesEntries = false;
    await expect(audit.enterCounts()).rejects.toThrow();
    takesEntries = true;
    await audit.append(use('lab:api', 1));
    await audit.enterCounts();
    expect(entered).toEqual([expect.objectContaining({ times: 4 })]);
  });
});

describe('room', () => {
  it('without room to spare refusals are counted; grants and endings are entered', async () => {
    hasRoom = false;
    await refused(100);
    await audit.append({ type: 'credential.granted', at: clock.now() });
    await audit.append({ type: 'revocation.published', at: clock.now() });
    await audit.enterCounts();
    expect(entered.map(({ type }) => type)).toEqual(['credential.granted', 'revocation.published']);
    hasRoom = true;
    await audit.enterCounts();
    expect(counts()).toEqual([expect.objectContaining({ count: 100 })]);
  });

  it('a count that the audit log does not take is entered later', async () => {
    await refused(LINES_PER_CALLER + 7);
    takesEntries = false;
    await expect(audit.enterCounts()).rejects.toThrow();
    takesEntries = true;
    await audit.enterCounts();
    expect(counts()).toEqual([expect.objectContaining({ count: 7 })]);
  });
});

describe('the size of a line', () => {
  const path = (i: number) => `${String(i).padStart(3, '0')}/${'x'.repeat(HARD_LIMITS.pathCharacters - 4)}`;
  const access = Array.from({ length: HARD_LIMITS.pairsPerRequest }, (_, i) => ({ path: path(i), actions: ['read'] }));
  const actor = { id: `lab:${'x'.repeat(255)}`, kind: 'workload', issuer: 'lab' } as const;

  it('has a bound for a refusal, whatever was asked for; the first paths stay, and the number of the others', async () => {
    const decision = {
      id: 'dec_a',
      outcome: 'deny',
      policies: Array<string>(100).fill('x'.repeat(64)),
      digest: 'd',
    } as const;
    await refused(1, { type: 'credential.refused', actor, access, decision, reason: 'x'.repeat(5_000) });
    expect(entered[0]).toMatchObject({ access: access.slice(0, 4), accessOmitted: 28 });
    expect(entryText(entered[0]!).length).toBeLessThan(4_096);
  });

  it('is whatever it must be for a grant: nothing of it is cut', async () => {
    const granted: AuditEvent = { type: 'credential.granted', at: clock.now(), actor, access };
    await audit.append(granted);
    expect(entered).toEqual([granted]);
  });

  it('of a refusal that asked for little is left alone', async () => {
    const little = [{ path: 'a', actions: ['read', 'write'] }];
    await refused(1, { access: little });
    expect(entered[0]).toEqual(refusal({ access: little }));
  });
});
