/** The longest name there is, a SPIFFE ID of 2,048 characters, fits every record, index, address and answer, on both stores. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from '../../src/cli/run.js';
import { NAME_CHARACTERS_MAX } from '../../src/domain/name.js';
import { startBroker } from '../support/brokers/http.js';
import { evaluated } from '../support/brokers/signals.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { createTrustDomain } from '../support/issuers/trust-domain.js';
import { anyRedis } from '../support/redis.js';

const START = 'spiffe://prod.example';
const PATH = `/${'workload/'.repeat(NAME_CHARACTERS_MAX)}`.slice(0, NAME_CHARACTERS_MAX - START.length - 1).concat('x');
const ID = `${START}${PATH}`;

const POLICIES = `
@id("mesh-reads")
permit (principal in Issuer::"mesh", action == Action::"read", resource in Resource::"https://tickets.example#incident");
@id("mesh-opens")
permit (principal in Issuer::"mesh", action == Action::"openTask", resource);
`;
const SIGNALS = {
  reactions: [
    { name: 'suspect', event: 'session-revoked', do: 'risk', covers: 'workload', risk: 'HIGH' },
    { name: 'stop', event: 'credential-compromise', do: 'hold', covers: 'workload' },
  ],
  detectors: { denialBurst: { threshold: 1, observe: false } },
};

async function start(redisUrl: string | undefined) {
  const clock = handClock(...(redisUrl === undefined ? [] : [Date.now()]));
  const domain = await createTrustDomain({ clock });
  const file = join(temporaryDirectory(), 'bundle.json');
  writeFileSync(file, JSON.stringify(domain.bundle()));
  const trust = [
    { kind: 'spiffe', name: 'mesh', trustDomain: 'prod.example', bundle: { file }, owner: { value: 'mesh' } },
  ];
  const broker = await startBroker({
    ...{ clock, trust, policies: POLICIES, config: { signals: SIGNALS } },
    ...(redisUrl !== undefined && { redisUrl }),
  });
  const svid = () => domain.svid({ path: PATH, aud: [broker.url] });
  const get = async (path: string) => broker.get(path, await broker.identity('soc'));
  const report = async (event: string) =>
    broker.post(
      '/signals/json',
      { id: event, event, subject: { format: 'uri', uri: ID } },
      await broker.identity('siem'),
    );
  return { broker, svid, get, report };
}

describe('a name of 2,048 characters', () => {
  describe.each<[string, () => Promise<string | undefined>]>([
    ['LMDB', () => Promise.resolve(undefined)],
    ['Redis', anyRedis],
  ])('on %s', (_, redisUrl) => {
    it('the longest name is granted, asked about, suspected, counted by detectors, held and found', async () => {
      expect(ID).toHaveLength(NAME_CHARACTERS_MAX);
      const { broker, svid, get, report } = await start(await redisUrl());
      const granted = await broker.exchange(await svid());
      expect(granted.status).toBe(200);
      const { access_token: token } = granted.body as { access_token: string };
      expect((await broker.introspect(token, await broker.identity('tickets-api'))).body).toMatchObject({
        client_id: ID,
      });
      expect((await broker.exchange(await svid(), { scope: 'wiki:read' })).status).toBe(400);
      await broker.work('detectors');

      expect((await report('session-revoked')).status).toBe(202);
      const seen = await evaluated(broker, 2);
      expect(seen.map(({ event }) => event).toSorted()).toEqual(['denial-burst', 'session-revoked']);
      for (const { about } of seen) expect(about).toEqual([{ kind: 'workload', value: ID }]);
      const query = encodeURIComponent(ID);
      expect((await get(`/workloads/${query}/risk`)).body).toMatchObject({ workload: ID, level: 'HIGH' });

      expect((await report('credential-compromise')).status).toBe(202);
      expect((await evaluated(broker, 3)).at(-1)).toMatchObject({ state: 'reacted', reaction: { rule: 'stop' } });
      expect((await broker.exchange(await svid())).body).toMatchObject({ retry: 'after-lift' });
      const { entries } = (await get(`/timeline?workload=${query}`)).body as { entries: { text: string }[] };
      expect(entries.map(({ text }) => text)).toContainEqual(expect.stringContaining(`hold of workload ${ID}`));
      expect(((await get(`/audit?workload=${query}`)).body as { lines: string[] }).lines).not.toEqual([]);
      const lines: string[] = [];
      const terminal = { out: (line: string) => void lines.push(line), err: () => undefined, clock: broker.clock };
      await run(['revocations', 'list', '--config', broker.configFile], terminal);
      expect(lines.join('\n')).toContain(`hold of workload ${ID}  by reaction:stop`);
    });
  });
});
