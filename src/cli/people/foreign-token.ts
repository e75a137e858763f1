/** What a token says that the broker did not take for a credential of its own. Nobody has verified it, and it is never shown. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { toTimestamp } from '../../domain/time.js';
import { factLines } from './lines.js';

const JWS = /eyJ[\w-]+\.[\w-]+\.[\w-]*/;
const CHARACTERS_SHOWN = 200;

/** Returns nothing where no claim can be read. */
export function foreignToken(text: string): string[] {
  const [token] = JWS.exec(text) ?? [];
  if (token === undefined) return [];
  try {
    const { typ } = decodeProtectedHeader(token);
    const { iss, sub, aud, exp, azp, email } = decodeJwt(token);
    const shown = (value: unknown) =>
      value === undefined ? undefined : JSON.stringify(value).slice(0, CHARACTERS_SHOWN);
    return [
      'It is a token that says of itself, and nobody has verified it:',
      ...factLines([
        ['type', shown(typ)],
        ['issuer', shown(iss)],
        ['subject', shown(sub)],
        ['e-mail', shown(email)],
        ['audience', shown(aud)],
        ['client', shown(azp)],
        ['expires', exp === undefined ? undefined : toTimestamp(exp * 1000)],
      ]),
      'If it proves an identity here, whoever has it can ask for credentials until it expires: mayfly whatis <trust name>:<sub>',
    ];
  } catch {
    return [];
  }
}
