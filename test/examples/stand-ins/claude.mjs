// What Claude Code does with `--mcp-config`: it runs the `headersHelper` of a server in a shell, and connects with what that prints.
import { execSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readIncident } from './read-incident.mjs';

const [, , , file = ''] = process.argv;
const { headersHelper } = JSON.parse(readFileSync(file, 'utf8')).mcpServers.tickets;
const headers = JSON.parse(execSync(headersHelper, { encoding: 'utf8' }));
await readIncident(`${process.env['TICKETS_ORIGIN']}/mcp`, headers);
