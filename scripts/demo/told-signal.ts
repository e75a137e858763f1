/** Signals from the EDR to the broker, and what became of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { good } from './http.js';
import type { Stage } from './stage.js';
import { expectThat } from './unexpected.js';

export const signalSchema = z.object({
  id: z.string(),
  state: z.string(),
  unfinished: z.literal(true).optional(),
  reaction: z
    .object({
      rule: z.string(),
      tasks: z.number().optional(),
      seq: z.number().optional(),
      because: z.string().optional(),
    })
    .optional(),
});

type Told = z.infer<typeof signalSchema>;

const listSchema = z.object({ signals: z.array(signalSchema) });
const PATIENCE_MS = 10_000;

/** A signed event about the agent: which, by its path below `schemas.openid.net/secevent/`, and what it says. */
export async function push(stage: Stage, agent: string, path: string, facts: object): Promise<void> {
  const { status, text } = await stage.ask('/signals', { event: await stage.edr.event(agent, path, facts) });
  expectThat(status === 202, 'HTTP 202', `HTTP ${status} ${text}`);
}

/** Returns the latest signal of the EDR about the agent, once its evaluation is finished. */
export async function evaluated(stage: Stage, agent: string, wanted: string): Promise<Told> {
  const bearer = await stage.identity('soc');
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const reply = await stage.ask(`/signals?subject=workload:lab:${agent}&source=edr`, { bearer });
    const told = good(reply, listSchema).signals.at(-1);
    if (told?.state === wanted && !told.unfinished) return told;
    expectThat(performance.now() < until, `a signal that is ${wanted}`, told?.state ?? 'none');
    await pause(20);
  }
}
