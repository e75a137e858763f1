/** `mayfly tree`: draws the tree that a task belongs to, as far as the caller may read it. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.js';
import { pagesOf, warnOf } from './answered.js';
import { connected, withConnection, type ConnectionOptions } from './connection.js';
import { columns, jsonLine } from './lines.js';
import { listSchema, taskRow, type TaskShown } from './task.js';

export function addTree(program: Command, terminal: Terminal): void {
  withConnection(program.command('tree'))
    .description('show the task, those above it and all below, also those that have ended')
    .argument('<task>', 'the id of any task of the tree: tsk_…')
    .option('--json', 'one task a line, as the broker answers it')
    .action(async (id: string, { json, ...options }: ConnectionOptions & { json?: true }) => {
      const connection = await connected(options, terminal);
      const [path, query] = [`/tasks/${encodeURIComponent(id)}/tree`, { limit: '500' }];
      const found: TaskShown[] = [];
      for await (const page of pagesOf(connection, { path, query, page: listSchema })) {
        warnOf(page, terminal.err);
        found.push(...page.tasks);
      }
      const lines = json ? found.map(jsonLine) : columns(drawn(found, id));
      for (const line of lines) terminal.out(line);
      if (!json) terminal.out('With a task ends everything below it: mayfly revoke --reason … task <id>');
    });
}

/** Returns the tasks as rows, each below its parent. One whose parent the caller may not read stands under the nearest above. */
function drawn(tasks: readonly TaskShown[], asked: string): string[][] {
  const ids = new Set(tasks.map(({ id }) => id));
  const under = new Map<string | undefined, TaskShown[]>();
  for (const task of tasks) {
    const parent = task.lineage.findLast((above) => ids.has(above));
    const beside = under.get(parent);
    if (beside) beside.push(task);
    else under.set(parent, [task]);
  }
  const rows: string[][] = [];
  const draw = (parent: string | undefined, depth: number): void => {
    for (const task of under.get(parent) ?? []) {
      const [id = '', ...rest] = taskRow(task);
      rows.push([`${id === asked ? '>' : ' '} ${'  '.repeat(depth)}${id}`, ...rest]);
      draw(task.id, depth + 1);
    }
  };
  draw(undefined, 0);
  return rows;
}
