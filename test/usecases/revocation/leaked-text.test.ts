/** A leaked text that contains handles of several credentials, sent by somebody who may not revoke. */
import { expect, it } from '@jest/globals';
import { putHandle } from '../../../src/ledger/handles.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';
import { asking, socOf, why } from '../../support/revoking.js';
import { revokeBySelector } from '../../support/verbs.js';
import { exchange } from '../../support/exchanging.js';

const [KNOWN, OTHER, UNKNOWN] = ['ASIAKNOWNKNOWNKNOWN2', 'ASIAOTHEROTHEROTHER2', 'ASIAQWERTYQWERTYQWER'];

it('does not show to a caller without permission whose handles are in it', async () => {
  const broker = await wholeBroker();
  for (const handle of [KNOWN, OTHER]) {
    const { credential } = await exchange(broker.deps, asking);
    await putHandle(broker.deps.ledger, credential, handle);
  }
  const decide = () => Promise.resolve({ outcome: 'deny' as const, policies: [], digest: '' });
  const denying = { ...broker.deps, policy: { ...broker.deps.policy, decide } };
  const ask = (deps: typeof broker.deps, leaked: string) =>
    revokeBySelector(deps, socOf(broker), { what: { leaked }, ...why }).catch((error: unknown) => error);
  const refused = await ask(denying, `${KNOWN} ${UNKNOWN}`);
  expect(refused).toMatchObject({ code: 'access_denied' });
  expect(await ask(denying, `${KNOWN} ${OTHER}`)).toMatchObject({ code: 'access_denied' });
  expect(await ask(broker.deps, `${KNOWN} ${OTHER}`)).toMatchObject({ code: 'invalid_request' });
});
