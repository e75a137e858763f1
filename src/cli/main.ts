#!/usr/bin/env node
/** The program `mayfly`: for agents, for people who watch over them, and for operators on the broker's host. */
import { systemClock } from '../domain/time.js';
import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => console.log(text),
  err: (text) => console.error(text),
  isScreen: process.stdout.isTTY,
  clock: systemClock,
  env: process.env,
  input: process.stdin,
});
