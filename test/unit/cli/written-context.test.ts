/** A written question is one that a broker asks: what is left out follows from the rest, and what contradicts it is a mistake. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { handClock } from '../../support/clock.js';
import { writePolicies } from '../../support/policy.js';

const HOP = '(principal, action in [Action::"access", Action::"openTask"], resource)';
const POLICIES = `
@id("agents-hand-on-nothing") forbid ${HOP} when { context.chain.contains(Workload::"lab:agent-1") };
@id("nor-does-their-team") forbid ${HOP} when { context.chainOwners.contains(Owner::"sre") };
@id("only-agents-hand-on") forbid ${HOP}
unless { context has delegatedBy && context.delegatedBy == Workload::"lab:agent-1" };
@id("each-hop-counts") forbid ${HOP} when { context.delegationDepth < 1 };`;

const PARTIES = `
policies: .
parties:
  agent: { workload: 'lab:agent-1', owner: sre }
  other: { workload: 'lab:other' }
  ann: { person: 'people:ann', groups: [oncall] }
  bob: { person: 'people:bob', claims: { email: bob@example.com } }
  eve: { person: 'people:eve', unread: [email] }
`;

const QUESTIONS = [
  "action: read, resource: 'https://tickets.example#incident/1'",
  'action: openTask, resource: { workload: other, purpose: triage }',
];

/** Asks for access and for a task, both with this context. */
async function tried(context: string, expected: string): Promise<{ code: number; out: string[] }> {
  const file = join(writePolicies({ 'a.cedar': POLICIES }), 'cases.yaml');
  const cases = QUESTIONS.map(
    (question) => `  - { name: a, principal: other, ${question}, context: { ${context} }, expect: ${expected} }`,
  );
  writeFileSync(file, `${PARTIES}cases:\n${cases.join('\n')}\n`);
  const out: string[] = [];
  const terminal = { out: (text: string) => void out.push(text), err: () => undefined, clock: handClock() };
  const code = await run(['policy', 'test', file, '-c', 'config/development.yaml'], terminal);
  return { code, out: out.map((line) => line.replace(file, 'cases.yaml')) };
}

describe('the context of a written question', () => {
  it.each([
    'delegatedBy: agent',
    'chain: [agent]',
    'delegatedBy: agent, chain: [agent, other]',
    'chain: [agent, other]',
  ])('has the whole chain, however it is written: %s', async (context) => {
    const expected = '{ outcome: deny, policies: [agents-hand-on-nothing, nor-does-their-team] }';
    expect(await tried(context, expected)).toEqual({ code: 0, out: ['cases.yaml: 2 of 2 as expected'] });
  });

  it.each([
    ['delegatedBy: agent, chain: [other, agent]', 'delegatedBy: is not the first of "chain"'],
    ['chain: [other, agent], delegationDepth: 1', 'delegationDepth: is less than 2'],
    ...['ann', 'bob', 'eve'].map((who) => [
      `onBehalfOf: ${who}`,
      'onBehalfOf: has groups or claims, but principalProven is not',
    ]),
  ])('is a mistake where no broker says it: %s', async (context, mistake) => {
    const { code, out } = await tried(context, 'deny');
    expect([code, ...out]).toEqual([1, expect.stringContaining(mistake), expect.stringContaining(mistake)]);
  });

  it.each(['onBehalfOf: ann, principalProven: true', "onBehalfOf: { person: 'people:ann' }"])(
    'may name a person: %s',
    async (context) => expect(await tried(context, 'deny')).toMatchObject({ code: 0 }),
  );
});
