/** Giving a token back (RFC 7009), where the records that it belongs to are damaged. */
import { expect, it } from '@jest/globals';
import { returnToken } from '../../../src/credentials/return-token.js';
import { recordKey } from '../../../src/ledger/keys.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import { proven } from '../../support/brokers/stubbed.js';
import { wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';

const published = async (broker: WholeBroker) =>
  (await broker.audited()).filter(({ type }) => type === 'revocation.published').length;

it.each(['credential', 'task'] as const)(
  'a %s whose record cannot be read does not stop a holder from giving the token back',
  async (kind) => {
    const broker = await wholeBroker();
    const issued = await broker.exchange();
    const token = accessTokenOf(issued.minted.material);
    await broker.store.records.commit({ put: [[recordKey(issued[kind].id), '{"broken"']] });
    await returnToken(broker.deps, proven('lab:somebody', broker.clock), { token, requestId: 'r' });
    expect(await published(broker)).toBe(0);
    await returnToken(broker.deps, broker.agent, { token, requestId: 'r' });
    expect(await published(broker)).toBe(1);
  },
);
