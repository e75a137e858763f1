/** What ends what: a task, a credential of each kind, and those whose risk counts. */
import { describe, expect, it } from '@jest/globals';
import {
  credentialCauses,
  hangsOn,
  partyCauses,
  risksFor,
  sessionCuts,
  taskCauses,
  unnamedCauses,
} from '../../../src/domain/hangs-on.js';
import { cause, causesOf, EVERYTHING } from '../../../src/domain/selector.js';

const party = (id: string) => ({ kind: 'workload' as const, id, issuer: 'lab', owner: `${id}-team` });
const ADA = { kind: 'person' as const, id: 'staff:ada', issuer: 'staff', claims: { email: 'Ada@staff.example' } };

describe('A task', () => {
  it('a child hangs on everything its parent hangs on', () => {
    const parent = { id: 'tsk_p', lineage: [], workload: party('lab:a'), openedBy: party('lab:boss') };
    const child = { id: 'tsk_c', lineage: ['tsk_p'], workload: party('lab:b'), inherits: taskCauses(parent) };
    expect(taskCauses(child)).toEqual(expect.arrayContaining(taskCauses(parent)));
    const own = [
      ['task', 'tsk_c'],
      ['workload', 'lab:b'],
      ['owner', 'lab:b-team'],
      ['owner', 'lab:boss-team'],
      ['principal', 'lab:b'],
      ['principal', 'lab:a'],
    ] as const;
    expect(taskCauses(child)).toEqual(expect.arrayContaining(own.map(([kind, value]) => cause(kind, value))));
    expect(new Set(taskCauses(child)).size).toBe(taskCauses(child).length);
  });

  it('hangs on the person whom it serves by their id and by their address, and not on its workload as a principal', () => {
    const task = { id: 'tsk_a', lineage: [], workload: party('lab:a'), principal: ADA };
    expect(taskCauses(task)).toEqual(
      expect.arrayContaining([
        cause('principal', 'staff:ada'),
        cause('principal', 'email:staff/ada@staff.example'),
        cause('issuer', 'staff'),
      ]),
    );
    expect(taskCauses(task)).not.toContain(cause('principal', 'lab:a'));
  });

  it('answers for its risk with itself, those above it, its workload and whom it serves, the narrowest first', () => {
    const task = { id: 'tsk_a', lineage: ['tsk_p'], workload: party('lab:a'), openedBy: party('lab:boss') };
    expect(risksFor({ ...task, principal: ADA }, ['crd_a']).map(({ kind, value }) => `${kind} ${value}`)).toEqual([
      'credential crd_a',
      'task tsk_a',
      'task tsk_p',
      'workload lab:a',
      'principal staff:ada',
      'principal email:staff/ada@staff.example',
    ]);
    expect(risksFor(task, []).at(-1)).toEqual({ kind: 'principal', value: 'lab:a' });
  });
});

describe('A credential', () => {
  const task = { id: 'tsk_a', lineage: [], workload: party('lab:a') };
  const derived = { id: 'crd_b', target: 'arn:role', from: { credential: 'crd_a', target: 'https://broker.example' } };

  it.each([
    ['that a target asks about', derived, 1],
    ['that must be pushed to its target', { ...derived, workloadSeq: 0 }, 2],
  ])('hangs on the same by name and by cause: one %s', (_, credential, cuts) => {
    const named = hangsOn(credential, task);
    const causes = credentialCauses(credential, task);
    expect(new Set(causesOf(named))).toEqual(new Set(causes));
    expect(unnamedCauses(credential, task, named)).toEqual([]);
    expect(named.at(-1)).toEqual(EVERYTHING);
    expect(sessionCuts('arn:role', 'lab:a').filter((one) => causes.includes(one))).toHaveLength(cuts);
  });

  it('hangs on the run that it was issued to, and on the run that opened its task', () => {
    const opened = { ...task, workload: { ...task.workload, subject: 'lab:run-1' } };
    const causes = credentialCauses({ ...derived, subject: 'lab:run-2' }, opened);
    expect(causes).toEqual(expect.arrayContaining([cause('subject', 'lab:run-1'), cause('subject', 'lab:run-2')]));
    expect(taskCauses(opened)).not.toContain(cause('subject', 'lab:run-2'));
    const risks = risksFor(opened, [], { subject: 'lab:run-2' }).map(({ kind, value }) => `${kind} ${value}`);
    expect(risks).toEqual([
      'subject lab:run-2',
      'task tsk_a',
      'workload lab:a',
      'subject lab:run-1',
      'principal lab:a',
    ]);
  });

  it('hangs on the session that asked for it, and on that by which the person of its task was proven', () => {
    const principal = { kind: 'person', id: 'staff:ada', issuer: 'staff', session: 'staff:s-1' } as const;
    const opened = { ...task, principal };
    const causes = credentialCauses({ ...derived, session: 'staff:s-2' }, opened);
    expect(causes).toEqual(expect.arrayContaining([cause('session', 'staff:s-1'), cause('session', 'staff:s-2')]));
    expect(taskCauses(opened)).not.toContain(cause('session', 'staff:s-2'));
    const risks = risksFor(opened, [], { session: 'staff:s-2' }).filter(({ kind }) => kind === 'session');
    expect(risks.map(({ value }) => value)).toEqual(['staff:s-2', 'staff:s-1']);
  });

  it('a caller hangs on itself, its issuer and its team', () => {
    expect(partyCauses(party('lab:a'))).toEqual(
      causesOf([
        { kind: 'workload', value: 'lab:a' },
        { kind: 'issuer', value: 'lab' },
        { kind: 'owner', value: 'lab:a-team' },
      ]),
    );
  });
});
