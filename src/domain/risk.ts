/**
 * Risk: how much less than usual a task, credential, workload or principal is trusted, and until when. It decays level by
 * level.
 */
import { z } from 'zod';
import { moment } from './schemas.js';
import { LEVELS, type Level } from './signal.js';

export const riskSchema = z.strictObject({
  level: z.enum(LEVELS),
  /** The moment at which it was set. */
  at: moment,
  /** The risk stays at each level for this long before it falls to the next. */
  stepSeconds: z.int().positive(),
  /** The signal that set it. */
  signal: z.string(),
  why: z.string(),
});

/** A risk as it is stored under one cause. */
export type Risk = z.infer<typeof riskSchema>;

/** Returns the level that is left at this moment. */
export function levelNow(risk: Risk, now: number): Level {
  const steps = Math.floor(Math.max(0, now - risk.at) / (risk.stepSeconds * 1000));
  return LEVELS[Math.max(0, rankOf(risk.level) - steps)] ?? 'LOW';
}

/** Returns the next lower level and the moment (milliseconds) at which the risk falls to it, or undefined if nothing is left. */
export function nextFall(risk: Risk, now: number): { to: Level; at: number } | undefined {
  const to = LEVELS[rankOf(levelNow(risk, now)) - 1];
  const stepMs = risk.stepSeconds * 1000;
  const steps = Math.floor(Math.max(0, now - risk.at) / stepMs);
  return to && { to, at: risk.at + (steps + 1) * stepMs };
}

/** Returns the moment from which the risk is at this level or below it. Milliseconds. */
export const fallenTo = (most: Level, { level, at, stepSeconds }: Risk): number =>
  at + Math.max(0, rankOf(level) - rankOf(most)) * stepSeconds * 1000;

/** Returns the moment from which nothing is left of the risk. Milliseconds. */
export const goneAt = (risk: Risk): number => fallenTo('LOW', risk);

/** Returns the levels below this one, the highest first. */
export const levelsBelow = (level: Level): Level[] => LEVELS.slice(0, rankOf(level)).reverse();

export const highest = (levels: readonly Level[]): Level =>
  levels.reduce((most, level) => (rankOf(level) > rankOf(most) ? level : most), 'LOW');

/**
 * Returns the higher of a stored risk and a new one. A lower report does not lower a risk, because a thief could send one:
 * risk only decays.
 */
export const worse = (one: Risk | undefined, other: Risk, now: number): Risk =>
  one && rankOf(levelNow(one, now)) > rankOf(other.level) ? one : other;

const rankOf = (level: Level): number => LEVELS.indexOf(level);
