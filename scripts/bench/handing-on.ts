/** What handing on costs beside a plain exchange, and an evaluation with a person and a chain beside a plain one. Returns the report. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCE, startBroker, TARGET, type Broker } from './broker.js';
import {
  accessToken,
  agent,
  evaluation,
  form,
  GRANTED,
  liveTokens,
  newTokens,
  sameToken,
  WORKLOADS,
  type Contender,
} from './contenders.js';
import { createSigner, type Signer } from './issuer.js';
import { drive } from './load.js';
import { median } from './numbers.js';
import type { RedisServer } from './redis.js';
import { cellsOf, ratioTo, TURN_HEAD } from './report.js';
import { runRounds, type Row, type RoundsWish, type Turn } from './rounds.js';
import { table, targetTable, type Target } from './table.js';

const PERSONS = 'https://idp.bench.example';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const EXCHANGE = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' };
/** Each hands on to the next. */
const CHAIN = ['planner', 'researcher', 'scout', 'clerk'];

const NAMES = {
  same: 'exchange, same identity token',
  sameHanded: 'handing on, same credential and identity',
  fresh: 'exchange, every token new',
  freshHanded: 'handing on, every credential and identity new',
  evaluated: 'evaluation',
  evaluatedBelow: 'evaluation, for a person, a chain of three',
};

export async function measureHandingOn(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  wish: Pick<RoundsWish, 'rounds' | 'requests' | 'warmUp'>,
): Promise<string> {
  const persons = await createSigner('persons');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'persons.json'), JSON.stringify({ keys: [persons.publicJwk] }));
  const trust = { name: 'staff', kind: 'oidc', issuer: PERSONS, audiences: [AUDIENCE], represents: 'person' };
  const broker = await startBroker({
    directory,
    store: redis.url,
    lab,
    trust: [{ ...trust, jwks: { file: './persons.json' } }],
    more: { redis: { prefix: 'bench-handing-on:' } },
  });
  const contenders = [
    sameToken(NAMES.same, broker, lab),
    handingOn(NAMES.sameHanded, broker, lab, WORKLOADS),
    newTokens(NAMES.fresh, broker, lab),
    handingOn(NAMES.freshHanded, broker, lab),
    evaluation(NAMES.evaluated, broker, lab),
    evaluation(NAMES.evaluatedBelow, broker, lab, (...of) => chained(persons, ...of)),
  ];
  const { rows } = await runRounds(contenders, { ...wish, redisPid: redis.pid });
  await broker.end();
  return report(rows);
}

/** @param different So many credentials are handed on, each to one identity; absent: one for each request. */
const handingOn = (name: string, broker: Broker, lab: Signer, different?: number): Contender => ({
  name,
  pid: broker.pid,
  async prepare(count) {
    const most = Math.min(different ?? count, count);
    const credentials = await liveTokens(broker, lab, most);
    const actors = await lab.tokens(most, (index) => ({ ...agent(index), sub: `scout-${index % WORKLOADS}` }));
    const bodies = Array.from({ length: count }, (_, index) =>
      handed(credentials[index % most] ?? '', actors[index % most] ?? ''),
    );
    return { url: `${broker.url}/token`, bodies, expect: GRANTED };
  },
});

const handed = (credential: string, actor: string): string =>
  form({
    ...EXCHANGE,
    subject_token: credential,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    actor_token: actor,
    actor_token_type: JWT,
  });

/** Returns credentials of the last of the chain, each for a person of its own. */
async function chained(persons: Signer, broker: Broker, lab: Signer, count: number): Promise<string[]> {
  const [first = '', ...others] = await lab.tokens(CHAIN.length, (index) => ({
    ...agent(index),
    sub: CHAIN[index],
  }));
  const proofs = await persons.tokens(count, (index) => ({ iss: PERSONS, sub: `person-${index}`, aud: AUDIENCE }));
  const own = { actor_token: first, actor_token_type: JWT, subject_token_type: JWT, resource: TARGET };
  const granted = async (bodies: string[]) =>
    (await drive({ url: `${broker.url}/token`, bodies, expect: GRANTED })).answers.map(accessToken);
  let tokens = await granted(
    proofs.map((proof, index) =>
      form({ ...EXCHANGE, ...own, subject_token: proof, scope: `incident/${index}:read`, purpose: 'answer' }),
    ),
  );
  for (const actor of others) tokens = await granted(tokens.map((token) => handed(token, actor)));
  return tokens;
}

function report(rows: readonly Row[]): string {
  const turnsOf = (name: string): Turn[] => rows.find((row) => row.name === name)?.turns ?? [];
  const cpu = ({ cpuMicroseconds }: Turn) => cpuMicroseconds;
  const atMost = (name: string, plain: string, most: number): Target => {
    const got = ratioTo(turnsOf(plain), turnsOf(name), cpu);
    return [`CPU, ${name}`, `≤ ${most}`, got, got <= most, '×'];
  };
  const plainOf = (at: number) => rows[at - (at % 2)]?.turns ?? [];
  return [
    table(
      ['', ...TURN_HEAD, 'CPU to plain', 'Redis CPU to plain'],
      rows.map(({ name, turns }, at) => [
        name,
        ...cellsOf(turns),
        `${ratioTo(plainOf(at), turns, cpu).toFixed(2)}×`,
        `${median(turns.map((turn, round) => turn.redisCpuMicroseconds / (plainOf(at)[round]?.redisCpuMicroseconds ?? NaN))).toFixed(2)}×`,
      ]),
    ),
    targetTable([
      atMost(NAMES.sameHanded, NAMES.same, 1.5),
      atMost(NAMES.freshHanded, NAMES.fresh, 1.5),
      atMost(NAMES.evaluatedBelow, NAMES.evaluated, 1.3),
    ]),
  ].join('\n\n');
}
