/** JSON from strangers: the same values as JSON.parse, or what is wrong, whatever the text. */
import { describe, expect, it } from '@jest/globals';
import { HARD_LIMITS } from '../../../src/domain/limits.js';
import { parseJson, parseStrictJson } from '../../../src/domain/strict-json.js';

const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;

describe('parseStrictJson', () => {
  it.each([
    '{"a":[1,"}",{"b\\"]":"\\\\"}],"c":{}}',
    '[]',
    '"\\u0022:,[{"',
    'null',
    ' {"a" : "b:c" } ',
    nested('[', ']', HARD_LIMITS.jsonDepth),
    nested('{"a":', '}', HARD_LIMITS.jsonDepth),
    `[${'1,'.repeat(HARD_LIMITS.jsonValues - 2)}1]`,
  ])('reads %.40s', (text) => {
    expect(parseStrictJson(text)).toEqual({ value: JSON.parse(text) as unknown });
  });

  it.each([
    ['too deep', nested('[', ']', HARD_LIMITS.jsonDepth + 1)],
    ['too deep', nested('{"a":', '}', HARD_LIMITS.jsonDepth + 1)],
    ['too deep', '['.repeat(60_000)],
    ['too many', `[${'1,'.repeat(HARD_LIMITS.jsonValues)}1]`],
    ['too many', `[${'{},'.repeat(HARD_LIMITS.jsonValues)}{}]`],
    ['too many', ','.repeat(60_000)],
    ['malformed', `"${'\\'.repeat(60_001)}`],
    ['malformed', `["${'\\"'.repeat(30_000)}`],
    ['malformed', '"'.repeat(60_001)],
    ['malformed', ']]]]'],
    ['malformed', ''],
    ['repeated', '{"a":1,"\\u0061":2}'],
    ['repeated', '[{"a":{"b":1,"b":1}}]'],
  ])('%s: %#', (problem, text) => {
    expect(parseStrictJson(text)).toBe(problem);
  });
});

describe('parseJson', () => {
  it('bounds the depth alone, and takes the last of two fields with one name', () => {
    expect(parseJson(`[${'1,'.repeat(5_000)}1]`)).toHaveProperty('value.length', 5_001);
    expect(parseJson('{"a":1,"a":2}')).toEqual({ value: { a: 2 }, names: 2 });
    expect(parseJson(nested('[', ']', HARD_LIMITS.jsonDepth + 1))).toBe('too deep');
  });
});
