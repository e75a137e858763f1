/** OCSF 2004: a signal, and what became of it. */
import { defined } from '../domain/defined.js';
import type { AuditEntry } from '../audit/event.js';
import type { Level, Signal } from '../domain/signal.js';
import { resourceOf } from './resource.js';

type Told = NonNullable<AuditEntry['signal']>;

const CREATE = 1;
const CLOSE = 3;

/** Low, medium, high. */
const SEVERITY: Record<Level, number> = { LOW: 2, MEDIUM: 3, HIGH: 4 };

/** New, in progress, suppressed, resolved. */
const STATUS: Record<Signal['state'], number> = {
  accepted: 1,
  recorded: 1,
  observed: 1,
  pending: 1,
  waiting: 2,
  dismissed: 3,
  reacted: 4,
};

export const detectionFinding = ({ type, actor, at }: AuditEntry, signal: Told) => ({
  category_uid: 2,
  class_uid: 2004,
  // Somebody decided, and there is nothing left to do about it.
  activity_id: type === 'signal.decided' ? CLOSE : CREATE,
  severity_id: SEVERITY[signal.level],
  status_id: STATUS[signal.state],
  finding_info: defined({
    uid: signal.id,
    title: `${signal.event} from ${signal.source}`,
    types: [signal.event],
    modified_time: at,
    analytic: signal.reaction && { type_id: 1, type: 'Rule', name: signal.reaction.rule },
  }),
  resources: signal.about.map(resourceOf),
  unmapped: defined({
    state: signal.state,
    source: signal.source,
    reaction: signal.reaction,
    ...(type === 'signal.decided' && actor && { decided_by: actor.id }),
  }),
});
