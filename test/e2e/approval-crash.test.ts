/** kill -9 while people are asked, answer and what they agreed to is fetched: nothing counts that is not entered, and nothing twice. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../src/audit/event.js';
import { answerOverHttp } from '../support/approvals/answer-over-http.js';
import { realClock } from '../support/clock.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { temporaryDirectory } from '../support/directory.js';
import { createIssuer } from '../support/issuers/issuer.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const ROUNDS = 2;
const AGENTS = 4;
const EACH_ROUND = 8;

interface Asked {
  id: string;
  agent: string;
  scope: string;
  /** The broker has said that the answer stands. */
  isAnswered: boolean;
  /** The broker has handed out a credential. */
  released: number;
}

async function scene(store: object) {
  const staff = await createIssuer({ clock: realClock, url: 'https://staff.example' });
  const file = join(temporaryDirectory(), 'staff.json');
  writeFileSync(file, JSON.stringify(staff.jwks()));
  const lab = { name: 'lab', kind: 'oidc', issuer: 'https://issuer.lab.example', jwks: { file: './lab.json' } };
  const people = { name: 'staff', kind: 'oidc', issuer: staff.url, represents: 'person', jwks: { file } };
  const trust = [
    { ...lab, owner: { claim: 'team' } },
    { ...people, groups: { claim: 'groups' } },
  ];
  const broker = await startProcess({ config: { ...store, trust, approvals: { pendingPerWorkload: 64 } } });
  const person = await staff.token({ sub: 'bo', aud: broker.url, groups: ['sre-oncall'], expiresInSeconds: 3_600 });
  return { broker, person };
}

const ask = async (broker: BrokerProcess, { agent, scope }: Pick<Asked, 'agent' | 'scope'>) =>
  broker.exchange(await broker.identity(agent), { scope });

/** Asks, has it answered, and fetches it, until the broker is gone. */
async function work(broker: BrokerProcess, person: string, one: Asked, all: Asked[]): Promise<void> {
  const { approval_id: id } = (await ask(broker, one)).body as { approval_id?: string };
  // A broker that is about to die, or has just come back, may say that it cannot take the request now.
  if (id === undefined) return;
  one.id = id;
  all.push(one);
  if ((await answerOverHttp(broker, one.id, person)).status === 200) one.isAnswered = true;
  if ((await ask(broker, one)).status === 200) one.released += 1;
}

async function workUntilKilled(
  { broker, person }: Awaited<ReturnType<typeof scene>>,
  all: Asked[],
  round: number,
): Promise<void> {
  const before = all.length;
  let over = false;
  const agents = Array.from({ length: AGENTS }, async (_, number) => {
    for (let step = 0; !over; step += 1) {
      const scope = `incident/${round}-${step}:export`;
      const one = { id: '', agent: `agent-${number}`, scope, isAnswered: false, released: 0 };
      await work(broker, person, one, all).catch(() => undefined);
    }
  });
  await until(() => all.length >= before + EACH_ROUND + round, 'nothing was asked');
  await broker.kill();
  over = true;
  await Promise.all(agents);
}

async function entriesOf(broker: BrokerProcess, type: string): Promise<AuditEvent[]> {
  const { body } = await broker.get(`/audit?type=${type}&limit=1000`, await broker.identity('soc'));
  return (body as { lines: string[] }).lines.map((line) => JSON.parse(line) as AuditEvent);
}

describe('a broker that is killed while people are asked, answer, and are taken at their word', () => {
  describe.each(['lmdb', 'redis'] as const)('on %s', (kind) => {
    it('G1: has in the audit log each answer that counts, and has issued no two credentials by one yes', async () => {
      const here = await scene(kind === 'redis' ? { store: (await startRedis()).url } : {});
      const { broker, person } = here;
      const all: Asked[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        await workUntilKilled(here, all, round);
        await broker.start();
      }
      for (const one of all) {
        const { state } = (await broker.get(`/approvals/${one.id}`, await broker.identity(one.agent))).body as {
          state: string;
        };
        if (one.released > 0) expect(state).toBe('used');
        if (one.isAnswered) expect(['approved', 'used']).toContain(state);
        // Whoever was not told that the answer stands gives it again.
        if (state === 'pending') expect((await answerOverHttp(broker, one.id, person)).status).toBe(200);
        const again = await ask(broker, one);
        if (again.status === 200) one.released += 1;
        else expect((again.body as { approval_id: string }).approval_id).not.toBe(one.id);
        expect(one.released).toBeLessThanOrEqual(1);
      }
      const [answers, grants] = [
        await entriesOf(broker, 'approval.answered'),
        await entriesOf(broker, 'credential.granted'),
      ];
      const grantsBy = (id: string) => grants.filter(({ approval }) => approval?.id === id);
      for (const { id, released } of all) {
        expect(answers.some(({ approval }) => approval?.id === id)).toBe(true);
        expect(grantsBy(id).length).toBeLessThanOrEqual(1);
        if (released > 0) expect(grantsBy(id)).toHaveLength(1);
      }
    });
  });
});
