/**
 * The session tags: the credential, the task, and the workload with the number of its latest cutoff. Minter and deny policy
 * both take them from here, because a denial matches only if it equals the tag character by character. AWS compares tag keys
 * without regard to case, and passes transitive tags on to each role that the session assumes next.
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

/**
 * Returns the cause, 16 characters: a workload id may be longer than a tag, and contain characters that a tag may not have.
 */
export const workloadTag = ({ workload }: Pick<Task, 'workload'>): string => cause('workload', workload.id);
