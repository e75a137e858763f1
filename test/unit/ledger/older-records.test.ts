/** Records that an older version wrote, with other names of their fields: they are read, and rewritten under today's names. */
import { expect, it } from '@jest/globals';
import { cause } from '../../../src/domain/selector.js';
import { changeEnforcement, readEnforcement } from '../../../src/ledger/enforcement.js';
import { enforcementKey, reactionKey, webhookKey } from '../../../src/ledger/keys.js';
import { memoriesOf } from '../../../src/ledger/reaction-memory.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { readWebhook, writeWebhook } from '../../../src/ledger/webhooks.js';
import type { Key } from '../../../src/store/store.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

async function ledgerWith(key: Key, older: object) {
  const clock = handClock();
  const { records, log } = modelStore(clock);
  await records.commit({ put: [[key, JSON.stringify(older)]] });
  const stored = async (): Promise<unknown> => JSON.parse((await records.read([key]))[0] ?? '');
  return { ledger: { records, clock, log: openRevocationLog(log) }, stored };
}

it('the state of enforcement at a target', async () => {
  const same = { generation: 'g', holder: 'one', fence: 3, marks: [{ seq: 7, at: 1_000 }] };
  const older = { revision: 4, ...same, heldUntil: 2_000, unspent: 9 };
  const { ledger, stored } = await ledgerWith(enforcementKey(cause('target', 'role')), older);
  const now = { ...same, leasedUntil: 2_000, liveCount: 9 };
  expect((await readEnforcement(ledger, 'role'))?.value).toEqual({ revision: 4, ...now });
  await changeEnforcement(ledger, 'role', () => ({ fence: 4 }));
  expect(await stored()).toEqual({ revision: 5, ...now, fence: 4 });
});

it('the state of delivery to a webhook', async () => {
  const { ledger, stored } = await ledgerWith(webhookKey('siem'), {
    revision: 0,
    after: 3,
    holder: 'one',
    heldUntil: 5,
  });
  const read = await readWebhook(ledger, 'siem');
  expect(read?.value).toEqual({ revision: 0, after: 3, holder: 'one', leasedUntil: 5 });
  await writeWebhook(ledger, 'siem', read, { after: 4, holder: 'one', leasedUntil: 6 });
  expect(await stored()).toEqual({ revision: 1, after: 4, holder: 'one', leasedUntil: 6 });
});

it('the memory of a reaction', async () => {
  const subject = cause('workload', 'lab:agent-7');
  const { ledger, stored } = await ledgerWith(reactionKey('rule', subject), { words: [{ source: 'idp', at: 1 }] });
  const memories = memoriesOf(ledger, 'rule', 60_000);
  const read = await memories.read(ledger, subject);
  expect(read?.value).toEqual({ reports: [{ source: 'idp', at: 1 }] });
  await memories.write(ledger, subject, read, { reports: [{ source: 'idp', at: 1 }] });
  expect(await stored()).toEqual({ reports: [{ source: 'idp', at: 1 }] });
});
