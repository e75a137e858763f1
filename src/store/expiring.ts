/**
 * A text with its expiry written before it: `<milliseconds, base 36> <text>`, nothing before the space when it has none.
 * The expiry is judged when the text is read, by the broker's clock; engines only collect what is long past.
 */

/** How long expired texts are left lying: far beyond any disagreement of clocks. */
export const LITTER_MS = 3_600_000;

export const stamped = (text: string, expiresAt?: number): string => `${expiresAt?.toString(36) ?? ''} ${text}`;

/** What was stamped, or undefined when there is nothing or it has expired. */
export function textAt(now: number, stored: string | null | undefined): string | undefined {
  if (stored === undefined || stored === null) return undefined;
  return expiryOf(stored) > now ? stored.slice(stored.indexOf(' ') + 1) : undefined;
}

export const isLitter = (now: number, stored: string): boolean => expiryOf(stored) + LITTER_MS <= now;

function expiryOf(stored: string): number {
  const stamp = stored.slice(0, stored.indexOf(' '));
  return stamp === '' ? Infinity : parseInt(stamp, 36);
}
