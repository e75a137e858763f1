/** The digest of what people are asked: the same request finds its question in whatever order it is written, and no other does. */
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pairsOf, type Access } from '../../../src/domain/access.js';
import { digestOpening, digestUnder, type Asked } from '../../../src/domain/asked.js';
import type { PartyRef } from '../../../src/domain/party.js';

const party: fc.Arbitrary<PartyRef> = fc.record({
  kind: fc.constantFrom('workload', 'person'),
  id: fc.constantFrom('lab:a', 'lab:b', 'ci:a'),
  issuer: fc.constantFrom('lab', 'ci'),
});
const access: fc.Arbitrary<Access[]> = fc.array(
  fc.record({
    path: fc.constantFrom('x', 'x/*', 'x/**', 'y', 'x y'),
    actions: fc.uniqueArray(fc.constantFrom('read', 'write', 'export'), { minLength: 1 }),
  }),
  { minLength: 1, maxLength: 3 },
);
const asked: fc.Arbitrary<Asked> = fc.record({
  target: fc.constantFrom('https://a.example', 'https://b.example'),
  access,
  lifetimeSeconds: fc.constantFrom(undefined, 60, 300),
  tokenType: fc.constantFrom(undefined, 'jwt'),
});
const task = fc.record({
  id: fc.constantFrom('tsk_1', 'tsk_2'),
  workload: party,
  principal: fc.option(party, { nil: undefined }),
});
const opening = fc.record({
  workload: party,
  principal: fc.option(party, { nil: undefined }),
  purpose: fc.constantFrom('triage', 'triage more'),
  purposeFrom: fc.constantFrom('agent' as const, 'default' as const),
  ceiling: fc.option(
    access.map((all) => all.map((one) => ({ target: 'https://a.example', ...one }))),
    { nil: undefined },
  ),
  handed: fc.constantFrom(undefined, 'crd_1', 'crd_2'),
});

/** Everything that an approver would care about, said in another way than the digest says it. */
const pairs = (all: readonly Access[]) =>
  pairsOf(all)
    .map(({ path, action }) => `${action} on ${path}`)
    .sort();
const said = ({ access: all, ...rest }: Asked) => ({ ...rest, pairs: pairs(all) });

it('under a task differs exactly where anything of it differs', () => {
  fc.assert(
    fc.property(task, asked, task, asked, (one, first, other, second) => {
      const same = isDeepStrictEqual([one, said(first)], [other, said(second)]);
      expect(digestUnder(defined(one), first) === digestUnder(defined(other), second)).toBe(same);
    }),
    { numRuns: 2_000 },
  );
});

it('of what opens a task differs exactly where anything of it differs', () => {
  const all = ({ ceiling, ...rest }: ValueOf<typeof opening>) => ({ ...rest, ceiling: ceiling && pairs(ceiling) });
  fc.assert(
    fc.property(opening, asked, opening, asked, (one, first, other, second) => {
      const same = isDeepStrictEqual([all(one), said(first)], [all(other), said(second)]);
      const digests = [digestOpening(one, first), digestOpening(other, second)];
      expect(digests[0]?.digest === digests[1]?.digest).toBe(same);
    }),
    { numRuns: 2_000 },
  );
});

it('does not care for order and repetition, and changes with each single part', () => {
  fc.assert(
    fc.property(task, asked, (one, request) => {
      const under = (changed: Partial<Asked>) => digestUnder(defined(one), { ...request, ...changed });
      const shuffled = request.access
        .toReversed()
        .flatMap(({ path, actions }) => actions.toReversed().map((action) => ({ path, actions: [action, action] })));
      expect(under({ access: shuffled })).toBe(under({}));
      const wider = [...request.access, { path: 'x/4711', actions: ['read'] }];
      for (const changed of [
        { access: wider },
        { target: 'https://c.example' },
        { lifetimeSeconds: 61 },
        { tokenType: 't' },
      ])
        expect(under(changed)).not.toBe(under({}));
    }),
  );
});

const defined = ({ principal, ...rest }: ValueOf<typeof task>) => ({ ...rest, ...(principal && { principal }) });

type ValueOf<A> = A extends fc.Arbitrary<infer T> ? T : never;
