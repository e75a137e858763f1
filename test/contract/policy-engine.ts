/**
 * What every policy engine must do, whatever language its policies are written in. An implementation brings an engine with the
 * policies described here:
 *  - `reads`: workloads of owner `sre` may read whatever lies beneath `incident` of the tickets API;
 *  - `no-secrets`: nobody reads `incident/secret`; no way out;
 *  - `restricted`: what is labelled restricted, for 60 s at most; the way out is to shorten;
 *  - `exports`: workloads of owner `sre` may export beneath `incident`;
 *  - `export-approval`: no export without the approval of the group `on-call`; the way out is to ask them;
 *  - `soc`: the workload `lab:soc` may revoke.
 * The tickets API has the label restricted on `incident/vip/**`.
 */
import { describe, expect, it } from '@jest/globals';
import type { PolicyEngine } from '../../src/policy/policy-engine.js';
import type { PolicyQuery } from '../../src/policy/query.js';
import { taskOf, ticketsTarget, toAccess, toOperate, workload } from '../support/policy.js';

export const contractTarget = ticketsTarget({ labels: [{ match: 'incident/vip/**', sensitivity: ['restricted'] }] });

/** @param group `describe.skip` where the engine is not there. */
export function policyEngineContract(
  name: string,
  create: () => Promise<PolicyEngine>,
  group: typeof describe | typeof describe.skip = describe,
): void {
  group(`policy engine contract: ${name}`, () => {
    const decide = async (query: PolicyQuery) => (await create()).decide(query);

    it('permits what a policy permits, for as long as was asked', async () => {
      const engine = await create();
      expect(await engine.decide(toAccess('incident/4711'))).toEqual({
        outcome: 'permit',
        lifetimeSeconds: 300,
        policies: ['reads'],
        digest: engine.digest,
      });
    });

    it('refuses what no policy permits, and names none', async () => {
      expect(await decide(toAccess('payroll/2024'))).toMatchObject({
        outcome: 'deny',
        policies: [],
        because: { why: 'no-permit', policies: [] },
      });
      expect(await decide(toAccess('incident/4711', 'write'))).toMatchObject({ outcome: 'deny', policies: [] });
      const stranger = workload('lab:agent-7', { owner: 'sales' });
      expect(await decide(toAccess('incident/4711', 'read', { by: stranger }))).toMatchObject({ outcome: 'deny' });
    });

    it('refuses what is forbidden although it is permitted, and names the forbid', async () => {
      expect(await decide(toAccess('incident/secret'))).toMatchObject({
        outcome: 'deny',
        policies: ['no-secrets'],
        because: { why: 'forbidden', policies: ['no-secrets'] },
      });
    });

    it('shortens the lifetime where that is the way out, and never lengthens it', async () => {
      expect(await decide(toAccess('incident/vip/1'))).toMatchObject({ outcome: 'permit', lifetimeSeconds: 60 });
      const short = toAccess('incident/vip/1', 'read', { context: { lifetimeSeconds: 20 } });
      expect(await decide(short)).toMatchObject({ outcome: 'permit', lifetimeSeconds: 20 });
    });

    it('names the group whose approval is the way out, and permits once it is given', async () => {
      const verdict = await decide(toAccess('incident/4711', 'export'));
      const needs = [{ group: 'on-call', approvers: 2, reuse: true }];
      expect(verdict).toMatchObject({ outcome: 'needs-approval', needs });
      expect(verdict.wantedBy).toContain('export-approval');
      const approved = toAccess('incident/4711', 'export', { context: { approvals: ['on-call'] } });
      expect(await decide(approved)).toMatchObject({ outcome: 'permit', lifetimeSeconds: 300 });
    });

    it('refuses a pattern that names something forbidden', async () => {
      expect(await decide(toAccess('incident/*'))).toMatchObject({ outcome: 'deny', policies: ['no-secrets'] });
      expect(await decide(toAccess('**'))).toMatchObject({ outcome: 'deny' });
      expect(await decide(toAccess('incident/4711/**'))).toMatchObject({ outcome: 'permit', lifetimeSeconds: 300 });
      expect(await decide(toAccess('incident/vip/**'))).toMatchObject({ outcome: 'permit', lifetimeSeconds: 60 });
    });

    it('decides verbs by the same rules', async () => {
      const revocation = { kind: 'workload', value: 'lab:agent-7', effect: 'hold', dryRun: false };
      const revoke = (by: string) => toOperate('revoke', { type: 'broker' }, workload(by), { revocation });
      expect(await decide(revoke('lab:soc'))).toMatchObject({ outcome: 'permit', policies: ['soc'] });
      expect(await decide(revoke('lab:agent-7'))).toMatchObject({ outcome: 'deny', policies: [] });
      expect(await decide(toOperate('completeTask', taskOf(workload())))).toMatchObject({ outcome: 'deny' });
    });

    it('refuses what makes no sense: an unknown action, target or path, a verb on the wrong thing', async () => {
      const refused = [
        toAccess('incident/4711', 'raed'),
        toAccess('incident/4711', 'access'),
        toAccess('incident/4711', '__proto__'),
        toAccess('incident/4711', 'read', { target: 'https://other.example' }),
        toAccess('incident/../payroll'),
        toAccess('incident//4711'),
        toOperate('read', { type: 'broker' }, workload('lab:soc')),
        toOperate('revoke', taskOf(workload()), workload('lab:soc')),
        { ...toAccess('incident/4711'), context: { kind: 'operate' as const } },
      ];
      for (const query of refused) expect(await decide(query)).toMatchObject({ outcome: 'deny', policies: [] });
    });

    it('knows which actions can be granted', async () => {
      const engine = await create();
      expect(['read', 'write', 'execute', 'export'].filter((action) => !engine.isGrantable(action))).toEqual([]);
      const others = ['access', 'operate', 'revoke', 'openTask', 'raed', '', '__proto__', 'constructor'];
      expect(others.filter((action) => engine.isGrantable(action))).toEqual([]);
    });

    it('answers the same question the same way, whatever was asked before', async () => {
      const engine = await create();
      const first = await engine.decide(toAccess('incident/4711'));
      await engine.decide(toAccess('incident/secret'));
      expect(await engine.decide(toAccess('incident/4711'))).toEqual(first);
    });

    it('names its policy set: the same policies, the same digest', async () => {
      const { digest } = await create();
      expect(digest).toMatch(/^[\w-]{43}$/);
      expect((await create()).digest).toBe(digest);
    });

    it('reads its policies again: unchanged, they give the same digest and the same verdicts', async () => {
      const engine = await create();
      const { digest } = engine;
      const before = await engine.decide(toAccess('incident/4711'));
      expect(await Promise.all([engine.reload(), engine.reload()])).toEqual(Array(2).fill({ digest, problems: [] }));
      expect(engine.digest).toBe(digest);
      expect(await engine.decide(toAccess('incident/4711'))).toEqual(before);
    });
  });
}
