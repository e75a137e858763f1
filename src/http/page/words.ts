/** What records say, in the words that people read: times, lifetimes, parties, access. */
import { isPattern, type Access } from '../../domain/access.js';
import type { PartyRef } from '../../domain/party.js';
import { HOUR_MS, MINUTE_MS, toTimestamp } from '../../domain/time.js';
import { html, type Html } from './html.js';

/** Returns the moment as a time that a machine reads too, and how far away it is. */
export const moment = (at: number, now: number): Html =>
  html`<time datetime="${toTimestamp(at)}">${toTimestamp(at).slice(0, 16).replace('T', ' ')} UTC</time>
    (${distance(at - now)})`;

function distance(ms: number): string {
  const text = duration(Math.abs(ms) / 1000);
  return ms >= 0 ? `in ${text}` : `${text} ago`;
}

export function duration(seconds: number): string {
  const ms = seconds * 1000;
  if (ms >= 2 * HOUR_MS) return counted(Math.round(ms / HOUR_MS), 'hour');
  if (ms >= 2 * MINUTE_MS) return counted(Math.round(ms / MINUTE_MS), 'minute');
  return counted(Math.round(seconds), 'second');
}

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const partyName = ({ id, owner }: Pick<PartyRef, 'id' | 'owner'>): Html =>
  html`<strong>${id}</strong>${owner === undefined ? undefined : html`, of the team <strong>${owner}</strong>`}`;

/** What a person can take away from a request: one action on one path. */
export const pairText = ({ path, action }: Record<'path' | 'action', string>): Html =>
  html`<span><strong>${action}</strong> <code>${path}</code></span>`;

/** Returns what the wildcards of the paths stand for; undefined where there are none. */
export function patternNote(access: readonly Access[]): Html | undefined {
  const paths = access.map(({ path }) => path).filter(isPattern);
  if (paths.length === 0) return undefined;
  const many = paths.some((path) => path.split('/').at(-1) === '**');
  const meaning = many ? '** stands for everything below it' : '* stands for any one name';
  return html`<p class="small">${meaning}: what is there now, and what will be.</p>`;
}
