/** An identity check that trusts one OIDC issuer, `lab`. Most attacks on tokens start from it. */
import type { Identify } from '../../../src/identity/identify.js';
import { createDoorstep, type Doorstep } from './identity.js';
import { createIssuer, type TestIssuer } from './issuer.js';

export interface Lab extends Doorstep {
  issuer: TestIssuer;
  identifyLab: Identify;
  /** Tries the token as a subject token. */
  present(token: string): ReturnType<Identify>;
}

export async function createLab(trust: object = {}, algorithms?: string[]): Promise<Lab> {
  const door = createDoorstep();
  const issuer = await createIssuer({ clock: door.clock, ...(algorithms && { algorithms }) });
  const jwks = { file: door.file('lab.json', issuer.jwks()) };
  const identifyLab = door.identify([{ kind: 'oidc', name: 'lab', issuer: issuer.url, jwks, ...trust }]);
  return { ...door, issuer, identifyLab, present: (token) => identifyLab(token, { use: 'subject' }) };
}
