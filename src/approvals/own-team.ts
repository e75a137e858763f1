/** Whose yes is not enough alone: that of the team whose agent asks, or has it ask. */
import type { Settings } from '../authorization/deps.js';
import { teamOf } from '../authorization/team.js';
import type { Approval } from '../domain/approval.js';
import type { Party } from '../domain/party.js';

/**
 * Returns whether the person belongs to a team whose agent asks, opened its task, or handed it on: they may agree, and not alone. Somebody whose
 * groups could not be read may belong to any.
 */
export function isOfOwner(
  owners: Settings['owners'],
  { groups, owner, unread = [] }: Party,
  { workload, openedBy, chain = [] }: Pick<Approval, 'workload' | 'openedBy' | 'chain'>,
): boolean {
  const teams = new Set([workload, openedBy, ...chain].flatMap((one) => one?.owner ?? []));
  if (teams.size === 0) return false;
  if (groups.length === 0 && unread.length > 0) return true;
  return [...teams].some((team) => team === owner || groups.includes(peopleOf(owners, team)));
}

/** Returns the group of a team's people. */
const peopleOf = (owners: Settings['owners'], team: string): string => teamOf(owners, team)?.members ?? team;
