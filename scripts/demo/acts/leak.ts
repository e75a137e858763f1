/** Somebody found a token in a build log and pastes it into a revocation. Returns the token. */
import { credentialSchema, issuedSchema, previewSchema, receiptSchema } from '../answers.js';
import { good, refusal } from '../http.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

export async function leakAct(stage: Stage, tell: Transcript): Promise<string> {
  const bearer = await stage.identity('soc');
  const wish = { scope: 'incident/4711:read incident/4711/log:read', purpose: 'collect logs' };
  const { access_token: leaked } = good(await stage.exchange(await stage.identity('builder'), wish), issuedSchema);
  const report = { leaked, reason: 'found in a build log' };
  let id = '';
  tell.act('A token in a build log');

  await tell.step('SOC pastes it in and asks what it is', async () => {
    const preview = good(await stage.ask('/revocations', { bearer, json: { ...report, dryRun: true } }), previewSchema);
    id = preview.selector.value;
    expectThat(preview.affected.credentials === 1, '1 live credential', preview.affected.credentials);
    return `${leaked} is ${id}, and alive`;
  });
  await tell.step('what it could touch, and on whose account', async () => {
    const credential = good(await stage.ask(`/credentials/${id}`, { bearer }), credentialSchema);
    const access = credential.access.map(({ identifier, actions }) => `${actions.join(', ')} ${identifier}`);
    const workload = credential.causes.find(({ kind }) => kind === 'workload')?.value ?? '';
    expectThat(
      credential.state === 'live' && access.length === 2,
      'a live credential for two paths',
      access.join('; '),
    );
    return `${credential.target}: ${access.join('; ')}, for ${workload}`;
  });
  await tell.step('SOC revokes it', async () => {
    const { seq, effect, affected } = good(await stage.ask('/revocations', { bearer, json: report }), receiptSchema);
    expectThat(affected?.credentials === 1, '1 credential dead', affected?.credentials ?? 'not counted');
    return `entry ${seq}, effect ${effect}`;
  });
  await tell.step('whoever found it tries it: refused by the API', async () =>
    refusal(await stage.tickets('GET', 'incident/4711', leaked), 'invalid_token'),
  );
  return leaked;
}
