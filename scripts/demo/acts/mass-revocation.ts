/** A workload with a thousand live credentials is taken over. One write ends them all. Returns the tokens. */
import { DEAD, issuedSchema, previewSchema, receiptSchema } from '../answers.js';
import { call, good, refusal } from '../http.js';
import { inParallel } from '../in-parallel.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

const CREDENTIALS = 1_000;
const PER_TASK = 16;
const TASKS = Math.ceil(CREDENTIALS / PER_TASK);
const AT_ONCE = 32;
const SAMPLE = 50;
const HOLD = { selector: { kind: 'workload', value: 'lab:importer' }, reason: 'taken over', ticket: 'SEC-42' };

export async function massRevocationAct(stage: Stage, tell: Transcript): Promise<string[]> {
  const importer = await stage.identity('importer');
  const bearer = await stage.identity('soc');
  const revoke = (more: object) => stage.ask('/revocations', { bearer, json: { ...HOLD, ...more } });
  let tokens: string[] = [];
  let seq = 0;
  tell.act('A thousand credentials, one write');

  await tell.step(`importer works on ${TASKS} tasks, and needs ${count(CREDENTIALS)} credentials`, async () => {
    tokens = await mintMany(stage, importer);
    expectThat(tokens.length === CREDENTIALS, `${CREDENTIALS} credentials`, tokens.length);
    return `${TASKS} tasks, since there are at most ${PER_TASK} live credentials under one`;
  });
  await tell.step('the broker is asked about each of them', async () => {
    const alive = (await answers(stage, tokens)).filter((answer) => answer.startsWith('{"active":true')).length;
    expectThat(alive === CREDENTIALS, `${CREDENTIALS} alive`, alive);
    return `${count(alive)} of ${count(CREDENTIALS)} are alive`;
  });
  await tell.step('SOC previews what a revocation of importer would hit', async () => {
    const { affected } = good(await revoke({ dryRun: true }), previewSchema);
    expectThat(affected.credentials === CREDENTIALS, `${CREDENTIALS} credentials`, affected.credentials);
    return `${count(affected.credentials)} credentials under ${affected.tasks} tasks; nothing was written`;
  });
  await tell.step('SOC revokes importer', async () => {
    const before = await publications(stage);
    const receipt = good(await revoke({}), receiptSchema);
    const entries = (await publications(stage)) - before;
    const killed = receipt.affected?.credentials ?? 0;
    seq = receipt.seq;
    expectThat(entries === 1, '1 entry in the revocation log', `${entries} entries`);
    expectThat(killed === CREDENTIALS, `a receipt for ${CREDENTIALS} credentials`, killed);
    return [
      `entry ${seq}, effect ${receipt.effect}: one write, ${count(killed)} credentials dead`,
      'a hold: what lives is dead for good, and nothing new is born until somebody lifts it',
    ];
  });
  await tell.step(
    'the broker is asked about each of them again',
    async () => `${await countDead(stage, tokens)} are dead`,
  );
  await tell.step('the identity of importer is still valid: refused all the same', async () =>
    refusal(await mint(stage, importer), 'access_denied'),
  );
  await tell.step('SOC lifts the hold', async () => {
    const lifted = good(await stage.ask(`/revocations/${seq}`, { method: 'DELETE', bearer }), receiptSchema);
    expectThat(lifted.liftedBy !== undefined, 'a lifted hold', 'a hold in force');
    return `entry ${lifted.liftedBy}`;
  });
  await tell.step('importer works again; the dead stay dead', async () => {
    good(await mint(stage, importer), issuedSchema);
    return `of the dead, ${await countDead(stage, tokens.slice(0, SAMPLE))} still are`;
  });
  return tokens;
}

const mint = (stage: Stage, identity: string) =>
  stage.exchange(identity, { scope: 'incident/4711:read', purpose: 'import incidents' });

async function mintMany(stage: Stage, identity: string): Promise<string[]> {
  const tasks = Array.from({ length: TASKS }, (_, index) => index);
  const minted = await inParallel(tasks, AT_ONCE, async (task) => {
    const wanted = Math.min(PER_TASK, CREDENTIALS - task * PER_TASK);
    const first = good(await mint(stage, identity), issuedSchema);
    const tokens = [first.access_token];
    while (tokens.length < wanted) {
      const reply = await stage.exchange(identity, { scope: `incident/${tokens.length}:read`, task_id: first.task_id });
      tokens.push(good(reply, issuedSchema).access_token);
    }
    return tokens;
  });
  return minted.flat();
}

const count = (number: number): string => number.toLocaleString('en');

const answers = (stage: Stage, tokens: string[]): Promise<string[]> =>
  inParallel(tokens, AT_ONCE, (token) => stage.introspect(token));

async function countDead(stage: Stage, tokens: string[]): Promise<string> {
  const dead = (await answers(stage, tokens)).filter((answer) => answer === DEAD).length;
  expectThat(dead === tokens.length, `${tokens.length} dead`, `${dead} dead`);
  return `${count(dead)} of ${count(tokens.length)}`;
}

/** Returns how often the broker has published to the revocation log, by its own metrics. */
async function publications({ broker }: Stage): Promise<number> {
  const { text } = await call(`${broker.operationsUrl}/metrics`);
  const counts = [...text.matchAll(/^mayfly_revocations_total\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}
