// What Codex does with `-c mcp_servers.<name>.url="…"`: it connects there, with no header but those it was started with.
import { readIncident } from './read-incident.mjs';

const [, url = ''] = /^mcp_servers\.tickets\.url="(.+)"$/.exec(process.argv[3] ?? '') ?? [];
await readIncident(url, {});
