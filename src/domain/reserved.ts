/**
 * The words that the code writes where the name of somebody could stand: as an actor, as the source of a signal, before the
 * subject in an id, as a kind of selector. They are all here, and the configuration takes none of them as a name: a trust entry
 * named `reaction` would make `reaction:edr` the id of a workload, and its acts would read like those of a reaction.
 */
import { SELECTOR_KINDS } from './selector.js';
import { DETECTOR } from './signal.js';

/** The actor for what a broker does by itself: it expires tasks, lifts holds whose time is up. */
export const BROKER = 'broker';

/** The actor for whoever has the store's credentials, and uses the command line. */
export const LOCAL = 'local';

/** The actor of what `mayfly doctor` writes to try a store. */
export const DOCTOR = 'doctor';

const REACTION = 'reaction';

/** Returns the actor for what a reaction does without a person. */
export const reactionActor = (rule: string): string => `${REACTION}:${rule}`;

/** Source of signals by `POST /signals/json`, in metrics, which do not name each caller. */
export const JSON_SOURCE = 'json';

/** Reaction of a signal that no reaction fits, in metrics. */
export const NO_REACTION = 'none';

/** What stands before a SPIFFE ID, a session name at AWS, and an address, where ids of other parties have a trust name. */
const BEFORE_IDS = ['spiffe', 'wl', 'email'];

export const RESERVED_WORDS: ReadonlySet<string> = new Set([
  ...[BROKER, LOCAL, DOCTOR, REACTION, DETECTOR, JSON_SOURCE, NO_REACTION],
  ...BEFORE_IDS,
  ...SELECTOR_KINDS,
]);
