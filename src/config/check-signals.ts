/**
 * Checks how signals fit the rest of a configuration: their sources, whom these may report about, and reactions that can apply.
 */
import { effectFits } from '../domain/selector.js';
import { CALLER_EVENTS, DETECTOR } from '../domain/signal.js';
import { isOwnIssuer } from './own-issuer.js';
import type { ConfigPath, Finding } from './problem.js';
import { claimsOf, repeated, type Claim } from './repeated.js';
import type { Reaction, Transmitter } from './signals-schema.js';
import type { SoundParts } from './sound-parts.js';
import { issuersOf } from './trust-schema.js';

export function signalFindings(parts: SoundParts): Finding[] {
  const { transmitters, reactions, signalsAbout } = parts;
  return [
    ...transmitters.flatMap((one, index) => (one ? transmitterFindings(one, index, parts) : [])),
    ...repeated(claimsOf(['signals', 'transmitters'], transmitters, 'name'), 'is the name of another transmitter'),
    ...repeated(streamsOf(parts), 'and its audience are those of another transmitter: its events would have two names'),
    ...(signalsAbout ? aboutFindings(signalsAbout, ['signals', 'about'], parts) : []),
    ...repeated(claimsOf(['signals', 'reactions'], reactions, 'name'), 'is the name of another reaction'),
    ...reactions.flatMap((one, index) => (one ? reactionFindings(one, index, parts) : [])),
    ...repeated(claimsOf(['notify'], parts.notify, 'name'), 'is the name of another webhook'),
  ];
}

function transmitterFindings({ issuer, about }: Transmitter, index: number, parts: SoundParts): Finding[] {
  const at = ['signals', 'transmitters', index];
  return [
    // Otherwise a token that the broker signs for an agent or a target could pass as an event of a transmitter.
    ...(isOwnIssuer(issuer, parts.issuer)
      ? [{ path: [...at, 'issuer'], reason: 'is the broker itself, which sends itself no events' }]
      : []),
    ...aboutFindings(about, [...at, 'about'], parts),
  ];
}

const streamsOf = ({ transmitters }: SoundParts): Claim[] =>
  transmitters.flatMap((one, index): Claim[] =>
    one ? [[['signals', 'transmitters', index, 'issuer'], JSON.stringify([one.issuer, one.audience])]] : [],
  );

function aboutFindings(about: readonly string[], at: ConfigPath, { trust }: SoundParts): Finding[] {
  // A trust entry that did not parse may be the one that is named.
  if (trust.includes(undefined)) return [];
  const entries = about.map((name) => trust.find((entry) => entry?.name === name));
  const unknown = entries.flatMap((entry, index) =>
    entry ? [] : [{ path: [...at, index], reason: 'is the name of no trust entry' }],
  );
  const issuers = entries.map((entry, index): Claim[] =>
    entry?.kind === 'oidc' ? issuersOf(entry).map(({ issuer }) => [['', index], issuer]) : [],
  );
  const twice = repeated(issuers.flat(), 'has the issuer of another name here: a subject of it would be nobody');
  return [...unknown, ...twice.map(({ path, reason }) => ({ path: [...at, ...path.slice(1)], reason }))];
}

function reactionFindings(reaction: Reaction, index: number, { transmitters }: SoundParts): Finding[] {
  const { do: does, covers, risk, holdSeconds, corroborate, from = [] } = reaction;
  const fits =
    covers === undefined || does === 'record' || (does === 'risk' ? covers !== 'issuer' : effectFits(covers, does));
  const found: [string, boolean, string][] = [
    ['covers', !fits, `is nothing that "${does}" can be done to`],
    ['risk', risk !== undefined && does !== 'risk', 'is for `do: risk`'],
    ['holdSeconds', holdSeconds !== undefined && does !== 'hold', 'is for `do: hold`'],
    [
      'corroborate',
      corroborate !== undefined && corroborate.sources > sourcesMost(reaction),
      'wants more sources than can report it: the reaction would never be taken',
    ],
  ];
  const isKnown = (source: string): boolean =>
    source === DETECTOR || source.includes(':') || transmitters.some((one) => one === undefined || one.name === source);
  return [
    ...found
      .filter(([, wrong]) => wrong)
      .map(([field, , reason]) => ({ path: ['signals', 'reactions', index, field], reason })),
    ...from.flatMap((source, place) =>
      isKnown(source)
        ? []
        : [
            {
              path: ['signals', 'reactions', index, 'from', place],
              reason: 'is no transmitter, no id of a caller, and not "detector": the reaction would never be taken',
            },
          ],
    ),
  ];
}

/** Returns how many sources can report what the reaction wants. A detector is no second source beside others. */
function sourcesMost({ event, from }: Reaction): number {
  if (!CALLER_EVENTS.some((one) => one === event)) return 1;
  return from ? from.filter((source) => source !== DETECTOR).length : Infinity;
}
