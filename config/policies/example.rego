# What the Cedar policies of this directory say, for a broker with
#   policy: { engine: opa, url: http://127.0.0.1:8181, path: mayfly/answer, patterns: ask }
# Try it: opa run --server --addr 127.0.0.1:8181 config/policies/example.rego
# What is asked and answered: docs/policy.md, "Another engine".
package mayfly

# The whole answer. A member that the broker does not know would refuse everything.
answer := object.union({"allow": allow, "approvals": asked_for, "policies": deciding, "digest": "example 1"}, limit)

default allow := false

allow if {
	count(permits) > 0
	count(asked_for) == 0
}

# Groups are asked for only if a permit applies: nobody is to approve what is refused all the same.
default asked_for := set()

asked_for := approvals if count(permits) > 0

default deciding := set()

deciding := permits | guards if count(permits) > 0

# --- Permits, by name -------------------------------------------------------------------------------------------------

# Agents of the sre team read incidents, and may ask to export one.
permits contains "sre-agents-read-incidents" if {
	input.principal.owner == "sre"
	input.action in {"read", "export"}
	tickets
	within("incident")
}

permits contains "sre-agents-use-tools" if {
	input.principal.owner == "sre"
	input.action == "execute"
	tickets
	within("tool")
}

# A workload keeps its own tasks alive, reads and ends them.
permits contains "workloads-run-their-own-tasks" if {
	of_the_lab
	input.action in {"heartbeat", "readTask", "completeTask"}
	own_task
}

permits contains "workloads-complete-their-own-runs" if {
	of_the_lab
	input.action == "completeRun"
	input.context.own
}

# For a person only with that person's own token: anybody can name one.
permits contains "workloads-open-their-own-tasks" if {
	of_the_lab
	input.action == "openTask"
	own_task
	not person_merely_named
}

permits contains "orchestrator-runs-tasks" if {
	workload("lab:orchestrator")
	input.action in {"openTask", "completeTask", "suspendTask", "resumeTask", "readTask"}
	input.resource.workload.issuer == "lab"
}

permits contains "orchestrator-completes-runs" if {
	workload("lab:orchestrator")
	input.action == "completeRun"
	input.context.issuer == "lab"
}

permits contains "soc-revokes-and-reads" if {
	workload("lab:soc")
	input.action in {"revoke", "readRevocations", "readCredential", "readTask", "readAudit"}
}

permits contains "people-answer-for-their-groups" if {
	input.action == "approve"
	input.resource.group in input.principal.groups
}

permits contains "siem-sends-signals" if {
	workload("lab:siem")
	input.action == "sendSignal"
}

permits contains "tickets-api-introspects-its-own" if {
	workload("lab:tickets-api")
	input.action in {"introspect", "evaluate", "reportUsage"}
	tickets
}

permits contains "tickets-api-follows-the-feed" if {
	workload("lab:tickets-api")
	input.action == "followFeed"
}

# --- Guardrails: no permit undoes them --------------------------------------------------------------------------------

# Restricted resources: credentials of a minute at most. A pattern has every label that it touches.
default limit := {}

limit := {"lifetimeSeconds": 60} if restricted

restricted if "restricted" in input.resource.sensitivity

# Nothing is exported without the on-call group.
approvals contains "sre-oncall" if {
	input.action == "export"
	not "sre-oncall" in input.context.approvals
}

guards contains "restricted-for-a-minute" if {
	restricted
	input.context.lifetimeSeconds > 60
}

guards contains "export-needs-the-on-call" if count(approvals) > 0

# --- Words ------------------------------------------------------------------------------------------------------------

workload(id) if {
	input.principal.type == "workload"
	input.principal.id == id
}

of_the_lab if input.principal.issuer == "lab"

tickets if input.resource.target == "https://tickets.example"

own_task if {
	input.resource.workload.type == input.principal.type
	input.resource.workload.id == input.principal.id
}

person_merely_named if {
	input.context.onBehalfOf
	not input.context.principalProven
}

# Whether all that is asked for lies in this folder. A pattern does if the folder is written out in it: incident/*, not */4711.
within(folder) if input.resource.path == folder

within(folder) if startswith(input.resource.path, concat("", [folder, "/"]))
