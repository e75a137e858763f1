/** `npm run demo`: the life and death of credentials, over real HTTP with real processes. Exit code 0: every step did what it says. */
import { once } from 'node:events';
import { tellStory } from './story.js';
import { createTranscript } from './transcript.js';

const { stdout, env } = process;
const colours = stdout.isTTY && (env['NO_COLOR'] ?? '') === '';
const transcript = createTranscript({ write: (text) => stdout.write(text), colours });

const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
process.exitCode = await tellStory(transcript, interrupted);
// Connections that fetch keeps open would keep the process.
process.exit();
