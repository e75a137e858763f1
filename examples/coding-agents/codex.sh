#!/bin/sh
# Codex behind a proxy on loopback. Codex reads headers once, when it starts, so a credential there would be dead after five
# minutes. The proxy adds a fresh one to each request, and Codex never has it. When Codex ends, so does the task.
exec mayfly exec --broker "$MAYFLY_BROKER" --token-file "$MAYFLY_IDENTITY" --purpose triage \
  --target https://tickets.example --access tool/read_incident:execute incident/4711:read --proxy "${TICKETS_ORIGIN:-https://tickets.example}" \
  -- sh -c 'exec codex -c "mcp_servers.tickets.url=\"$MAYFLY_PROXY_URL/mcp\"" "$@"' codex "$@"
