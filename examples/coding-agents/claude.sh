#!/bin/sh
# Claude Code under a task of its own. It runs the `headersHelper` of claude.mcp.json when it connects, and again after a 401,
# and gets a credential of this task each time. When Claude Code ends, so does the task.
exec mayfly exec --broker "$MAYFLY_BROKER" --token-file "$MAYFLY_IDENTITY" --purpose triage \
  --target https://tickets.example --access tool/read_incident:execute incident/4711:read \
  -- claude --mcp-config "$(dirname "$0")/claude.mcp.json" --strict-mcp-config "$@"
