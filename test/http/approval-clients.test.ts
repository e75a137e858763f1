/** With which tokens of a person an answer is taken: an agent that works for somebody has a token of theirs, too. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { answerOverHttp } from '../support/approvals/answer-over-http.js';
import { PAGE_CLIENT, startApproverPage } from '../support/approvals/page.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { expectProblem } from '../support/expect-refusal.js';
import { createIssuer, type TestIssuer } from '../support/issuers/issuer.js';

const WHY = 'That token was not made for a client that people answer with; sign in there.';
const policies = `
@id("duty-breaks-glass") permit (principal in Group::"sre-oncall", action == Action::"breakGlass", resource);`;

/** The provider of the persons here. Its clients are one that people sign in with, and one of an agent. */
let idp: TestIssuer;
const clock = handClock(Date.now());
const directory = temporaryDirectory();

beforeAll(async () => {
  idp = await createIssuer({ clock, url: 'https://idp.example' });
  writeFileSync(join(directory, 'idp.json'), JSON.stringify(idp.jwks()));
});

async function brokerWith(clients: string[] | undefined): Promise<TestBroker> {
  const entry = {
    name: 'desk',
    kind: 'oidc',
    represents: 'person',
    issuer: idp.url,
    jwks: { file: join(directory, 'idp.json') },
    audiences: ['mayfly-cli', 'agent-app'],
    groups: { claim: 'groups' },
  };
  const config = { approvals: { ...(clients && { clients }) } };
  return startBroker({ clock, policies, trust: [entry], config });
}

const ann = (claims: object) => idp.token({ sub: 'ann', groups: ['sre-oncall'], ...claims });

let incidents = 0;

/** The same twice would be one question. */
async function asked(broker: TestBroker): Promise<string> {
  const scope = `incident/${(incidents += 1)}:export`;
  const { body } = await broker.exchange(await broker.identity('agent-7'), { scope });
  return (body as { approval_id: string }).approval_id;
}

const OTHERS: [string, object][] = [
  ['for the client of an agent', { aud: 'agent-app' }],
  ['for the client of an agent, as a list', { aud: ['agent-app'] }],
  ['that the client of an agent got (azp)', { aud: 'mayfly-cli', azp: 'agent-app' }],
  ['that the client of an agent got (client_id)', { aud: 'mayfly-cli', azp: 'mayfly-cli', client_id: 'agent-app' }],
  ['that the client of an agent got (cid)', { aud: 'mayfly-cli', cid: 'agent-app' }],
  ['that the client of an agent got (appid)', { aud: 'mayfly-cli', appid: 'agent-app' }],
  ['whose azp is no text', { aud: 'mayfly-cli', azp: ['mayfly-cli'] }],
  ['whose azp is nothing', { aud: 'mayfly-cli', azp: null }],
  ['that is an access token and names no client', { aud: 'mayfly-cli', header: { typ: 'at+jwt' } }],
  ['that is an access token of an agent', { aud: 'mayfly-cli', client_id: 'agent-app', header: { typ: 'at+jwt' } }],
];

const OWN: [string, object][] = [
  ['for it', { aud: 'mayfly-cli' }],
  ['for it, as a list', { aud: ['mayfly-cli'] }],
  ['for it, that it got itself', { aud: 'mayfly-cli', azp: 'mayfly-cli', client_id: 'mayfly-cli' }],
  ['for it, an access token', { aud: 'mayfly-cli', client_id: 'mayfly-cli', header: { typ: 'application/at+jwt' } }],
  [
    'for it, an access token of a provider with its own word',
    { aud: 'mayfly-cli', cid: 'mayfly-cli', header: { typ: 'at+jwt' } },
  ],
];

describe('where approvals.clients names the client that people sign in with', () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await brokerWith(['mayfly-cli']);
  });

  it.each(OWN)('a token %s answers', async (_, claims) => {
    expect(await answerOverHttp(broker, await asked(broker), await ann(claims))).toMatchObject({
      status: 200,
      body: { state: 'approved' },
    });
  });

  it.each(OTHERS)('a token %s answers nothing, and closes no review', async (_, claims) => {
    const [id, held, own] = [await asked(broker), await ann(claims), await ann({ aud: 'mayfly-cli', sub: 'bea' })];
    const reason = 'it said so';
    for (const said of [{}, { decision: 'deny', reason }, { decision: 'emergency', reason }])
      expectProblem(await answerOverHttp(broker, id, held, said), 403, 'access_denied', WHY);
    await answerOverHttp(broker, id, own, { decision: 'emergency', reason });
    const note = { note: 'fine' };
    expectProblem(await broker.post(`/approvals/${id}/review`, note, held), 403, 'access_denied', WHY);
    expect((await broker.post(`/approvals/${id}/review`, note, await ann({ aud: 'mayfly-cli' }))).status).toBe(200);
  });

  it('a token of another provider, made for the broker, answers nothing', async () => {
    const staff = await broker.person('ann', { groups: ['sre-oncall'] });
    expectProblem(await answerOverHttp(broker, await asked(broker), staff), 403, 'access_denied', WHY);
  });
});

it('a client that is named too answers', async () => {
  const broker = await brokerWith(['mayfly-cli', 'agent-app']);
  for (const [, claims] of OTHERS.slice(0, 6))
    expect((await answerOverHttp(broker, await asked(broker), await ann(claims))).status).toBe(200);
});

it('where none is named, every token of a person answers that is trusted here', async () => {
  const broker = await brokerWith(undefined);
  for (const [, claims] of [...OWN, ...OTHERS])
    expect((await answerOverHttp(broker, await asked(broker), await ann(claims))).status).toBe(200);
});

describe('with the page', () => {
  it.each([
    ['alone', undefined],
    ['beside another client', ['mayfly-cli']],
  ])('%s, its own client answers without being named', async (_, clients) => {
    const page = { trust: 'people', clientId: PAGE_CLIENT, scopes: ['groups'] };
    const config = { lifetimes: { clockSkew: 60 }, approvals: { page, ...(clients && { clients }) } };
    const at = await startApproverPage({ config });
    const { broker } = at;
    const id = await asked(broker);
    const staff = await broker.person('ann', { groups: ['sre-oncall'] });
    expectProblem(await answerOverHttp(broker, id, staff), 403, 'access_denied', WHY);
    const browser = await at.signedIn('bea.sre-oncall', `/approvals/${id}`);
    const shown = await browser.submit({ decision: 'approve' });
    expect([shown.status, shown.text]).toEqual([200, expect.stringContaining('It is approved.')]);
  });
});
