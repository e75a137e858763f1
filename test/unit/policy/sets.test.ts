/** A set in parts answers as the whole set does, whatever its scopes name and whoever asks. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { policyToJson } from '../../../src/policy/cedar/cedar-wasm.js';
import { setsOf } from '../../../src/policy/cedar/sets.js';

const principals = ['principal', 'principal == Workload::"a"', 'principal in Owner::"x"', 'principal in Issuer::"i"', 'principal is Workload', 'principal is Workload in Owner::"y"', 'principal is Person', 'principal == Owner::"x"']; // prettier-ignore
const actions = ['action', 'action == Action::"read"', 'action == Action::"access"', 'action in Action::"access"', 'action in [Action::"write", Action::"read"]', 'action in [Action::"write", Action::"operate"]', 'action in Action::"write"']; // prettier-ignore
const resources = ['resource', 'resource == Resource::"r"', 'resource in Target::"t"', 'resource in Target::"u"'];
// The last one cannot be evaluated.
const conditions = ['', 'when { context.n == 1 }', 'unless { context.n == 1 }', 'when { context.missing == 1 }'];

const policy = fc
  .tuple(
    fc.constantFrom('permit', 'forbid'),
    fc.constantFrom(...principals),
    fc.constantFrom(...actions),
    fc.constantFrom(...resources),
    fc.constantFrom(...conditions),
  )
  .map(
    ([effect, principal, action, resource, condition]) =>
      `${effect}(${principal}, ${action}, ${resource})${condition};`,
  );

const uid = (type: string, id: string) => ({ type, id });
const ENTITIES = [
  { uid: uid('Workload', 'a'), attrs: {}, parents: [uid('Owner', 'x'), uid('Issuer', 'i')] },
  { uid: uid('Workload', 'b'), attrs: {}, parents: [uid('Owner', 'y')] },
  // A team that is above another: what is above counts, too.
  { uid: uid('Owner', 'y'), attrs: {}, parents: [uid('Issuer', 'i')] },
  { uid: uid('Action', 'read'), attrs: {}, parents: [uid('Action', 'access')] },
  { uid: uid('Action', 'write'), attrs: {}, parents: [uid('Action', 'access')] },
  { uid: uid('Resource', 'r'), attrs: {}, parents: [uid('Target', 't')] },
];
const CALLS = ['a', 'b', 'c'].flatMap((who) =>
  ['read', 'write', 'openTask'].flatMap((action) =>
    [1, 2].map((n) => ({
      principal: uid('Workload', who),
      action: uid('Action', action),
      resource: uid('Resource', 'r'),
      context: { n },
      entities: ENTITIES,
    })),
  ),
);

function named(text: string, index: number) {
  const answer = policyToJson(text);
  if (answer.type === 'failure') throw new Error(text);
  return { id: `p${index}`, text, json: answer.json };
}

it('a set in parts answers as the whole', () => {
  fc.assert(
    fc.property(fc.array(policy, { maxLength: 12 }), (texts) => {
      const policies = texts.map(named);
      const [parts, whole] = [setsOf('in parts', policies, 0), setsOf('whole', policies, Infinity)];
      for (const call of CALLS) {
        const [found, wanted] = [parts.ask(call), whole.ask(call)];
        expect({ ...found, policies: [...found.policies].sort() }).toEqual({
          ...wanted,
          policies: [...wanted.policies].sort(),
        });
      }
    }),
    { numRuns: 150 },
  );
});

it('most parts are not asked: those for somebody else, or for other actions', () => {
  const texts = ['permit(principal in Owner::"x", action == Action::"read", resource);', 'permit(principal in Owner::"y", action == Action::"read", resource) when { context.missing == 1 };']; // prettier-ignore
  const sets = setsOf('two parts', texts.map(named), 0);
  expect(sets.names).toHaveLength(2);
  expect(sets.ask(CALLS[0]!)).toEqual({ allowed: true, failed: false, policies: ['p0'] });
});
