/** As much of IAM's policy language as the setup of an account speaks. */
type Condition = Partial<Record<'StringEquals' | 'StringLike' | 'Null', Record<string, string | readonly string[]>>>;

export interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  /** In trust policies, in place of `Resource`. */
  Principal?: { Federated: string };
  Action: readonly string[];
  Resource?: readonly string[];
  Condition?: Condition;
}

export interface PolicyDocument {
  Version: '2012-10-17';
  Statement: readonly Statement[];
}

export const policyDocument = (...statements: readonly Statement[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: statements,
});

/** As IAM counts it against its quotas: without white space. */
export const sizeOf = (document: PolicyDocument): number => JSON.stringify(document).replaceAll(/\s/g, '').length;
