/**
 * The list of audit types equals the types that stand in objects in src/. Webhooks are configured by this list. That an
 * entry is really appended is for the tests of each use case to show: these tests read the source alone.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { entryText } from '../../../src/audit/chain.js';
import type { AuditEvent } from '../../../src/audit/event.js';
import { AUDIT_EVENT_TYPES } from '../../../src/domain/audit-event-types.js';

/** Every `type: 'noun.verb'` in an object of the code. Types and comments do not count. */
const written = new Set(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => typesIn(readFileSync(join('src', name), 'utf8'))),
);

function typesIn(text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'type') found.push(...literalsIn(node.initializer));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('scanned.ts', text, ts.ScriptTarget.Latest, true));
  return found;
}

function literalsIn(value: ts.Expression): string[] {
  if (ts.isConditionalExpression(value)) return [...literalsIn(value.whenTrue), ...literalsIn(value.whenFalse)];
  if (ts.isAsExpression(value) || ts.isSatisfiesExpression(value)) return literalsIn(value.expression);
  return ts.isStringLiteral(value) && /^[a-z]+\.[a-z_]+$/.test(value.text) ? [value.text] : [];
}

describe('the list of audit types', () => {
  it.each(AUDIT_EVENT_TYPES)('has %s, which is the type of an object in src/', (type) => {
    expect(written).toContain(type);
  });

  it('has every such type in src/', () => {
    expect([...written].filter((type) => !AUDIT_EVENT_TYPES.some((known) => known === type))).toEqual([]);
  });

  it('keeps every other type out of the log', () => {
    const event = { type: 'task.ended', at: 1 } as unknown as AuditEvent;
    expect(() => entryText(event)).toThrow('type');
  });
});
