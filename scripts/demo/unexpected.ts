/** The error of a step that did not go as the story says: what was expected, and what came instead. */
export class Unexpected extends Error {
  override name = 'Unexpected';
  readonly expected: string;
  readonly came: string;

  constructor(expected: string, came: string) {
    super(`expected ${expected}, came ${came}`);
    this.expected = expected;
    this.came = came;
  }
}

export function expectThat(holds: boolean, expected: string, came: string | number): asserts holds {
  if (!holds) throw new Unexpected(expected, String(came));
}
