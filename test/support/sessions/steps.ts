/** The steps of a random life of AWS sessions, drawn by fast-check. */
import fc from 'fast-check';
import type { Effect, SelectorKind } from '../../../src/domain/selector.js';
import type { MintFault } from './memory-aws.js';

/** A number chooses among the sessions, tasks or holds that exist at that moment. */
const which = fc.nat(1_000);
const act = {
  mint: fc.record({
    op: fc.constant('mint' as const),
    who: which,
    role: which,
    under: fc.option(which, { nil: undefined }),
    forPerson: fc.boolean(),
    lifetimeSeconds: fc.constantFrom(60, 300, 900, 3_600),
    fault: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom<MintFault>('refused', 'unheard', 'lost', 'never') },
    ),
  }),
  open: fc.record({
    op: fc.constant('open' as const),
    who: which,
    under: fc.option(which, { nil: undefined }),
    deadlineSeconds: fc.constantFrom(120, 7_200),
  }),
  task: fc.record({ op: fc.constantFrom('complete' as const, 'suspend' as const, 'resume' as const), what: which }),
  revoke: fc.record({
    op: fc.constant('revoke' as const),
    kind: fc.constantFrom<SelectorKind>('credential', 'task', 'workload', 'principal', 'issuer', 'owner', 'target'),
    what: which,
    effect: fc.constantFrom<Effect>('cutoff', 'cutoff', 'cutoff', 'hold'),
  }),
  everything: fc.record({
    op: fc.constant('revoke' as const),
    kind: fc.constant('all' as const),
    what: which,
    effect: fc.constantFrom<Effect>('cutoff', 'hold'),
  }),
  lift: fc.record({ op: fc.constant('lift' as const), what: which }),
  pass: fc.record({ op: fc.constant('pass' as const), seconds: fc.constantFrom(1, 1, 2, 5, 13, 61, 200) }),
  trouble: fc.record({ op: fc.constantFrom('fail' as const, 'tamper' as const), role: which }),
  restart: fc.record({ op: fc.constantFrom('restart' as const, 'crash' as const) }),
  lose: fc.record({ op: fc.constantFrom('move the log' as const, 'wipe the store' as const) }),
};

export const scenarios = fc.array(
  fc.oneof(
    { weight: 36, arbitrary: act.mint },
    { weight: 8, arbitrary: act.open },
    { weight: 8, arbitrary: act.task },
    { weight: 12, arbitrary: act.revoke },
    { weight: 5, arbitrary: act.lift },
    { weight: 16, arbitrary: act.pass },
    { weight: 1, arbitrary: act.everything },
    { weight: 3, arbitrary: act.trouble },
    { weight: 3, arbitrary: act.restart },
    { weight: 1, arbitrary: act.lose },
  ),
  { minLength: 8, maxLength: 30, size: 'max' },
);

export type Scenario = typeof scenarios extends fc.Arbitrary<infer S> ? S : never;
export type Step = Scenario[number];
export type Played<Op extends Step['op']> = Extract<Step, { op: Op }>;
