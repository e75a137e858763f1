/** The verifier against what is no honest broker, or one on a bad day: a server whose every byte the test writes. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import {
  createVerifier,
  guardTool,
  protect,
  type Needed,
  type Seen,
  type Verifier,
  type VerifierOptions,
  type VerificationError,
} from '../../src/verifier/index.js';
import { feedEvent, type FeedEvent, type FeedEvents } from '../../src/protocol/feed.js';
import { forgeToken, newSigningKey, signToken, type SigningKey } from '../support/issuers/issuer.js';
import { until } from '../support/until.js';

const TICKETS = 'https://tickets.example';
const GENERATION = '1_abc';
const FAR = 4_000_000_000_000;

let key: SigningKey;
let server: Server;
let url: string;
let verifier: Verifier;
let streams: ServerResponse[];
let asked: { path: string; lastEventId: string | undefined }[];
let seen: Seen[];
/** How the next requests are answered, where it is not as an honest broker would. */
let instead: ((path: string, response: ServerResponse) => boolean) | undefined;

beforeEach(async () => {
  [key, streams, asked, seen, instead] = [await newSigningKey('ES256', 'key-1'), [], [], [], undefined];
  server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    asked.push({ path, lastEventId: request.headers['last-event-id'] as string | undefined });
    if (instead?.(path, response)) return;
    if (path === '/jwks') return void response.end(JSON.stringify({ keys: [key.publicJwk] }));
    if (path !== '/revocations/feed') return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    streams.push(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  verifier.close();
  server.closeAllConnections();
  server.close();
});

function start(more: Partial<VerifierOptions> = {}): void {
  const options = { issuer: url, audience: TICKETS, identity: () => 'me', observe: (one: Seen) => void seen.push(one) };
  verifier = createVerifier({ ...options, ...more });
}
const streamOf = async (number: number): Promise<ServerResponse> => {
  await until(() => streams.length >= number, `no stream ${number}`);
  return streams[number - 1]!;
};
const say = <E extends FeedEvent>(stream: ServerResponse, event: E, data: FeedEvents[E]) =>
  void stream.write(feedEvent(event, data));
const beat = (stream: ServerResponse, seq = 5, at = 0) => say(stream, 'heartbeat', { generation: GENERATION, seq, at });
function sayAll(stream: ServerResponse, seq = 5): void {
  say(stream, 'hello', { at: 0 });
  say(stream, 'snapshot', { generation: GENERATION, seq });
  say(stream, 'complete', { generation: GENERATION, seq });
  beat(stream, seq);
}
async function startLive(more: Partial<VerifierOptions> = {}): Promise<ServerResponse> {
  start(more);
  const stream = await streamOf(1);
  sayAll(stream);
  await verifier.ready();
  return stream;
}

const claims = (more: object = {}) => ({
  ...{ iss: url, aud: TICKETS, sub: 'lab:a', client_id: 'lab:a', jti: 'crd_1', txn: 'tsk_1' },
  ...{ iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 300 },
  authorization_details: [
    { type: 'task_access', locations: [TICKETS], identifier: 'incident/*', actions: ['read'] },
    { type: 'newer_access', locations: [TICKETS], identifier: '**', actions: ['write'] },
    { type: 'task_access', locations: ['https://wiki.example'], identifier: '**', actions: ['write'] },
  ],
  task: { id: 'tsk_1', lineage: ['tsk_1'], purpose: 'p' },
  origin: { workload: 'lab:a', issuer: 'lab', principal: 'lab:a' },
  ...{ causes: ['mine'], epoch: `${GENERATION}.5` },
  ...more,
});
const AT = { typ: 'at+jwt' };
const token = (more: object = {}, header: Record<string, unknown> = {}) =>
  signToken(key, claims(more), { ...AT, ...header });
const refusal = (given: string, needed?: { resource: string; action: string }) =>
  verifier.verify(given, needed).then(
    () => 'none',
    (error: unknown) => (error as VerificationError).reason,
  );

describe('a token', () => {
  it('is taken as the broker makes it', async () => {
    await startLive();
    expect(await refusal(await token())).toBe('none');
    expect(await refusal(await token({}, { typ: 'application/at+jwt' }))).toBe('none');
  });

  it.each<[string, string, () => Promise<string> | string]>([
    ['of another API', 'audience', () => token({ aud: 'https://wiki.example' })],
    ['of an issuer that is only nearly the broker', 'issuer', () => token({ iss: `${url}/` })],
    ['that is over', 'expired', () => token({ exp: Math.floor(Date.now() / 1000) - 1 })],
    ['without an end', 'kind', () => token({ exp: undefined })],
    ['that would outlive every revocation', 'kind', () => token({ exp: Math.floor(Date.now() / 1000) + 86_400 })],
    ['without causes, which nothing could end', 'kind', () => token({ causes: [] })],
    ['whose causes are no list', 'kind', () => token({ causes: 'mine' })],
    ['whose epoch is none', 'kind', () => token({ epoch: '5' })],
    ['of another deployment with the same keys', 'dead', () => token({ epoch: '1_other.3' })],
    ['of the log before this one', 'dead', () => token({ epoch: '0_old.3' })],
    ['that is an audit head', 'kind', () => token({}, { typ: 'audit-head+jwt' })],
    ['that says no kind', 'kind', () => token({}, { typ: undefined })],
    [
      'with an extension that must be understood',
      'signature',
      () => forgeToken({ alg: 'ES256', kid: 'key-1', crit: ['x'], x: 1, ...AT }, claims(), () => 'AA'),
    ],
    ['without a signature', 'malformed', () => forgeToken({ alg: 'none', ...AT }, claims(), () => '')],
    ['that says it needs no signature', 'signature', () => forgeToken({ alg: 'none', ...AT }, claims(), () => 'AA')],
    ['signed with the public key as a secret', 'signature', () => hmac()],
    [
      'signed by somebody else',
      'signature',
      () => newSigningKey('ES256', 'key-1').then((other) => signToken(other, claims(), AT)),
    ],
    [
      'that brings its own key',
      'signature',
      () => newSigningKey('ES256', 'own').then((own) => signToken(own, claims(), { ...AT, jwk: own.publicJwk })),
    ],
    ['that is larger than any', 'malformed', () => token({ more: 'x'.repeat(20_000) })],
    ['with white space', 'malformed', async () => ` ${await token()}`],
    ['that is no token', 'malformed', () => 'a.b'],
  ])('%s is refused: %s', async (_, reason, make) => {
    await startLive();
    expect(await refusal(await make())).toBe(reason);
  });

  const hmac = () =>
    new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'key-1', ...AT })
      .sign(Buffer.from(JSON.stringify(key.publicJwk)));

  it.each([
    ['incident/4711', 'read', 'none'],
    ['incident/4711', 'write', 'access'],
    ['incident/4711/attachment', 'read', 'access'],
    ['incident/*', 'read', 'access'],
    ['incident/..', 'read', 'access'],
    ['incident/', 'read', 'access'],
    ['page', 'write', 'access'],
  ])('that covers incident/* for read, used for %s to %s: %s', async (resource, action, reason) => {
    await startLive();
    expect(await refusal(await token(), { resource, action })).toBe(reason);
  });
});

describe('what a credential is needed for, made of the words of a stranger', () => {
  const challengeTo = async (needs: () => Needed) => {
    const guard = protect(verifier, { needs });
    const api = createServer((request, response) => guard(request, response, () => void response.end('in')));
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    const address = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const { status, headers } = await fetch(address, { headers: { authorization: `Bearer ${await token()}` } });
    api.closeAllConnections();
    api.close();
    return `${status} ${headers.get('www-authenticate')}`;
  };
  const toolSays = async (needed: Needed) => {
    const authInfo = { extra: { claims: await verifier.verify(await token()) } };
    const { content } = await guardTool(verifier, { use: needed, data: () => [] }, () => ({
      content: [{ text: 'in' }],
    }))({}, { authInfo });
    return content[0]!.text;
  };
  const SENTENCE = 'The credential is for something else.';
  const said = (scope: string) =>
    `403 Bearer error="insufficient_scope", error_description="${SENTENCE}", ${scope}` +
    `resource_metadata="${TICKETS}/.well-known/oauth-protected-resource"`;

  it('is said where some credential could have it', async () => {
    await startLive();
    const needed = { resource: 'page/4711@x.y', action: 'read:all' };
    expect(await challengeTo(() => needed)).toBe(said('scope="page/4711@x.y:read:all", '));
    expect(await toolSays(needed)).toBe(`${SENTENCE} Needed: page/4711@x.y:read:all`);
  });

  it.each([
    ['a quotation mark', 'page", error="x', 'read'],
    ['a line break', 'page\r\nSet-Cookie: a=b', 'read'],
    ['a space', 'page/1:read page', 'read'],
    ['a letter that is not ASCII', 'page/é', 'read'],
    ['a pattern', 'page/*', 'read'],
    ['a way up', 'page/..', 'read'],
    ['nothing', '', 'read'],
    ['more than a path has', 'x'.repeat(5_000), 'read'],
    ['a quotation mark in the action', 'page', 'read", error="x'],
    ['a line break in the action', 'page', 'read\n'],
    ['a space in the action', 'page', 'read page:write'],
    ['no action', 'page', ''],
  ])('is refused and not repeated where it has %s', async (_, resource, action) => {
    await startLive();
    expect(await challengeTo(() => ({ resource, action }))).toBe(said(''));
    expect(await toolSays({ resource, action })).toBe(SENTENCE);
  });

  it('is 500, and nothing is let in, where it cannot be told', async () => {
    await startLive();
    expect(await challengeTo(() => ({ resource: decodeURIComponent('%zz'), action: 'read' }))).toBe('500 null');
  });
});

describe('keys', () => {
  it('are not fetched for each token that names an unknown one', async () => {
    await startLive();
    expect(await refusal(await token())).toBe('none');
    const stranger = await newSigningKey('ES256', 'key-1');
    for (let number = 0; number < 50; number += 1)
      expect(await refusal(await signToken({ ...stranger, kid: `unknown-${number}` }, claims(), AT))).toBe('signature');
    expect(asked.filter(({ path }) => path === '/jwks')).toHaveLength(1);
  });

  it('that cannot be fetched make it say 503, and are not asked for again at once', async () => {
    await startLive();
    instead = (path, response) => path === '/jwks' && Boolean(response.writeHead(500).end());
    const given = await token();
    for (let number = 0; number < 20; number += 1) expect(await refusal(given)).toBe('keys');
    expect(asked.filter(({ path }) => path === '/jwks')).toHaveLength(1);
  });
});

describe('a feed', () => {
  it('that is silent, as behind a connection whose other end is gone, is left, and everything is refused meanwhile', async () => {
    await startLive({ staleMs: 2_000 });
    const given = await token();
    const cut = new Promise<string>((resolve) => {
      void verifier.verify(given).then((held) => verifier.onRevoked(held, ({ reason }) => resolve(reason)));
    });
    expect(await cut).toBe('stale');
    expect(await refusal(given)).toBe('stale');
    const again = await streamOf(2);
    expect(asked.at(-1)?.lastEventId).toBe(`${GENERATION}.5`);
    say(again, 'hello', { at: 900 });
    beat(again, 5, 900);
    await verifier.ready();
    expect(await refusal(given)).toBe('none');
  });

  it('with a hole is left and begun anew, and nothing is believed before it is whole', async () => {
    const stream = await startLive();
    say(stream, 'revocation', { seq: 7, cause: 'else', tombstone: { until: FAR } });
    const again = await streamOf(2);
    expect(asked.at(-1)?.lastEventId).toBeUndefined();
    expect(await refusal(await token())).toBe('stale');
    sayAll(again, 7);
    await verifier.ready();
    expect(await refusal(await token())).toBe('none');
  });

  it('of another log ends what was alive', async () => {
    const stream = await startLive();
    say(stream, 'snapshot', { generation: '2_new', seq: 0 });
    say(stream, 'complete', { generation: '2_new', seq: 0 });
    say(stream, 'heartbeat', { generation: '2_new', seq: 0, at: 0 });
    await until(async () => (await refusal(await token())) === 'dead', 'it lives on');
  });

  it('that is a moment behind is waited for by a credential that was just born', async () => {
    const stream = await startLive();
    const waiting = refusal(await token({ epoch: `${GENERATION}.6` }));
    const dying = refusal(await token({ epoch: `${GENERATION}.6`, causes: ['theirs'] }));
    await refusal(await token());
    say(stream, 'revocation', { seq: 6, cause: 'else', tombstone: { until: FAR } });
    expect(await waiting).toBe('none');
    expect(await dying).toBe('none');
  });

  it('that never hears of a birth refuses it', async () => {
    const stream = await startLive({ staleMs: 2_000 });
    let at = 0;
    const beats = setInterval(() => beat(stream, 5, (at += 500)), 500);
    expect(await refusal(await token({ epoch: `${GENERATION}.6` }))).toBe('unheard');
    clearInterval(beats);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['is a page for people', (response) => void response.end('<html>')],
    [
      'says no time',
      (response) => {
        response.sendDate = false;
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end();
      },
    ],
    ['is elsewhere', (response) => void response.writeHead(307, { Location: 'http://127.0.0.1:1/' }).end()],
  ])('that %s is none', async (_, answer) => {
    instead = (path, response) => {
      if (path === '/revocations/feed') answer(response);
      return path === '/revocations/feed';
    };
    start();
    await until(() => seen.some((one) => one.is === 'ended'), 'it is taken for a feed');
    expect(await refusal(await token())).toBe('stale');
  });

  it('is asked for again after failures, and after a refusal not for a second at least', async () => {
    let answered = 503;
    instead = (path, response) => path === '/revocations/feed' && Boolean(response.writeHead(answered).end());
    start();
    await until(() => asked.length >= 3, 'it does not come again');
    answered = 403;
    await until(() => seen.some((one) => one.is === 'ended' && one.why.includes('403')), 'it is not refused');
    const before = asked.length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(asked).toHaveLength(before);
  });

  it('is told nothing more by a verifier that was closed while the broker did not take what it told', async () => {
    const acks = () => asked.filter(({ path }) => path === '/revocations/feed/ack');
    instead = (path, response) => path === '/revocations/feed/ack' && Boolean(response.writeHead(503).end());
    const stream = await startLive();
    say(stream, 'revocation', { seq: 6, cause: 'else', tombstone: { until: FAR } });
    await until(() => acks().length === 1, 'it does not tell');
    verifier.close();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(acks()).toHaveLength(1);
  });
});
