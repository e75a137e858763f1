/** Signing keys over a store: first start, agreement of brokers, rotation, sealing, and what is not our token. */
import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { openKeys, type Keys } from '../../../src/keys/keys.js';
import { sealedKey, unseal } from '../../../src/keys/seal.js';
import { signedJws } from '../../../src/keys/sign.js';
import { createVerifier } from '../../../src/keys/verified.js';
import type { Key, Store } from '../../../src/store/store.js';
import { StoreUnavailable } from '../../../src/store/store.js';
import { handClock } from '../../support/clock.js';
import { derOf } from '../../support/der.js';
import { modelStore } from '../../support/search/model-store.js';

const HOUR = 3_600_000;
const RING: Key = 'keys/ring';
const typ = 'test+jwt';
const exp = 9_999_999_999;

function setting() {
  const clock = handClock();
  const store = modelStore(clock);
  const keyEncryptionKey = new Uint8Array(randomBytes(32));
  const open = (records: Store['records'] = store.records) =>
    openKeys({ records, clock, keyEncryptionKey, rotationDays: 30 });
  return { clock, store, open, keyEncryptionKey };
}

const kidsOf = async (keys: Keys) => (await keys.jwks()).keys.map(({ kid }) => kid);
const signerOf = async (keys: Keys) => decodeProtectedHeader(await keys.sign({}, { typ })).kid;

describe('signing keys', () => {
  it('many brokers that start for the first time at once agree on one key', async () => {
    const { open } = setting();
    const all = await Promise.all(Array.from({ length: 8 }, () => open()));
    expect(new Set(await Promise.all(all.map(signerOf))).size).toBe(1);
  });

  it('what one broker signs, another verifies, and so does anyone with the published set', async () => {
    const { open, clock } = setting();
    const [one, other] = [await open(), await open()];
    const token = await one.sign({ sub: 'x', exp }, { typ });
    expect(await other.verify(token, { typ })).toEqual({ sub: 'x', exp });
    const set = createLocalJWKSet(await other.jwks());
    await jwtVerify(token, set, { typ, algorithms: ['ES256'], currentDate: new Date(clock.now()) });
  });

  it('publishes public halves only', async () => {
    const { open } = setting();
    const [key] = (await (await open()).jwks()).keys;
    expect(Object.keys(key!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('rotates: announced an hour ahead, promoted, the old one published until nothing of it can live', async () => {
    const { open, clock } = setting();
    const keys = await open();
    const first = await signerOf(keys);
    clock.advance(30 * 24 * HOUR - HOUR);
    expect(await keys.refresh()).toEqual(['announce']);
    expect(await signerOf(keys)).toBe(first);
    expect(await kidsOf(keys)).toHaveLength(2);
    clock.advance(HOUR);
    expect(await keys.refresh()).toEqual(['promote']);
    expect(await signerOf(keys)).not.toBe(first);
    expect(await kidsOf(keys)).toContain(first);
    clock.advance(HOUR + 120_000);
    expect(await keys.refresh()).toEqual(['forget']);
    expect(await kidsOf(keys)).not.toContain(first);
  });

  it('two brokers rotate once', async () => {
    const { open, clock } = setting();
    const [one, other] = [await open(), await open()];
    clock.advance(30 * 24 * HOUR);
    const steps = await Promise.all([one.refresh(), other.refresh()]);
    expect(steps.flat()).toEqual(['announce']);
    expect(await kidsOf(one)).toEqual(await kidsOf(other));
  });

  it('an emergency rotation reaches another broker before its ring is half a minute old', async () => {
    const { open, clock } = setting();
    const [one, other] = [await open(), await open()];
    const old = await signerOf(one);
    expect(await one.rotate({ now: true })).toEqual(['replace']);
    const current = await signerOf(one);
    expect(current).not.toBe(old);
    clock.advance(30_000);
    expect(await signerOf(other)).toBe(current);
    expect(await kidsOf(other)).toEqual([current, old]);
  });

  it('a token of a key another broker has just made is verified at once', async () => {
    const { open, clock } = setting();
    const [one, other] = [await open(), await open()];
    clock.advance(1_000);
    await one.rotate({ now: true });
    const token = await one.sign({ exp }, { typ });
    expect(await other.verify(token, { typ })).toEqual({ exp });
  });

  it('distrusting the old keys makes all they signed invalid', async () => {
    const { open } = setting();
    const keys = await open();
    const token = await keys.sign({ exp }, { typ });
    await keys.rotate({ distrustOld: true });
    await expect(keys.verify(token, { typ })).rejects.toMatchObject({ code: 'invalid_token' });
    expect(await kidsOf(keys)).toHaveLength(1);
  });

  it('a planned rotation asked for twice announces one key', async () => {
    const { open } = setting();
    const keys = await open();
    expect(await keys.rotate()).toEqual(['announce']);
    expect(await keys.rotate()).toEqual([]);
    expect(await kidsOf(keys)).toHaveLength(2);
  });

  it('with another key-encryption key the broker does not start, and says why', async () => {
    const { open, store, clock } = setting();
    await open();
    const other = { records: store.records, clock, keyEncryptionKey: new Uint8Array(32), rotationDays: 30 };
    await expect(openKeys(other)).rejects.toThrow(/do not open with this key-encryption key/);
  });

  it('a sealed key put under another name is refused', async () => {
    const { open, store } = setting();
    await open();
    const [text] = await store.records.read([RING]);
    const ring = JSON.parse(text!) as { current: { kid: string } };
    ring.current.kid = 'another';
    await store.records.commit({ put: [[RING, JSON.stringify(ring)]] });
    await expect(open()).rejects.toThrow(/not what it says/);
  });

  it('nothing in the store is the private key', async () => {
    const { open, store } = setting();
    await open();
    const [text] = await store.records.read([RING]);
    expect(text).not.toMatch(/"d"|"x"/);
    const sealed = (JSON.parse(text!) as { current: { sealed: string } }).current.sealed;
    expect(decodeProtectedHeader(sealed)).toMatchObject({ alg: 'dir', enc: 'A256GCM' });
  });

  it('the set stays published while the store is away, but nothing is signed with a stale ring', async () => {
    const { open, store, clock } = setting();
    let down = false;
    const keys = await open({
      ...store.records,
      read: (wanted) => (down ? Promise.reject(new StoreUnavailable('down')) : store.records.read(wanted)),
    });
    down = true;
    clock.advance(30_000);
    expect(await kidsOf(keys)).toHaveLength(1);
    await expect(keys.sign({}, { typ })).rejects.toThrow(StoreUnavailable);
    down = false;
    await keys.sign({}, { typ });
  });
});

describe('what is not our token', () => {
  const refused = { code: 'invalid_token' };

  it('is refused: expired, of another type, unsigned, by another algorithm, by a stranger, damaged', async () => {
    const { open, clock } = setting();
    const keys = await open();
    const kid = (await kidsOf(keys))[0]!;
    const seconds = clock.now() / 1000;
    const good = await keys.sign({ exp: seconds + 60 }, { typ });
    const [header, payload, signature] = good.split('.') as [string, string, string];
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ, kid })).toString('base64url');
    const secret = new TextEncoder().encode(JSON.stringify((await keys.jwks()).keys[0]));
    const bad = [
      await keys.sign({ exp: seconds }, { typ }),
      await keys.sign({ exp: seconds + 60 }, { typ: 'other+jwt' }),
      await keys.sign({}, { typ }),
      await keys.sign({ exp: seconds + 60, nbf: seconds + 1 }, { typ }),
      await keys.sign({ exp: String(seconds + 60) } as never, { typ }),
      await keys.sign([] as never, { typ }),
      `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      `${header}.${payload}.${derOf(signature)}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      await new SignJWT({}).setProtectedHeader({ alg: 'HS256', typ, kid }).sign(secret),
      await new SignJWT({}).setProtectedHeader({ alg: 'ES256', typ, kid }).sign(privateKey),
      await new SignJWT({}).setProtectedHeader({ alg: 'ES256', typ, kid, jwk }).sign(privateKey),
      await new SignJWT({}).setProtectedHeader({ alg: 'ES256', typ, kid: '../../etc/passwd' }).sign(privateKey),
      await new SignJWT({}).setProtectedHeader({ alg: 'ES256', typ }).sign(privateKey),
      `${header}.${payload}.${signature}=`,
      `${header}.${payload} .${signature}`,
      `${good}\n`,
      `${good}.`,
      `${header}.${payload}`,
      `!!.${payload}.${signature}`,
      `eA.${payload}.${signature}`,
      '',
    ];
    for (const token of bad) await expect(keys.verify(token, { typ })).rejects.toMatchObject(refused);
    await expect(keys.verify(good, { typ })).resolves.toMatchObject({ exp: seconds + 60 });
  });

  it('is refused too where the same token was ours before: expired, as another type, altered, of a withdrawn key', async () => {
    const { open, clock } = setting();
    const keys = await open();
    const exp = clock.now() / 1000 + 60;
    const [withdrawn, good] = [
      await keys.sign({ exp, jti: 'a' }, { typ }),
      await keys.sign({ exp, jti: 'b' }, { typ }),
    ];
    for (const token of [withdrawn, good, good]) await keys.verify(token, { typ });
    const altered = good.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
    await expect(keys.verify(altered, { typ })).rejects.toMatchObject(refused);
    await expect(keys.verify(good, { typ: 'other+jwt' })).rejects.toMatchObject(refused);
    clock.advance(60_000);
    await expect(keys.verify(good, { typ })).rejects.toMatchObject(refused);
    clock.advance(-60_000);
    await keys.rotate({ distrustOld: true });
    await expect(keys.verify(withdrawn, { typ })).rejects.toMatchObject(refused);
  });

  it('is refused for every key but the one that signed it, although that one has verified it', async () => {
    const { keyEncryptionKey } = setting();
    const made = async () => unseal(await sealedKey(keyEncryptionKey), keyEncryptionKey);
    const [signing, other] = [await made(), await made()];
    const token = signedJws({ typ, kid: signing.kid }, { exp: 61 }, signing.privateKey);
    const tokens = createVerifier();
    const expected = { typ, now: 60_000 };
    expect(tokens.verify(tokens.read(token), signing, expected)).toEqual({ exp: 61 });
    expect(() => tokens.verify(tokens.read(token), other, expected)).toThrow('not signed by the key');
    expect(tokens.verify(tokens.read(token), signing, expected)).toEqual({ exp: 61 });
  });

  it('a payload that was verified cannot be changed for whoever is shown the token next', async () => {
    const { open } = setting();
    const keys = await open();
    const token = await keys.sign({ exp: 9_999_999_999, sub: 'agent-7' }, { typ });
    for (let time = 0; time < 2; time += 1) {
      const payload = await keys.verify(token, { typ });
      expect(() => Object.assign(payload, { sub: 'agent-8' })).toThrow(TypeError);
      expect(payload.sub).toBe('agent-7');
    }
  });

  it('a flood of unknown key ids reads the store once a second', async () => {
    const { open, store, clock } = setting();
    let reads = 0;
    const keys = await open({
      ...store.records,
      read: (wanted) => {
        reads += 1;
        return store.records.read(wanted);
      },
    });
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', typ, kid: 'unknown' }).sign(privateKey);
    clock.advance(1_000);
    reads = 0;
    const floods = Array.from({ length: 50 }, () => keys.verify(token, { typ }).catch(() => undefined));
    await Promise.all(floods);
    for (let again = 0; again < 50; again += 1) await keys.verify(token, { typ }).catch(() => undefined);
    expect(reads).toBe(1);
  });
});
