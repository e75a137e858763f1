/** What was granted and what was used of it, added up from entries of the audit log. */
import { covers, normalise, pairsOf, type Access } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import type { AuditEntry } from './event.js';

export interface Use {
  /** Absent: uses that were too many to be kept apart. */
  path?: string;
  action?: string;
  permitted: number;
  denied: number;
  /** When the latest of them was entered, in milliseconds. */
  lastAt: number;
  /** The party that says so. Absent: the broker itself decided it. */
  reportedBy?: string;
}

interface Grant {
  access: Access[];
  /** The ids of the policies that permitted it. */
  policies: string[];
  /** Milliseconds. */
  issuedAt: number;
  expiresAt: number;
}

export interface CredentialUsage {
  id: string;
  target: string;
  /** Absent: the entry of the grant was not among those that were added. */
  grant?: Grant;
  uses: Use[];
}

interface Usage {
  /** Entries that are about neither a grant nor a use of a credential change nothing. */
  add(entry: AuditEntry): void;
  /** In the order in which they were granted. */
  credentials(): CredentialUsage[];
}

/** @param usesMost of all credentials together; what is beyond is counted for its credential and reporter alone */
export function addUp(usesMost: number): Usage {
  const credentials = new Map<string, { credential: CredentialUsage; byKey: Map<string, Use> }>();
  let kept = 0;

  function credentialOf({ credential: id = '', target = '' }: AuditEntry) {
    const found = credentials.get(id) ?? { credential: { id, target, uses: [] }, byKey: new Map<string, Use>() };
    credentials.set(id, found);
    return found;
  }

  function count(entry: AuditEntry, answer: 'permitted' | 'denied'): void {
    const { credential, byKey } = credentialOf(entry);
    const [{ path, actions } = {}] = entry.access ?? [];
    const action = actions?.[0];
    const reportedBy = entry.type === 'access.reported' ? entry.actor?.id : undefined;
    const named = JSON.stringify([reportedBy, path, action]);
    const isKept = byKey.has(named) || kept < usesMost;
    const key = isKept ? named : JSON.stringify([reportedBy]);
    const use =
      byKey.get(key) ?? defined({ ...(isKept && { path, action }), permitted: 0, denied: 0, lastAt: 0, reportedBy });
    if (!byKey.has(key)) {
      byKey.set(key, use);
      credential.uses.push(use);
      kept += 1;
    }
    use[answer] += entry.times ?? 1;
    use.lastAt = Math.max(use.lastAt, entry.at);
  }

  return {
    add(entry) {
      if (entry.credential === undefined) return;
      const {
        type,
        access = [],
        at: issuedAt,
        expiresAt = issuedAt,
        decision: { policies } = { policies: [] },
      } = entry;
      if (type === 'credential.granted')
        credentialOf(entry).credential.grant = { access, policies, issuedAt, expiresAt };
      if (type === 'access.permitted') count(entry, 'permitted');
      if (type === 'access.denied') count(entry, 'denied');
      if (type === 'access.reported') count(entry, entry.outcome === 'permitted' ? 'permitted' : 'denied');
    },
    credentials: () => [...credentials.values()].map(({ credential }) => credential),
  };
}

type NamedUse = Pick<Use, 'path' | 'action'>;

/** Returns whether the access covers a use. One that was not kept apart is covered by nothing. */
export const isGranted = (access: readonly Access[], { path, action }: NamedUse): boolean =>
  path !== undefined &&
  action !== undefined &&
  access.some((entry) => entry.actions.includes(action) && covers(entry.path, path));

/** Returns the part of the access of which no permitted use is known. */
export function unusedOf(access: readonly Access[], uses: readonly Use[]): Access[] {
  const permitted = uses.filter((use) => use.permitted > 0);
  const pairs = pairsOf(access).map(({ path, action }) => ({ path, actions: [action] }));
  return normalise(pairs.filter((pair) => !permitted.some((use) => isGranted([pair], use))));
}
