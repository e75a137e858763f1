/** What a timeline says of a question to people: each thing that can become of it reads otherwise. */
import { expect, it } from '@jest/globals';
import { describeEntry } from '../../../src/audit/describe-entry.js';
import { AUDIT_EVENT_TYPES } from '../../../src/domain/audit-event-types.js';

const TYPES = AUDIT_EVENT_TYPES.filter((type) => type.startsWith('approval.'));

it('is told from all others by its words, and names the approval', () => {
  const told = TYPES.flatMap((type) => {
    const says = { 'approval.answered': ['approve', 'deny'], 'approval.emergency': ['emergency'] } as const;
    const answers = type in says ? says[type as keyof typeof says] : [undefined];
    return answers.map((answer) => {
      const approval = { id: 'apr_aabbbbbbbbbbbbbb', ...(answer && { says: answer }) };
      const access = [{ path: 'incident/1', actions: ['write'] }];
      const about = { workload: 'lab:fixer', target: 'https://tickets.example', access, approval };
      return describeEntry({ seq: 1, at: 0, previous: '', type, ...about } as Parameters<typeof describeEntry>[0]);
    });
  });
  expect(told.every((line) => line.startsWith('apr_aabbbbbbbbbbbbbb: '))).toBe(true);
  expect(new Set(told).size).toBe(TYPES.length + 1);
  expect(told).toContain('apr_aabbbbbbbbbbbbbb: the question of lab:fixer is taken back');
});
