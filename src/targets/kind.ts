/**
 * The port of a target kind: all that the rest of the broker may ask about a kind of target. One file implements it for
 * each kind, and `kinds.ts` is the table of them. What is not asked here, only that file and the kind's minter know.
 */

/**
 * `Material` is what the minter of the kind makes, `Configured` an entry of `targets` in the configuration. A kind is looked
 * up by the name in these, so it never gets those of another kind.
 */
export interface TargetKind<Material = unknown, Configured extends { resource: string } = { resource: string }> {
  /** In the configuration (`minter`), in records of credentials and in receipts. */
  readonly name: string;
  /** With its article, for messages: "an IAM role". */
  readonly resourceNoun: string;
  /**
   * Whether the target accepts a credential until a revocation has been pushed to it. Such a credential is reserved before it
   * is minted, and is dead for the target only when the enforcer of its minter has said so.
   */
  readonly enforced: boolean;
  /**
   * Returns whether a resource is, by its form, a target of this kind. The form must say it: records keep the resource
   * alone.
   */
  owns(resource: string): boolean;

  /** RFC 9396 §2: the `type` of an authorization detail for such a target. */
  readonly detailType: string;
  /** Whether access can be asked for as `scope`, too. */
  readonly hasScope: boolean;
  /**
   * Returns what is wrong with a detail, as a sentence; undefined where nothing is. Characters and length are checked for
   * all kinds alike.
   */
  detailProblem(resource: string, identifier: string, actions: readonly string[]): string | undefined;
  /** Returns the `identifier` of a sound detail as the path that policy sees. */
  toPath(identifier: string, actions: readonly string[]): string;
  /** Returns the identifier of a path: the inverse of `toPath`. */
  toIdentifier(path: string, resource: string, actions: readonly string[]): string;

  /** RFC 8693 §2.1: what may be asked for as `requested_token_type`. The first is the `issued_token_type`. */
  readonly tokenTypes: readonly [string, ...string[]];
  /** RFC 8693 §2.2.1: how the `access_token` is used; `N_A` where it is no OAuth token. */
  readonly tokenType: 'Bearer' | 'N_A';
  /** Returns the material as the text of `access_token`. */
  accessToken(material: Material): string;

  /** Where the target itself names its credentials: what the name is called on the wire, and all such names in a text. */
  readonly handles?: { readonly label: string; findIn(text: string): Iterable<string> };
  /** What a target of this kind looks for in the metadata of the broker, beside what RFC 8414 asks. */
  readonly metadata?: Readonly<Record<string, readonly string[]>>;

  /** Where two resources can be one target to the vendor: what distinguishes them, and the problem of two that are alike. */
  readonly identity?: { of(resource: string): string; readonly clash: string };
  /**
   * Returns what is wrong with an entry of the configuration beyond its schema. `targets` are the resources of all entries.
   */
  settingProblems?(configured: Configured, targets: ReadonlySet<string>): readonly SettingProblem[];
}

export interface SettingProblem {
  /** Within the entry. */
  readonly path: readonly string[];
  /** The end of a sentence that begins with the path. */
  readonly reason: string;
}
