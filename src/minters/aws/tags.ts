/**
 * The session tags: which credential, which task, which workload since when. Written here alone, for what the deny policy
 * says must be, character by character, what the session was born with. AWS compares tag keys without regard to case and
 * passes transitive ones on to whatever role the session assumes next.
 */
import type { Credential } from '../../domain/credential.js';
import { cause } from '../../domain/selector.js';
import type { Task } from '../../domain/task.js';

export interface SessionTags {
  jc: string;
  jt: string;
  jw: string;
}

export const tagsOf = (
  credential: Pick<Credential, 'id' | 'workloadSeq'>,
  task: Pick<Task, 'id' | 'workload'>,
): SessionTags => ({
  jc: credentialTag(credential.id),
  jt: taskTag(task.id),
  jw: `${workloadTag(task)}@${credential.workloadSeq ?? 0}`,
});

export const credentialTag = (id: string): string => id.replace(/^crd_/, '');
export const taskTag = (id: string): string => id.replace(/^tsk_/, '');

/** Sixteen characters: the workload's own id may be longer than a tag and have characters that none may have. */
export const workloadTag = ({ workload }: Pick<Task, 'workload'>): string => cause('workload', workload.id);
