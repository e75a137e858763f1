/** The yardstick: one ES256 signature by jose over the claims of an access token, as many at once as there are connections. */
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { many, type Signer } from './issuer.js';

export interface SignatureCost {
  perSecond: number;
  cpuMicroseconds: number;
}

export async function signatureCost(token: string, { privateKey }: Signer, count: number): Promise<SignatureCost> {
  const claims = decodeJwt(token);
  const { kid = '' } = decodeProtectedHeader(token);
  const sign = () => new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid }).sign(privateKey);
  await many(count / 4, sign);
  const [from, cpuFrom] = [performance.now(), process.cpuUsage()];
  await many(count, sign);
  const { user, system } = process.cpuUsage(cpuFrom);
  return { perSecond: (count * 1000) / (performance.now() - from), cpuMicroseconds: (user + system) / count };
}
