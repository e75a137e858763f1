/** A token that was never granted anything: no verifier accepts it, and every use raises an alarm. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { accessTokenClaimsSchema } from '../../src/protocol/access-token.js';
import { mint, withCanary } from '../support/brokers/canary.js';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { audited, evaluated, minted } from '../support/brokers/signals.js';
import { writePolicies } from '../support/policy.js';

const PERSON = 'urn:ietf:params:oauth:token-type:jwt';
const CLIENT = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const LASTING = { expiresInSeconds: 7_200 };

describe('a canary', () => {
  let broker: TestBroker;
  let canary: string;
  let real: string;
  beforeAll(async () => void ({ broker, canary, real } = await withCanary()));

  it('reads like a token that was granted: nothing but ids and times tells them apart, and nothing is made up', () => {
    expect(decodeProtectedHeader(canary)).toEqual(decodeProtectedHeader(real));
    const claims = accessTokenClaimsSchema.parse(decodeJwt(canary));
    const like = accessTokenClaimsSchema.parse(decodeJwt(real));
    const { jti, iat, exp, txn, epoch, causes, task } = claims;
    expect({ ...like, jti, iat, exp, txn, epoch, causes, task: { ...like.task, id: task.id } }).toEqual(claims);
    expect([exp - iat, causes.length]).toEqual([like.exp - like.iat, like.causes.length]);
    for (const id of [jti, txn, task.id]) expect(JSON.stringify(like)).not.toContain(id);
  });

  it('has the id and the causes that credentials of its issuer have, where they hang on a run too', async () => {
    const lab = { name: 'lab', kind: 'oidc', issuer: 'https://issuer.lab.example', jwks: { file: './lab.json' } };
    const trust = [{ ...lab, owner: { claim: 'team' }, workload: ['sub', 'team'] }];
    // The other policies name workloads whose ids are made of one claim.
    const directory = writePolicies({ 'agents.cedar': readFileSync('config/policies/agents.cedar', 'utf8') });
    const before = await startBroker({ config: { trust, policy: { engine: 'cedar', directory } } });
    const { token } = await minted(before, 'agent-7');
    await before.close();
    const { said } = await mint(before);
    expect(decodeJwt(said)).toMatchObject({ client_id: 'lab:agent-7:sre', origin: { owner: 'sre' } });
    expect(decodeJwt(said)['causes']).toHaveLength((decodeJwt(token)['causes'] as string[]).length);
  });

  it('is like a credential of the workload that it was bound to, or of another of its issuer', async () => {
    const before = await startBroker();
    const like = await Promise.all(
      ['agent-7', 'agent-8'].map(async (sub) => decodeJwt((await minted(before, sub)).token)),
    );
    await before.close();
    for (const [id, model] of [
      ['lab:agent-8', like[1]],
      ['lab:backup', like[0]],
    ] as const) {
      const { client_id, origin, scope } = decodeJwt((await mint(before, '--workload', id)).said);
      expect({ client_id, origin, scope }).toMatchObject({
        client_id: id,
        origin: { owner: 'sre' },
        scope: model?.['scope'],
      });
    }
  });

  it('is taken by no verifier: its key is published nowhere', async () => {
    const keys = createRemoteJWKSet(new URL(`${broker.url}/jwks`));
    const currentDate = new Date(broker.clock.now());
    const real = (await minted(broker, 'agent-7')).token;
    await expect(jwtVerify(real, keys, { currentDate })).resolves.toBeDefined();
    await expect(jwtVerify(canary, keys, { currentDate })).rejects.toMatchObject({
      code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    });
  });

  it('is found wherever it is presented, and each time as the one alarm of its time', async () => {
    const [api, soc, agent] = await Promise.all(
      ['tickets-api', 'soc', 'agent-7'].map((sub) => broker.identity(sub, LASTING)),
    );
    const person = await broker.person('bo', LASTING);
    const bearer = (token = '') => ({ authorization: `Bearer ${token}` });
    const uses: [where: string, use: () => Promise<unknown>, how?: string][] = [
      [
        'introspection',
        () => broker.form('/introspect', { token: canary, presented_from: '203.0.113.7' }, bearer(api)),
        'to be introspected from 127.0.0.1 by lab:tickets-api, to which it was presented from 203.0.113.7',
      ],
      ['subject token', () => broker.exchange(canary)],
      ['what is handed on', () => broker.exchange(canary, { actor_token: 'x', actor_token_type: PERSON })],
      ['actor token', () => broker.exchange(person, { actor_token: canary, actor_token_type: PERSON })],
      [
        'client assertion',
        () => broker.exchange(agent ?? '', { client_assertion: canary, client_assertion_type: CLIENT }),
      ],
      [
        'revocation',
        () => broker.form('/revoke', { token: canary }, bearer(agent)),
        'to be returned from 127.0.0.1 by lab:agent-7',
      ],
      [
        'leaked',
        () => broker.post('/revocations', { leaked: ` ${canary}\n`, reason: 'r', dryRun: true }, soc),
        'as something found from 127.0.0.1 by lab:soc',
      ],
      ['Authorization', () => broker.get('/audit', canary)],
      [
        'AWS',
        () => broker.get('/aws/credentials/arn:aws:iam::111122223333:role/x', undefined, { authorization: canary }),
      ],
    ];
    for (const [count, [where, use, how = 'as a proof of identity from 127.0.0.1']] of uses.entries()) {
      await use();
      await use();
      await broker.work('detectors');
      const findings = await evaluated(broker, count + 1);
      expect({ where, count: findings.length }).toEqual({ where, count: count + 1 });
      expect(findings.at(-1)).toMatchObject({
        event: 'canary-used',
        about: [],
        state: 'recorded',
        why: expect.stringContaining(`the canary "wiki/backup", shown ${how}, in the request req_`),
      });
      await use();
      await broker.work('detectors');
      await broker.advance(600_000);
    }
  });

  it('is in the audit log by its label, and its token in nothing that was ever written', async () => {
    const [entry] = await audited(broker, 'canary.minted');
    expect(entry).toMatchObject({ actor: { id: 'local' }, target: TICKETS, ticket: 'wiki/backup' });
    const { text } = await broker.get('/audit', await broker.identity('soc'), { accept: 'application/x-ndjson' });
    for (const part of [canary, ...canary.split('.').slice(1), hash('sha256', canary, 'base64url')]) {
      expect(text).not.toContain(part);
      expect(broker.logged()).not.toContain(part);
    }
  });
});

describe('a canary that speaks of somebody', () => {
  const config = {
    signals: {
      detectors: { canaryUsed: { observe: false } },
      reactions: [{ name: 'stop', event: 'canary-used', do: 'hold' }],
    },
  };

  it('stops the workload it was bound to, also while what detectors say is muted', async () => {
    const { broker, canary } = await withCanary({ config }, '--workload', 'lab:agent-7');
    const muted = await broker.post('/signals/mutes', { source: 'detector' }, await broker.identity('soc'));
    expect(muted.status).toBe(200);
    await broker.exchange(canary);
    await broker.work('detectors');
    const selector = { kind: 'workload', value: 'lab:agent-7' };
    expect(await evaluated(broker, 1)).toMatchObject([{ about: [selector], state: 'reacted', reaction: { selector } }]);
    expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(400);
  });

  it('stops the task it was bound to, and is of its workload', async () => {
    const before = await startBroker({ config });
    const { task } = await minted(before, 'agent-7');
    await before.close();
    const { said: canary } = await mint(before, '--task', task);
    expect(decodeJwt(canary)).toMatchObject({ client_id: 'lab:agent-7' });
    const broker = await before.again();
    await broker.work('detectors');
    await broker.exchange(canary);
    await broker.work('detectors');
    expect(await evaluated(broker, 1)).toMatchObject([{ state: 'reacted', reaction: { selector: { value: task } } }]);
  });

  it('is not minted for who could not be, or for a task of somebody else', async () => {
    const broker = await startBroker();
    const { task } = await minted(broker, 'agent-7');
    await broker.close();
    for (const [options, why] of [
      [['--workload', 'nobody:x'], /No configured issuer/],
      [['--task', task, '--workload', 'lab:other'], /The task belongs to workload lab:agent-7/],
      [['--task', 'tsk_aaaaaaaaaaaaaaaa'], /There is no task tsk_a{16}\./],
      [['--target', 'https://nowhere.example'], /no such target/],
      [
        ['--target', WIKI],
        /Of 256 open tasks that were looked at, none has a credential for .* while there is such work/,
      ],
      [['--target', WIKI, '--workload', 'lab:x'], /none of lab has a credential for/],
      [['--days', '0'], /from 1 to 365/],
      [['--task', 'x'], /reads tsk_/],
    ] as const) {
      expect(await mint(broker, ...options)).toEqual({ code: 1, said: expect.stringMatching(why) });
    }
  });
});

describe('a canary that has expired', () => {
  it('is looked for no longer, and leaves the list', async () => {
    const { broker, canary } = await withCanary({}, '--days', '1');
    await broker.advance(86_400_000);
    await broker.work('detectors');
    await broker.exchange(canary);
    await broker.work('detectors');
    expect(await audited(broker, 'signal.evaluated')).toEqual([]);
  });
});
