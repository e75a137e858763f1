/** Risk: how far somebody or something is trusted less than usual, and until when. It decays a level at a time. Pure. */
import { z } from 'zod';
import { moment } from './schemas.js';
import { LEVELS, type Level } from './signal.js';

export const riskSchema = z.strictObject({
  level: z.enum(LEVELS),
  /** When it was set, milliseconds. */
  at: moment,
  /** How long it stays at a level before it falls to the next. */
  stepSeconds: z.int().positive(),
  /** The signal that set it. */
  signal: z.string(),
  why: z.string(),
});

/** As recorded under one cause. */
export type Risk = z.infer<typeof riskSchema>;

/** What is left of it by now. */
export function levelNow(risk: Risk, now: number): Level {
  const steps = Math.floor(Math.max(0, now - risk.at) / (risk.stepSeconds * 1000));
  return LEVELS[Math.max(0, rankOf(risk.level) - steps)] ?? 'LOW';
}

/** What it falls to next, and when (milliseconds); undefined: nothing is left of it. */
export function nextFall(risk: Risk, now: number): { to: Level; at: number } | undefined {
  const to = LEVELS[rankOf(levelNow(risk, now)) - 1];
  const stepMs = risk.stepSeconds * 1000;
  const steps = Math.floor(Math.max(0, now - risk.at) / stepMs);
  return to && { to, at: risk.at + (steps + 1) * stepMs };
}

/** When nothing is left of it. Milliseconds. */
export const goneAt = ({ level, at, stepSeconds }: Risk): number => at + rankOf(level) * stepSeconds * 1000;

export const highest = (levels: readonly Level[]): Level =>
  levels.reduce((most, level) => (rankOf(level) > rankOf(most) ? level : most), 'LOW');

/** Nobody lowers a risk by reporting a smaller one: it only decays. */
export const worse = (one: Risk | undefined, other: Risk, now: number): Risk =>
  one && rankOf(levelNow(one, now)) > rankOf(other.level) ? one : other;

const rankOf = (level: Level): number => LEVELS.indexOf(level);
