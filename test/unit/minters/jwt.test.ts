/** The minted access token: its exact claims, and unmodified validators that accept it. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import type { Credential } from '../../../src/domain/credential.js';
import { credentialCauses } from '../../../src/domain/hangs-on.js';
import type { Task } from '../../../src/domain/task.js';
import { realClock } from '../../support/clock.js';
import { openKeys, type Keys } from '../../../src/keys/keys.js';
import { createJwtMinter } from '../../../src/minters/jwt.js';
import { accessTokenClaimsSchema } from '../../../src/protocol/access-token.js';
import { modelStore } from '../../support/search/model-store.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';

const issuer = 'http://127.0.0.1:8080';
const target = 'https://tickets.example';
const issuedAt = realClock.now();

const task: Task = {
  id: 'tsk_aabbbbbbbbbbbbbb',
  lineage: ['tsk_aacccccccccccccc', 'tsk_aadddddddddddddd'],
  workload: { kind: 'workload', id: 'lab:agent-7', issuer: 'lab', owner: 'sre' },
  purpose: 'summarise incident 4711',
  purposeFrom: 'agent',
  openedAt: issuedAt,
  deadline: issuedAt + 3_600_000,
  epoch: 'gen.4',
  credentials: [],
  suspensions: 0,
  suspended: false,
  revision: 0,
};
const credential: Credential = {
  id: 'crd_aaeeeeeeeeeeeeee',
  task: task.id,
  kind: 'jwt',
  target,
  access: [
    { path: 'incident/4711', actions: ['read', 's3:GetObject'] },
    { path: 'urn:x/*', actions: ['write'] },
  ],
  issuedAt,
  expiresAt: issuedAt + 300_999,
  epoch: 'gen.7',
  state: 'active',
};

let keys: Keys;
beforeAll(async () => {
  const { records } = modelStore(realClock);
  const keyEncryptionKey = new Uint8Array(randomBytes(32));
  keys = await openKeys({ records, clock: realClock, keyEncryptionKey, rotationDays: 30 });
});

const mint = async (changed: Partial<Credential> = {}, taskChanged: Partial<Task> = {}) => {
  const minted = await createJwtMinter({ keys, issuer }).mint(
    { ...credential, ...changed },
    { ...task, ...taskChanged },
  );
  return accessTokenOf(minted.material);
};

describe('a minted access token', () => {
  it('says exactly what was granted, to whom, for which task, and what it hangs on', async () => {
    const accessToken = await mint();
    expect(decodeProtectedHeader(accessToken)).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: (await keys.jwks()).keys[0]!.kid,
    });
    const details = { type: 'task_access', locations: [target] };
    expect(decodeJwt(accessToken)).toEqual({
      iss: issuer,
      sub: 'lab:agent-7',
      client_id: 'lab:agent-7',
      aud: target,
      iat: Math.floor(issuedAt / 1000),
      exp: Math.floor((issuedAt + 300_999) / 1000),
      jti: credential.id,
      scope: 'incident/4711:read urn:x/*:write',
      authorization_details: [
        { ...details, identifier: 'incident/4711', actions: ['read', 's3:GetObject'] },
        { ...details, identifier: 'urn:x/*', actions: ['write'] },
      ],
      txn: 'tsk_aacccccccccccccc',
      task: { id: task.id, lineage: task.lineage, purpose: task.purpose },
      origin: { workload: 'lab:agent-7', issuer: 'lab', owner: 'sre', principal: 'lab:agent-7' },
      causes: credentialCauses(credential, task),
      epoch: 'gen.7',
    });
  });

  it('names the acting workload when the task serves somebody else, and only then', async () => {
    const principal = { kind: 'person', id: 'corp:alice', issuer: 'corp' } as const;
    const claims = decodeJwt(await mint({}, { principal }));
    expect(claims).toMatchObject({ sub: 'corp:alice', client_id: 'lab:agent-7', act: { sub: 'lab:agent-7' } });
    expect(claims).toMatchObject({ origin: { principal: 'corp:alice', workload: 'lab:agent-7' } });
    expect(decodeJwt(await mint())).not.toHaveProperty('act');
  });

  it('of a root task carries the task itself as transaction, and no scope where none can be said', async () => {
    const access = [{ path: 'bucket', actions: ['s3:GetObject'] }];
    const claims = decodeJwt(await mint({ access }, { lineage: [] }));
    expect(claims).toMatchObject({ txn: task.id });
    expect(claims).not.toHaveProperty('scope');
  });

  it('never outlives its record', async () => {
    const accessToken = await mint();
    expect(decodeJwt(accessToken).exp! * 1000).toBeLessThanOrEqual(credential.expiresAt);
  });

  it('is verified by jose with the published set, and has the shape verifiers are promised', async () => {
    const accessToken = await mint();
    const options = { issuer, audience: target, typ: 'at+jwt', algorithms: ['ES256'] };
    const { payload } = await jwtVerify(accessToken, createLocalJWKSet(await keys.jwks()), options);
    expect(accessTokenClaimsSchema.parse(payload)).toEqual(payload);
  });

  it('is accepted by an unmodified RFC 9068 validator', async () => {
    const accessToken = await mint();
    const server = await serveJwks();
    try {
      const { port } = server.address() as AddressInfo;
      const request = new Request(target, { headers: { authorization: `Bearer ${accessToken}` } });
      const as = { issuer, jwks_uri: `http://127.0.0.1:${port}/jwks` };
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated only to stand out; the server is on loopback
      const claims = await oauth.validateJwtAccessToken(as, request, target, { [oauth.allowInsecureRequests]: true });
      expect(claims.jti).toBe(credential.id);
    } finally {
      server.close();
    }
  });
});

async function serveJwks(): Promise<Server> {
  const body = JSON.stringify(await keys.jwks());
  const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(body));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
