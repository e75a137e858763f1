/** The hash chain and its verification, attacked with random edits of lines and bytes. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { beginningOf, entryText, extendChain, GENESIS, type Place } from '../../../src/audit/chain.js';
import type { AuditEvent } from '../../../src/audit/event.js';
import { cutLines, verifyExport } from '../../../src/audit/verify.js';

const event = (reason: string): AuditEvent => ({ type: 'operation.refused', at: 1, reason });
const chainOf = (reasons: readonly string[], from: Place = GENESIS) =>
  extendChain(
    from,
    reasons.map((reason) => entryText(event(reason))),
  );
/** Any text at all, with the replacement character that naive decoding would confuse with damage. */
const reasons = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\uFFFD')), {
  minLength: 1,
  maxLength: 12,
});

const bytesOf = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));
async function* inChunks(bytes: Buffer, size: number) {
  for (let start = 0; start < bytes.length; start += size)
    yield await Promise.resolve(bytes.subarray(start, start + size));
}

describe('the chain', () => {
  it('of untouched lines verifies, in one piece and continued, from the beginning and from a checkpoint', async () => {
    await fc.assert(
      fc.asyncProperty(reasons, reasons, async (first, second) => {
        const older = chainOf(first);
        const newer = chainOf(second, older.end);
        const all = [...older.lines, ...newer.lines];
        expect(await verifyExport(all, newer.end)).toEqual({ ok: true, entries: all.length });
        const rest = await verifyExport(newer.lines, newer.end, older.end);
        expect(rest).toEqual({ ok: true, entries: newer.lines.length });
        expect(all).toEqual(chainOf([...first, ...second]).lines);
      }),
    );
  });

  it('of another version verifies, whatever types and fields its lines have', async () => {
    const { lines, end } = extendChain(GENESIS, ['{"type":"task.ended","at":1,"colour":"red"}', entryText(event('x'))]);
    expect(await verifyExport(lines, end)).toEqual({ ok: true, entries: 2 });
  });

  it('shows the number and the type of a line at its beginning, whatever text follows', () => {
    fc.assert(
      fc.property(reasons, (texts) => {
        const found = chainOf(texts).lines.map(beginningOf);
        expect(found).toEqual(texts.map((_, index) => ({ seq: index + 1, type: 'operation.refused' })));
      }),
    );
    expect(beginningOf('{"prev":"","seq":1,"type":"task.opened"}')).toBeUndefined();
  });

  it('an empty log verifies against its head, and against no other', async () => {
    expect(await verifyExport([], GENESIS)).toEqual({ ok: true, entries: 0 });
    const { end } = chainOf(['x']);
    expect(await verifyExport([], end)).toMatchObject({ ok: false, at: 1 });
    expect(await verifyExport([], GENESIS, end)).toMatchObject({ ok: false });
  });

  it('any change of lines is found: edited, removed, inserted, repeated, reordered, cut off at either end', async () => {
    const place = fc.nat(11);
    const edit = fc.oneof(
      fc.record({ kind: fc.constant('remove' as const), at: place }),
      fc.record({ kind: fc.constant('cut' as const), at: place }),
      fc.record({ kind: fc.constant('behead' as const), at: place }),
      fc.record({ kind: fc.constant('insert' as const), at: place, text: fc.string() }),
      fc.record({ kind: fc.constant('repeat' as const), at: place, to: place }),
      fc.record({ kind: fc.constant('swap' as const), at: place, to: place }),
      fc.record({ kind: fc.constant('forge' as const), at: place, text: fc.string() }),
    );
    await fc.assert(
      fc.asyncProperty(reasons, fc.array(edit, { minLength: 1, maxLength: 3 }), async (texts, edits) => {
        const { lines, end } = chainOf(texts);
        const changed = edits.reduce<string[]>(applied, lines);
        fc.pre(changed.join('\n') !== lines.join('\n') || changed.length !== lines.length);
        expect(await verifyExport(changed, end)).toMatchObject({ ok: false });
      }),
      { numRuns: 500 },
    );
  });

  it('any change of bytes in the exported file is found', async () => {
    const change = fc.record({
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      how: fc.constantFrom('set', 'insert', 'delete'),
    });
    await fc.assert(
      fc.asyncProperty(reasons, change, fc.integer({ min: 1, max: 64 }), async (texts, { at, byte, how }, chunk) => {
        const { lines, end } = chainOf(texts);
        const whole = bytesOf(lines);
        const index = at % (whole.length - 1); // The last newline ends no content.
        const replacement = how === 'delete' ? [] : [byte];
        const changed = Buffer.concat([
          whole.subarray(0, index),
          Buffer.from(replacement),
          whole.subarray(how === 'insert' ? index : index + 1),
        ]);
        const same = changed.equals(whole);
        expect(await verifyExport(cutLines(inChunks(whole, chunk)), end)).toMatchObject({ ok: true });
        expect((await verifyExport(cutLines(inChunks(changed, chunk)), end)).ok).toBe(same);
      }),
      { numRuns: 1000 },
    );
  });

  it('a damaged byte that decoding would repair is found', async () => {
    const { lines, end } = chainOf(['\uFFFD']);
    const bytes = Buffer.from(lines[0]!);
    bytes[bytes.indexOf(0xef)] = 0xf0; // This byte decodes to the replacement character too.
    expect(bytes.toString('utf8')).toBe(lines[0]);
    expect(await verifyExport([bytes], end)).toMatchObject({ ok: false, at: 1 });
  });

  it('a line that claims another number is found, even by whoever could write a consistent chain', async () => {
    const { lines, end } = extendChain({ seq: 4, hash: '' }, [entryText(event('x'))]);
    expect(await verifyExport(lines, { ...end, seq: 1 })).toMatchObject({ ok: false, at: 1 });
  });

  it('says where the first damage is', async () => {
    const { lines, end } = chainOf(['a', 'b', 'c', 'd']);
    const edited = lines.map((line, index) => (index === 1 ? line.replace('"b"', '"B"') : line));
    expect(await verifyExport(edited, end)).toEqual({
      ok: false,
      at: 3,
      reason: 'this line, or the one before it, was changed',
    });
    expect(await verifyExport(lines.slice(0, 2), end)).toEqual({
      ok: false,
      at: 3,
      reason: 'cut off: the head is line 4',
    });
  });
});

describe('an audit entry', () => {
  const token = `eyJhbGciOiJFUzI1NiJ9.${Buffer.from('{"sub":"x"}').toString('base64url')}.c2lnbmF0dXJl`;

  it('has no field for a token, a key or an assertion', () => {
    for (const field of [
      'token',
      'access_token',
      'subject_token',
      'assertion',
      'secret',
      'key',
      'authorization',
      'body',
    ]) {
      expect(() => entryText({ ...event(''), [field]: token })).toThrow();
    }
    expect(() => entryText({ ...event(''), actor: { id: 'x', token } } as AuditEvent)).toThrow();
    expect(() => entryText({ ...event(''), type: 'anything' } as unknown as AuditEvent)).toThrow();
  });

  it('keeps no free text longer than its bound', () => {
    const long = 'x'.repeat(100_000);
    const text = entryText({ ...event(long), purpose: long, ticket: long });
    const { reason, purpose, ticket } = JSON.parse(text) as AuditEvent;
    expect([reason?.length, purpose?.length, ticket?.length]).toEqual([512, 256, 128]);
  });

  it('keeps nothing of a token that was pasted into its text, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const pasted = `${before}${token}${after}`;
        const text = entryText({
          ...event(pasted),
          purpose: pasted,
          ticket: pasted,
          actor: { id: pasted },
          revocation: { id: 'r', effect: 'hold', selector: { kind: 'workload', value: pasted } },
        });
        for (const part of token.split('.')) expect(text).not.toContain(part);
        expect(() => JSON.parse(text) as unknown).not.toThrow();
      }),
    );
  });

  it('keeps names and what was granted as they are, also where they look like secrets', () => {
    const odd = 'ci:repo:acme/app:ref:refs/heads/eyJ.x.y:environment:token=AAAAAAAAAAAAAAAAAAAA';
    const access = [{ path: 'branch/eyJ.x.y/token=AAAAAAAAAAAAAAAAAAAA', actions: ['read'] }];
    const selector = { kind: 'workload', value: odd } as const;
    const named: AuditEvent = {
      ...{ type: 'credential.granted', at: 1, actor: { id: odd }, workload: odd, principal: odd, target: odd, access },
      revocation: { id: 'rev', effect: 'hold', selector },
      signal: { id: 'sig', source: odd, event: 'e', level: 'HIGH', about: [selector], state: 'recorded' },
    };
    expect(JSON.parse(entryText(named))).toEqual(named);
    const { actor, workload, ...asked } = JSON.parse(entryText({ ...named, type: 'credential.refused' })) as AuditEvent;
    expect([actor?.id, workload]).toEqual([odd, odd]);
    expect(JSON.stringify([asked.target, asked.access])).not.toMatch(/eyJ|A{16}/);
  });

  it('keeps encrypted tokens out too', () => {
    expect(entryText(event('see eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn!'))).toContain('"see [token removed]!"');
  });
});

type Edit =
  | { kind: 'remove' | 'cut' | 'behead'; at: number }
  | { kind: 'insert' | 'forge'; at: number; text: string }
  | { kind: 'repeat' | 'swap'; at: number; to: number };

function applied(lines: string[], edit: Edit): string[] {
  const at = edit.at % (lines.length + 1);
  const changed = [...lines];
  switch (edit.kind) {
    case 'remove':
      changed.splice(at, 1);
      return changed;
    case 'cut':
      return changed.slice(0, at);
    case 'behead':
      return changed.slice(at);
    case 'insert':
      changed.splice(at, 0, edit.text);
      return changed;
    case 'repeat':
      if (changed[at] !== undefined) changed.splice(edit.to, 0, changed[at]);
      return changed;
    case 'swap': {
      const [one, other] = [changed[at], changed[edit.to]];
      if (one !== undefined && other !== undefined) [changed[at], changed[edit.to]] = [other, one];
      return changed;
    }
    case 'forge': {
      // A forger without the key can at best make a consistent chain from the edited line on.
      const head = changed.slice(0, at);
      const rest = changed.slice(at).map((line) => line.replace(/^\{"seq":\d+,"prev":"[^"]*",/, '{'));
      if (rest[0] !== undefined) rest[0] = entryText(event(edit.text));
      const whole = head.map((line) => line.replace(/^\{"seq":\d+,"prev":"[^"]*",/, '{'));
      return extendChain(GENESIS, [...whole, ...rest]).lines;
    }
  }
}
