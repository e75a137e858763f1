/** The identity check for identity tests: trusts written as in the configuration file, key documents in a temporary directory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema } from '../../../src/config/schema.js';
import type { Trust } from '../../../src/config/trust-schema.js';
import { openIssuers } from '../../../src/identity/issuer-keys.js';
import { createIdentify, type Identify } from '../../../src/identity/identify.js';
import { noProxy } from '../../../src/outbound/proxy.js';
import { handClock, type HandClock } from '../clock.js';
import { BROKER } from './issuer.js';

export interface Doorstep {
  clock: HandClock;
  directory: string;
  /** Writes a file that trusts can name. */
  file(name: string, content: unknown): string;
  identify(trust: object[]): Identify;
  remove(): void;
}

export function createDoorstep(): Doorstep {
  const directory = mkdtempSync(join(tmpdir(), 'identity-'));
  const clock = handClock();
  const around = { clock, baseDirectory: directory, proxyFor: noProxy };
  return {
    clock,
    directory,
    file: (name, content) => {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      writeFileSync(join(directory, name), text);
      return name;
    },
    identify: (trust) =>
      createIdentify({
        issuers: openIssuers(parseTrust(trust), around),
        issuer: BROKER,
        clock,
        clockSkewSeconds: 5,
      }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Returns the trust entry as the configuration would have it, with its defaults. */
const parseTrust = (trust: object[]): Trust[] => configSchema.shape.trust.parse(trust);
