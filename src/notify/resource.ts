/** What something is about, as OCSF names resources. */
import type { Selector } from '../domain/selector.js';

/** `all` has no value of its own, and OCSF wants one. */
export const resourceOf = ({ kind, value }: Selector) => ({ type: kind, uid: kind === 'all' ? 'all' : value });
