/** Resource servers that take a signed JWT. They check it themselves or ask the broker, so nothing has to be pushed to them. */
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from '../protocol/oauth.js';
import type { TargetKind } from './kind.js';

export interface JwtMaterial {
  kind: 'jwt';
  /** The signed token. */
  token: string;
}

export const jwt: TargetKind<JwtMaterial> = {
  name: 'jwt',
  resourceNoun: 'a resource server',
  enforced: false,
  owns: () => true,
  detailType: 'task_access',
  hasScope: true,
  detailProblem: () => undefined,
  toPath: (identifier) => identifier,
  toIdentifier: (path) => path,
  tokenTypes: [ACCESS_TOKEN_TYPE, JWT_TYPE],
  tokenType: 'Bearer',
  accessToken: ({ token }) => token,
};
