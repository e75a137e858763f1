import { IdentityUnavailable } from '../errors.js';
import type { IdentitySource } from '../request.js';
import { kept } from './kept.js';

/** The part of the AWS SDK that is used: `STS` of `@aws-sdk/client-sts`, which the application brings along. */
interface Sts {
  getWebIdentityToken(input: {
    Audience: string[];
    SigningAlgorithm: string;
    DurationSeconds: number;
  }): Promise<{ WebIdentityToken?: string | undefined }>;
}

/**
 * Proves the AWS role of this process (AWS outbound identity federation), so any role can be a workload.
 * @param sts `new STS({ region })` of `@aws-sdk/client-sts`
 * @param audience what the broker expects as `aud`: its issuer, unless its configuration says otherwise
 */
export const fromAws = (sts: Sts, audience: string): IdentitySource =>
  kept(async () => {
    const wish = { Audience: [audience], SigningAlgorithm: 'ES384', DurationSeconds: 300 };
    const { WebIdentityToken: token } = await sts.getWebIdentityToken(wish);
    if (token === undefined) throw new IdentityUnavailable('AWS gave no token.');
    return token;
  });
