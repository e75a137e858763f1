/** Changed policies take force while a broker runs: whole, once they are written to the end, and however they are put in place. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { watchPolicies } from '../../../src/compose/policy-watch.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';
import { temporaryDirectory } from '../../support/directory.js';
import { configuredWith, toAccess, writePolicies } from '../../support/policy.js';

const PERMIT = '@id("reads") permit (principal, action == Action::"read", resource);';
const FORBID = PERMIT.replace('permit', 'forbid');

async function watched(directory: string, node = 'one', ledger?: Ledger) {
  const policy = await createCedarEngine({ directory, configured: configuredWith(), maxCachedVerdicts: 10 });
  const [lines, entered]: [string[], string[]] = [[], []];
  const noted = (_: unknown, text?: string) => void lines.push(text ?? '');
  const [inForce, sets]: [string[], number[]] = [[], []];
  const watch = watchPolicies({
    policy,
    loads: { enter: ({ digest }) => Promise.resolve(void entered.push(digest)) },
    ledger: ledger ?? (await wholeBroker()).deps.ledger,
    node,
    metrics: { policyInForce: (digest) => void inForce.push(digest), policySets: (count) => void sets.push(count) },
    log: { info: noted, error: noted },
  });
  await watch.look();
  await watch.look();
  lines.length = 0;
  const outcome = async () => (await policy.decide(toAccess('x'))).outcome;
  return { policy, watch, lines, entered, inForce, sets, outcome };
}

describe('changed policies', () => {
  it('are taken once they have stayed the same for one look, and nothing is said before', async () => {
    const directory = writePolicies({ 'a.cedar': PERMIT });
    const { watch, outcome, lines, entered, inForce, policy } = await watched(directory);
    expect(entered).toEqual([]);
    writePolicies({ 'a.cedar': FORBID }, directory);
    await watch.look();
    expect(await outcome()).toBe('permit');
    // Half of it was written: the look begins anew.
    writePolicies({ 'b.cedar': FORBID.replace('reads', 'b') }, directory);
    await watch.look();
    expect(await outcome()).toBe('permit');
    await watch.look();
    expect([await outcome(), lines, entered]).toEqual(['deny', ['other policies are in force'], [policy.digest]]);
    expect(inForce.at(-1)).toBe(policy.digest);
  });

  it('with a mistake leave those in force, and the mistake is told once, and gone when it is mended', async () => {
    const directory = writePolicies({ 'a.cedar': PERMIT });
    const { watch, outcome, lines, entered } = await watched(directory);
    writePolicies({ 'b.cedar': `${FORBID.replace('reads', 'b')}\nforbid` }, directory);
    for (let looks = 0; looks < 4; looks += 1) await watch.look();
    expect([await outcome(), lines]).toEqual(['permit', ['the policies have mistakes; those in force stay']]);
    expect(watch.mistakes()).toEqual([expect.stringContaining(`${join(directory, 'b.cedar')}:2: `)]);
    rmSync(join(directory, 'b.cedar'));
    await watch.look();
    await watch.look();
    expect([watch.mistakes(), await outcome(), entered]).toEqual([[], 'permit', []]);
  });

  it('that vanish leave those in force', async () => {
    const directory = writePolicies({ 'a.cedar': PERMIT });
    const { watch, outcome } = await watched(directory);
    rmSync(directory, { recursive: true });
    await watch.look();
    await watch.look();
    expect([await outcome(), watch.mistakes().length]).toEqual(['permit', 1]);
  });

  it('are read at once on demand, half written or not', async () => {
    const directory = writePolicies({ 'a.cedar': PERMIT });
    const { watch, outcome } = await watched(directory);
    writePolicies({ 'a.cedar': FORBID }, directory);
    await watch.reload();
    expect(await outcome()).toBe('deny');
  });
});

/** Puts the text in place as the tools do that people use. */
const WAYS: Record<string, (directory: string, text: string) => void> = {
  'written over': (directory, text) => writeFileSync(join(directory, 'a.cedar'), text),
  'renamed over, as by editors': (directory, text) => {
    writeFileSync(join(directory, '.a.cedar.tmp'), text);
    renameSync(join(directory, '.a.cedar.tmp'), join(directory, 'a.cedar'));
  },
  'behind a link that is exchanged, as in a Kubernetes ConfigMap': (directory, text) => {
    const version = `..version-${text.length}`;
    mkdirSync(join(directory, version));
    writeFileSync(join(directory, version, 'a.cedar'), text);
    symlinkSync(version, join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    rmSync(join(directory, 'a.cedar'), { force: true });
    symlinkSync('..data/a.cedar', join(directory, 'a.cedar'));
  },
};

it.each(Object.entries(WAYS))('a change is found that is %s', async (_, put) => {
  const directory = temporaryDirectory();
  put(directory, PERMIT);
  const { watch, outcome } = await watched(directory);
  expect(await outcome()).toBe('permit');
  put(directory, `${FORBID}\n// changed`);
  await watch.look();
  await watch.look();
  expect(await outcome()).toBe('deny');
});

describe('brokers on one store', () => {
  const three = async () => {
    const { deps, clock } = await wholeBroker();
    const directories = [PERMIT, FORBID, PERMIT].map((text) => writePolicies({ 'a.cedar': text }));
    const brokers = await Promise.all(directories.map((one, index) => watched(one, `node-${index}`, deps.ledger)));
    const compare = async () => {
      for (const { watch } of brokers) await watch.compare();
    };
    return { brokers, directories, compare, clock };
  };

  it('say by which other policies brokers decide, until all decide by the same', async () => {
    const { brokers, directories, compare } = await three();
    await compare();
    await compare();
    const [permit, forbid] = brokers.map(({ policy }) => policy.digest);
    expect(brokers.map(({ watch }) => watch.others())).toEqual([[forbid], [permit], [forbid]]);
    expect(brokers.map(({ sets }) => sets.at(-1))).toEqual([2, 2, 2]);
    writePolicies({ 'a.cedar': PERMIT }, directories[1]);
    await brokers[1]?.watch.reload();
    await brokers[1]?.watch.compare();
    await compare();
    expect(brokers.map(({ watch, sets }) => [watch.others(), sets.at(-1)])).toEqual(Array(3).fill([[], 1]));
  });

  it('do not count one that ended, nor, after a minute, one that is gone', async () => {
    const { brokers, compare, clock } = await three();
    await compare();
    await brokers[1]?.watch.close();
    await brokers[0]?.watch.compare();
    expect(brokers[0]?.watch.others()).toEqual([]);
    await compare();
    clock.advance(60_001);
    await brokers[0]?.watch.compare();
    expect(brokers[0]?.watch.others()).toEqual([]);
  });
});
