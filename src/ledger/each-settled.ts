/** Does it for every item. One that fails, e.g. on a record that cannot be read, stops none of the others; at the end it is told. */
export async function eachSettled<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new Error(`${errors.length} of ${items.length} failed`, { cause: errors[0] });
}
