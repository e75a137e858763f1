/** Fields that are left out of a stored record are restored when it is read. */
import { describe, expect, it } from '@jest/globals';
import { credentialSchema, credentialText, type Credential } from '../../../src/domain/credential.js';
import { taskSchema, taskText, type Task } from '../../../src/domain/task.js';

const newborn: Task = {
  id: 'tsk_aaaaaaaaaaaaaaaa',
  lineage: [],
  workload: { kind: 'workload', id: 'lab:agent', issuer: 'lab' },
  purpose: 'summarise',
  purposeFrom: 'agent',
  openedAt: 1,
  deadline: 2,
  epoch: 'g.0',
  credentials: [],
  suspensions: 0,
  suspended: false,
  revision: 0,
};
const active: Credential = {
  id: 'crd_aaaaaaaaaaaaaaaa',
  task: newborn.id,
  kind: 'jwt',
  target: 'https://tickets.example',
  access: [{ path: 'incident/4711', actions: ['read'] }],
  issuedAt: 1,
  expiresAt: 2,
  epoch: 'g.0',
  state: 'active',
};

describe('A stored record', () => {
  it.each<[string, Partial<Task>]>([
    ['as it is born', {}],
    ['with ancestors', { lineage: ['tsk_bbbbbbbbbbbbbbbb'] }],
    [
      'for a person who was proven',
      {
        principal: {
          kind: 'person',
          id: 'staff:ada',
          issuer: 'staff',
          groups: ['finance'],
          claims: { desk: '7', roles: ['a'] },
        },
        principalProven: true,
      },
    ],
    ['that had another team', { formerly: [{ kind: 'owner', value: 'sre' }] }],
    ['suspended', { suspensions: 1, suspended: true, revision: 1 }],
    ['resumed', { suspensions: 1, revision: 2 }],
  ])('reads as the task that was written: %s', (_, change) => {
    const task = { ...newborn, ...change };
    expect(taskSchema.parse(JSON.parse(taskText(task)))).toEqual(task);
  });

  it.each(['active', 'reserved'] as const)('reads as the credential that was written: %s', (state) => {
    expect(credentialSchema.parse(JSON.parse(credentialText({ ...active, state })))).toEqual({ ...active, state });
  });
});
