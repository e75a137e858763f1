/** The policies on trial work behind the answer: nothing they do, or fail to do, reaches it, and they take a bounded memory. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../../src/audit/event.js';
import { withTrial } from '../../../src/compose/policy-trial.js';
import { HOUR_MS } from '../../../src/domain/time.js';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import type { PolicyEngine } from '../../../src/policy/policy-engine.js';
import type { PolicyResource } from '../../../src/policy/query.js';
import { handClock } from '../../support/clock.js';
import {
  configuredWith,
  engineOf,
  person,
  taskOf,
  TICKETS,
  toAccess,
  toOperate,
  workload,
  writePolicies,
} from '../../support/policy.js';
import { until } from '../../support/until.js';

const permit = (action: string, annotations = '') =>
  `@id("permits") ${annotations} permit (principal, action == Action::"${action}", resource);`;
const READS = permit('read');

let directory: string;
let entered: AuditEvent[];
let append: (event: AuditEvent) => Promise<void>;
let counts: Record<string, number>;
let failures: number;
const clock = handClock();

beforeEach(() => {
  directory = writePolicies({ 'next.cedar': permit('write') });
  [entered, counts, failures] = [[], {}, 0];
  append = (event) => Promise.resolve(void entered.push(event));
});

async function trialBehind(policies: string | PolicyEngine = READS): Promise<PolicyEngine> {
  return withTrial(
    typeof policies === 'string' ? await engineOf(policies) : policies,
    { directory, configured: configuredWith() },
    {
      audit: { append: (event) => append(event) },
      clock,
      metrics: { policyTried: (result) => (counts[result] = (counts[result] ?? 0) + 1) },
      log: { error: () => (failures += 1) },
    },
  );
}

const counted = (result: string, times: number) =>
  until(() => counts[result] === times, `not ${times} were counted as ${result}`);

describe('policies on trial', () => {
  it('keep nobody waiting: what does not fit into the queue is dropped and counted', async () => {
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    append = async (event) => void (await stuck, entered.push(event));
    const engine = await trialBehind();
    for (let n = 0; n < 1_010; n += 1) expect((await engine.decide(toAccess('incident/1'))).outcome).toBe('permit');
    expect(counts).toEqual({ dropped: 9 });
    release();
    await counted('other', 1_001);
    expect(entered).toHaveLength(1);
  });

  it('are entered again where they still differ after an hour', async () => {
    const engine = await trialBehind();
    for (const [at, entries] of [
      [0, 1],
      [HOUR_MS - 1, 1],
      [1, 2],
    ] as const) {
      clock.advance(at);
      const before = counts['other'] ?? 0;
      await engine.decide(toAccess('incident/1'));
      await counted('other', before + 1);
      expect(entered).toHaveLength(entries);
    }
  });

  it('fail alone, and are entered once the log takes entries again', async () => {
    append = () => Promise.reject(new Error('the disk is full'));
    const engine = await trialBehind();
    expect((await engine.decide(toAccess('incident/1'))).outcome).toBe('permit');
    await counted('failed', 1);
    expect(failures).toBe(1);
    append = (event) => Promise.resolve(void entered.push(event));
    await engine.decide(toAccess('incident/1'));
    await counted('other', 1);
    expect(entered).toHaveLength(1);
  });

  it('are not asked what nobody has asked', async () => {
    const engine = await trialBehind();
    await engine.decide(toAccess('incident/1'), { supposed: true });
    await engine.decide(toAccess('incident/1'));
    await counted('other', 1);
    expect(counts).toEqual({ other: 1 });
  });

  const asks = (more = '') =>
    `${READS} @id("asks") @approval("oncall") ${more} forbid (principal, action in Action::"access", resource)
     unless { context.approvals.contains("oncall") };`;
  const wanted = (more: object = {}) => ({
    outcome: 'needs-approval',
    lifetimeSeconds: 300,
    needs: [{ group: 'oncall', approvers: 1, ...more }],
  });

  it.each([
    ['an approval instead of a permit', READS, asks(), { outcome: 'permit' }, wanted()],
    ['a permit instead of an approval', asks(), READS, wanted(), { outcome: 'permit' }],
    ['two persons instead of one', asks(), asks('@approvers("2")'), wanted(), wanted({ approvers: 2 })],
    ['a yes that stands', asks(), asks('@reuse("task")'), wanted(), wanted({ reuse: true })],
    [
      'a shorter life once approved',
      asks(),
      asks().replace('@id("permits")', '@id("permits") @lifetime("60")'),
      wanted(),
      { ...wanted(), lifetimeSeconds: 60 },
    ],
    ['a shorter life', READS, permit('read', '@lifetime("60")'), { lifetimeSeconds: 300 }, { lifetimeSeconds: 60 }],
    ['a refusal', READS, permit('write'), { outcome: 'permit' }, { outcome: 'deny', policies: [] }],
  ])('differ by %s', async (_what, binding, trial, instead, would) => {
    writePolicies({ 'next.cedar': trial }, directory);
    const engine = await trialBehind(binding);
    await engine.decide(toAccess('incident/1'));
    await counted('other', 1);
    expect(entered).toMatchObject([{ type: 'policy.trial', trial: { instead, would } }]);
  });

  const asked = { id: 'apr_1', group: 'oncall', workload: workload(), target: TICKETS, access: [], purpose: 'p' };
  it.each<[string, PolicyResource, object]>([
    ['approve', { type: 'approval', approval: asked }, { target: TICKETS, workload: 'lab:agent-7' }],
    ['introspect', { type: 'target', target: TICKETS }, { target: TICKETS }],
    ['breakGlass', { type: 'approval', approval: asked }, { target: TICKETS, workload: 'lab:agent-7' }],
    ['readTask', taskOf(workload()), { workload: 'lab:agent-7' }],
    ['readAudit', { type: 'broker' }, {}],
  ])('see verbs, too: %s', async (verb, resource, place) => {
    const engine = await trialBehind(permit(verb));
    const by = person('staff:ann');
    const own = verb === 'breakGlass' ? { emergency: { own: false } } : {};
    expect((await engine.decide(toOperate(verb, resource, by, own))).outcome).toBe('permit');
    await counted('other', 1);
    const actor = { id: 'staff:ann', kind: 'person', issuer: 'staff' };
    const [instead, would] = [{ outcome: 'permit' }, { outcome: 'deny' }];
    expect(entered).toMatchObject([{ type: 'policy.trial', actor, verb, ...place, trial: { instead, would } }]);
  });

  it.each([READS, asks(), permit('write')])(
    'are silent where they say the same by other policies: %s',
    async (text) => {
      writePolicies({ 'next.cedar': text.replaceAll(/@id\("/g, '@id("other-') }, directory);
      const engine = await trialBehind(text);
      await engine.decide(toAccess('incident/1'));
      await counted('same', 1);
      expect(entered).toEqual([]);
    },
  );

  it('are read again when their files change, which is seen like a change of the others', async () => {
    const engine = await trialBehind();
    const before = await engine.source();
    writePolicies({ 'next.cedar': READS }, directory);
    expect(await engine.source()).not.toBe(before);
    expect(await engine.reload()).toMatchObject({ digest: engine.digest, problems: [] });
    await engine.decide(toAccess('incident/1'));
    await counted('same', 1);
  });

  it('come into force together with the others, or neither does', async () => {
    const binding = writePolicies({ 'a.cedar': READS });
    const load = { directory: binding, configured: configuredWith(), maxCachedVerdicts: 10 };
    const engine = await trialBehind(await createCedarEngine(load));
    const { digest } = engine;
    const wrong = permit('raed');
    writePolicies({ 'a.cedar': permit('export') }, binding);
    writePolicies({ 'next.cedar': wrong }, directory);
    expect(await engine.reload()).toMatchObject({ digest, problems: [{ file: expect.stringMatching('next.cedar') }] });
    writePolicies({ 'a.cedar': wrong }, binding);
    writePolicies({ 'next.cedar': READS }, directory);
    expect(await engine.reload()).toMatchObject({ digest, problems: [{ file: expect.stringMatching('a.cedar') }] });
    expect((await engine.decide(toAccess('incident/1'))).outcome).toBe('permit');
    await counted('other', 1);
  });
});
