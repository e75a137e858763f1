/** Whom a source of signals may speak of, by trust names: signals about others change nothing, and no reaction reaches them. */
import type { Trust } from '../config/schema.js';
import type { SignalsConfig } from '../config/signals-schema.js';
import { DETECTOR, type Signal } from '../domain/signal.js';

interface SpeakingSettings {
  trust: readonly Trust[];
  signals: Pick<SignalsConfig, 'transmitters' | 'about'>;
}

/** The name of a transmitter has no colon, and the id of a caller has one. */
export function maySpeakOf({ trust, signals }: SpeakingSettings, source: Signal['source']): readonly string[] {
  const everybody = trust.map(({ name }) => name);
  if (source === DETECTOR) return everybody;
  if (source.includes(':')) return signals.about ?? everybody;
  return signals.transmitters.find(({ name }) => name === source)?.about ?? [];
}
