/** A refusal is audited once and thrown again; only one that comes before permission is a denial for the detectors. */
import { expect, it } from '@jest/globals';
import type { AuditEvent } from '../../../src/audit/event.js';
import { auditingRefusals } from '../../../src/authorization/audit.js';
import { BrokerError, type BrokerErrorCode } from '../../../src/domain/errors.js';
import { OPERATOR, wholeBroker } from '../../support/brokers/use-cases.js';
import { unobserved } from '../../support/brokers/stubbed.js';

async function refusing(code: BrokerErrorCode, permitted: boolean) {
  const seen = { audited: [] as AuditEvent[], observed: [] as string[] };
  const { deps, operator } = await wholeBroker();
  const audit = { append: (event: AuditEvent) => (seen.audited.push(event), Promise.resolve()) };
  const observer = { ...unobserved, refused: ({ id }: { id: string }) => void seen.observed.push(id) };
  const refusal = new BrokerError(code, 'No.');
  const about = { type: 'operation.refused', verb: 'readCredential', permitted } as const;
  const refused = auditingRefusals({ ...deps, audit, observer }, operator, about, () => Promise.reject(refusal));
  await expect(refused).rejects.toBe(refusal);
  return seen;
}

it('before permission: an entry in the audit log, and a denial', async () => {
  const { audited, observed } = await refusing('not_found', false);
  expect(audited).toMatchObject([{ type: 'operation.refused', verb: 'readCredential', error: 'not_found' }]);
  expect(observed).toEqual([OPERATOR]);
});

it('after permission: the same entry, and no denial', async () => {
  const { audited, observed } = await refusing('not_found', true);
  expect(audited).toMatchObject([{ type: 'operation.refused', verb: 'readCredential', error: 'not_found' }]);
  expect(Object.keys(audited[0] ?? {})).not.toContain('permitted');
  expect(observed).toEqual([]);
});

it.each(['slow_down', 'temporarily_unavailable'] as const)('%s is neither', async (code) => {
  expect(await refusing(code, false)).toEqual({ audited: [], observed: [] });
});
