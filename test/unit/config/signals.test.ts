/** How signals must fit the rest of a configuration. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { unreservedName } from '../../../src/config/values.js';
import { AUDIT_EVENT_TYPES } from '../../../src/domain/audit-event-types.js';
import * as reserved from '../../../src/domain/reserved.js';
import { formatSelector, SELECTOR_KINDS } from '../../../src/domain/selector.js';
import { DETECTOR } from '../../../src/domain/signal.js';
import { temporaryDirectory } from '../../support/directory.js';
import { createServerCertificate } from '../../support/issuers/certificate.js';

const oidc = (name: string, issuer = `https://${name}.example`) => ({ name, kind: 'oidc', issuer, jwks: FILE });
const FILE = { file: './keys.json' };
const idp = (more: object = {}) => ({
  ...{ name: 'idp', issuer: 'https://idp.example', audience: 'https://mayfly.example/signals', jwks: FILE },
  ...{ about: ['lab'], ...more },
});
const rule = (more: object = {}) => ({
  name: 'rule',
  event: 'session-revoked',
  do: 'hold',
  covers: 'workload',
  ...more,
});

async function load(signals: object, more: object = {}) {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'policies'));
  writeFileSync(join(directory, 'keys.json'), '{"keys":[]}');
  writeFileSync(join(directory, 'ca.pem'), createServerCertificate().authority);
  const config = {
    ...{ issuer: 'https://mayfly.example', trust: [oidc('lab'), oidc('corp'), oidc('again', 'https://lab.example')] },
    ...{ targets: [{ resource: 'https://tickets.example', minter: 'jwt' }] },
    ...{ policy: { engine: 'cedar', directory: './policies' }, signals, ...more },
  };
  Object.assign(config.trust[2] ?? {}, { audiences: ['other'], represents: 'person' });
  writeFileSync(join(directory, 'mayfly.yaml'), stringify(config));
  return { directory, loaded: await loadConfig({ env: {}, path: join(directory, 'mayfly.yaml') }) };
}

async function problems(signals: object, more: object = {}): Promise<string[]> {
  try {
    await load(signals, more);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, reason }) => `${path} ${reason}`);
    throw error;
  }
}

it('a sound one has absolute paths', async () => {
  const hook = { name: 'siem', url: 'https://siem.example', ca: './ca.pem' };
  const { directory, loaded } = await load({ transmitters: [idp()], reactions: [rule()] }, { notify: [hook] });
  const path = join(directory, 'keys.json');
  expect(loaded.config.signals.transmitters[0]?.jwks).toEqual({ file: path });
  expect(loaded.config.notify[0]?.ca).toBe(join(directory, 'ca.pem'));
});

describe('a transmitter', () => {
  it.each<[string, object[], string]>([
    [
      'has a name of its own',
      [idp(), idp({ issuer: 'https://b.example' })],
      '[1].name is the name of another transmitter',
    ],
    ['has a stream of its own', [idp(), idp({ name: 'b' })], '[1].issuer and its audience are those of another'],
    ['is not the broker', [idp({ issuer: 'https://mayfly.example/' })], '[0].issuer is the broker itself'],
    ['speaks of trust entries that exist', [idp({ about: ['lab', 'nobody'] })], '[0].about[1] is the name of no trust'],
    ['speaks of one entry of an issuer', [idp({ about: ['lab', 'again'] })], '[0].about[1] has the issuer of another'],
    ['speaks of somebody', [idp({ about: [] })], '[0].about'],
    [
      'has keys that are there',
      [idp({ jwks: { file: './none.json' } })],
      '[0].jwks.file is not a file that can be read',
    ],
    ['has keys', [idp({ jwks: undefined })], '[0].jwks'],
  ])('%s', async (_name, transmitters, problem) => {
    const found = await problems({ transmitters });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`signals.transmitters${problem}`);
  });

  it('may have one stream for each audience', async () => {
    expect(await problems({ transmitters: [idp(), idp({ name: 'b', audience: 'other' })] })).toEqual([]);
  });
});

describe('a reaction', () => {
  it.each<[string, object, string]>([
    ['ends a workload', { do: 'end' }, 'covers is nothing that "end"'],
    ['cuts off a task', { do: 'cutoff', covers: 'task' }, 'covers is nothing that "cutoff"'],
    ['cuts off a credential', { do: 'cutoff', covers: 'credential' }, 'covers is nothing that "cutoff"'],
    ['holds a credential', { covers: 'credential' }, 'covers is nothing that "hold"'],
    ['sets the risk of an issuer', { do: 'risk', covers: 'issuer' }, 'covers is nothing that "risk"'],
    ['holds at a risk', { risk: 'HIGH' }, 'risk is for'],
    ['ends for a time', { do: 'cutoff', holdSeconds: 5 }, 'holdSeconds is for'],
    ['names a source that does not exist', { from: ['edr'] }, 'from[0] is no transmitter'],
    [
      'wants two sources, one of them the detector',
      { from: ['idp', 'detector'], corroborate: { sources: 2, withinSeconds: 60 } },
      'corroborate wants more sources than can report it',
    ],
    [
      'wants two sources of what only a detector reports',
      { event: 'denial-burst', corroborate: { sources: 2, withinSeconds: 60 } },
      'corroborate wants more sources than can report it',
    ],
  ])('that %s is refused', async (_name, more, problem) => {
    expect(await problems({ transmitters: [idp()], reactions: [rule(more)] })).toEqual([
      expect.stringContaining(`signals.reactions[0].${problem}`),
    ]);
  });

  it('has a name of its own', async () => {
    expect(await problems({ reactions: [rule(), rule()] })).toEqual([
      'signals.reactions[1].name is the name of another reaction',
    ]);
  });

  it.each([
    { from: ['idp', 'detector', 'lab:siem', 'spiffe://prod.example/siem'] },
    { event: 'use-after-end', from: ['lab:a', 'lab:b'], corroborate: { sources: 2, withinSeconds: 60 } },
    { do: 'end', covers: 'task' },
    { do: 'end', covers: undefined },
    { do: 'cutoff', covers: 'issuer' },
    { do: 'hold', covers: 'task', holdSeconds: 60 },
    { do: 'risk', covers: 'credential', risk: 'MEDIUM' },
    { do: 'record', covers: undefined },
  ])('such as %j is sound', async (more) => {
    expect(await problems({ transmitters: [idp()], reactions: [rule(more)] })).toEqual([]);
  });
});

describe('a word that the broker writes where a name could stand', () => {
  const { BROKER, LOCAL, DOCTOR, JSON_SOURCE, NO_REACTION, RESERVED_WORDS, reactionActor } = reserved;
  const isTaken = 'is a word that the broker itself writes';

  it.each([...RESERVED_WORDS])('"%s" names no trust entry, no transmitter and no reaction', async (word) => {
    expect(await problems({}, { trust: [oidc('lab'), oidc(word)] })).toEqual([expect.stringContaining(isTaken)]);
    const both = { transmitters: [idp({ name: word })], reactions: [rule({ name: word })] };
    expect(await problems(both)).toEqual([
      expect.stringContaining(`signals.transmitters[0].name ${isTaken}`),
      expect.stringContaining(`signals.reactions[0].name ${isTaken}`),
    ]);
  });

  it('is in the documentation', () => {
    const [, section = ''] = readFileSync('docs/configuration.md', 'utf8').split('### Words that are taken');
    const [, words = ''] = /stand: ([^.]*)\./.exec(section) ?? [];
    expect(words.match(/\w+/g)).toEqual([...RESERVED_WORDS]);
  });

  it('is in the list, wherever an actor or a source is written', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
      // A label of a metric is no source.
      (name) => name.endsWith('.ts') && basename(name) !== 'metric-names.ts',
    );
    const texts = files.map((name) => readFileSync(join('src', name), 'utf8'));
    const written = texts.flatMap((text) => [
      ...text.matchAll(/\b(?:actor|source): (?:\{ id: )?(['`](?!environment|The )|[A-Z][A-Z_]*\b)/g),
    ]);
    const known = new Set([...Object.keys(reserved), 'DETECTOR']);
    expect(written.length).toBeGreaterThan(5);
    expect(written.map(([, what = '']) => what).filter((what) => !known.has(what))).toEqual([]);
  });

  it('is the id of no party, whatever name the configuration takes and whatever subject a token has', () => {
    const actors = (rule: string) => [BROKER, LOCAL, DOCTOR, DETECTOR, JSON_SOURCE, NO_REACTION, reactionActor(rule)];
    const selectors = (value: string) => SELECTOR_KINDS.map((kind) => formatSelector({ kind, value }, ':'));
    const word = fc.constantFrom(...[...actors('x'), ...selectors('x')].map((text) => text.replace(/:.*/, '')));
    const name = fc.oneof(word, fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/));
    const subject = fc.oneof(word, fc.stringMatching(/^[a-z][a-z0-9:-]{0,31}$/));
    fc.assert(
      fc.property(name, subject, (trust, sub) => {
        fc.pre(unreservedName.safeParse(trust).success);
        expect([...actors(sub), ...selectors(sub)]).not.toContain(`${trust}:${sub}`);
      }),
      { numRuns: 500 },
    );
  });
});

it('the brake of older versions is refused, with the name of what has taken its place', async () => {
  expect(await problems({ maxTasksPerMinute: 100 })).toEqual([
    expect.stringMatching(/^signals.maxTasksPerMinute is not a known setting: it is `maxPartiesPerMinute` now/),
  ]);
  const wrong = await Promise.all([-1, 1_001, 'all'].map((one) => problems({ maxPartiesPerMinute: one })));
  expect(wrong.map(({ length }) => length)).toEqual([1, 1, 1]);
  expect(await problems({ maxPartiesPerMinute: 'unlimited' })).toEqual([]);
});

it('callers speak of trust entries that exist', async () => {
  expect(await problems({ about: ['lab', 'nobody'] })).toEqual(['signals.about[1] is the name of no trust entry']);
});

it('what is wrong elsewhere does not make more of it', async () => {
  const trust = [oidc('lab'), { name: 'corp' }];
  const found = await problems({ transmitters: [idp({ about: ['corp'] })] }, { trust });
  expect(found.filter((one) => one.startsWith('signals'))).toEqual([]);
});

it('webhooks have names of their own, and certificates that are there', async () => {
  const hook = { name: 'siem', url: 'https://siem.example', ca: './none.pem' };
  expect(await problems({}, { notify: [hook, { ...hook, ca: undefined }] })).toEqual([
    'notify[0].ca is not a file that can be read',
    'notify[1].name is the name of another webhook',
  ]);
});

it('webhooks ask for what is written, and learn what to ask for instead', async () => {
  const hook = (types: string[], index = 9) => ({ name: `hook-${index}`, url: 'https://siem.example', types });
  const wanted = [
    ['revocation', 'task.ended'],
    ['task.resumed'],
    ['signal.accepted'],
    ['tasks'],
    ['approvals'],
    [],
    ['signal.judged'],
  ];
  const other = 'is no type of audit entry, nor the first word of one';
  expect(await problems({}, { notify: [hook(['signal', 'approval']), ...wanted.map(hook)] })).toEqual([
    `notify[1].types[1] ${other}: the end of a task is a \`revocation.published\` entry`,
    `notify[2].types[0] ${other}: a resumption is a \`revocation.published\` entry`,
    `notify[3].types[0] ${other}: an entry is written once a signal is evaluated: ask for \`signal\` or for a later state`,
    `notify[4].types[0] ${other}`,
    `notify[5].types[0] ${other}`,
    expect.stringMatching(/^notify\[6\]\.types /),
    `notify[7].types[0] ${other}: it is \`signal.evaluated\` now`,
  ]);
});

it('webhooks ask for every type that is written, by its name or its first word, and for no other in its likeness', async () => {
  const hook = (types: string[], index: number) => ({ name: `hook-${index}`, url: 'https://siem.example', types });
  const written = AUDIT_EVENT_TYPES.flatMap((type) => [[type], [type.split('.', 1)[0] ?? '']]);
  expect(await problems({}, { notify: written.map(hook) })).toEqual([]);
  const unwritten = AUDIT_EVENT_TYPES.flatMap((type) => [
    [`${type}x`],
    [`${type.split('.', 1)[0]}.nothing`],
    [`x${type}`],
  ]);
  expect(await problems({}, { notify: unwritten.map(hook) })).toHaveLength(unwritten.length);
});
