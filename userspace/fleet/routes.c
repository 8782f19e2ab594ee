// SPDX-License-Identifier: MIT
#include "routes.h"

#include "alarm_views.h"
#include "change_views.h"
#include "content_views.h"
#include "decisions.h"
#include "enroll/message.h"
#include "enrolment.h"
#include "intake.h"
#include "out_ear.h"
#include "out_events.h"
#include "out_metrics.h"
#include "page.h"
#include "reference_routes.h"
#include "verify/record.h"
#include "trend_views.h"
#include "views.h"
#include "what_if.h"

#define SMALL 4096U
#define EVIDENCE_BODY (16U << 20)
#define REFERENCE_BODY (33U << 20)

/* clang-format off */
const struct http_route fleet_routes[] = {
	{ HTTP_POST, "/v1/devices/{}/challenge", HTTP_DEVICE, SMALL, intake_challenge,
	  "a nonce for the device's next quote" },
	{ HTTP_POST, "/v1/devices/{}/evidence", HTTP_DEVICE, EVIDENCE_BODY, intake_evidence,
	  "evidence of the device, for a verdict" },
	{ HTTP_POST, "/v1/devices/{}/systemd-report/challenge", HTTP_DEVICE, SMALL,
	  intake_report_challenge, "a nonce for the device's next report of systemd" },
	{ HTTP_POST, "/v1/devices/{}/systemd-report", HTTP_DEVICE, EVIDENCE_BODY, intake_report,
	  "a signed report of systemd, for a verdict" },
	{ HTTP_POST, "/v1/enroll/request", HTTP_DEVICE, ENROLL_MAX_SIZE, enrolment_request,
	  "ask to be enrolled: a challenge for the TPM" },
	{ HTTP_POST, "/v1/enroll/answer", HTTP_DEVICE, ENROLL_MAX_SIZE, enrolment_answer,
	  "answer that challenge: the device is enrolled" },

	{ HTTP_POST, "/v3.0/sessions", HTTP_DEVICE, SMALL, keylime_session,
	  "Keylime's push agent: a challenge, to prove which device it is" },
	{ HTTP_PATCH, "/v3.0/sessions/{}", HTTP_DEVICE, 4 * SMALL, keylime_proof,
	  "Keylime's push agent: the proof, for a token" },
	{ HTTP_POST, "/v3.0/agents/{}/attestations", HTTP_AGENT, 4 * SMALL, keylime_capabilities,
	  "Keylime's push agent: what it has, for a nonce and what is wanted" },
	{ HTTP_PATCH, "/v3.0/agents/{}/attestations/latest", HTTP_AGENT, EVIDENCE_BODY,
	  keylime_evidence, "Keylime's push agent: evidence, for a verdict" },

	{ HTTP_GET, "/v1/fleet", HTTP_VIEWER, 0, view_summary, "how many devices are held for what" },
	{ HTTP_GET, "/v1/versions", HTTP_VIEWER, 0, view_versions,
	  "how many devices run which versions, and are judged by which policy" },
	{ HTTP_GET, "/v1/me", HTTP_VIEWER, 0, view_me, "who asks, and what the role is" },
	{ HTTP_GET, "/v1/devices", HTTP_VIEWER, 0, view_devices,
	  "devices in the order of their names" },
	{ HTTP_GET, "/v1/devices/{}", HTTP_VIEWER, 0, view_device, "one device" },
	{ HTTP_GET, "/v1/devices/{}/verdict", HTTP_VIEWER, 0, view_verdict,
	  "every check of its last verdict that differed from the one before" },
	{ HTTP_GET, "/v1/devices/{}/changes", HTTP_VIEWER, 0, view_changes,
	  "its verdicts that differed from the one before, the newest first" },
	{ HTTP_GET, "/v1/changes", HTTP_VIEWER, 0, view_all_changes,
	  "verdicts of all devices that differed from the one before, the newest first" },
	{ HTTP_GET, "/v1/changes/{}/verdict", HTTP_VIEWER, 0, view_change_verdict,
	  "the whole verdict of a change" },
	{ HTTP_GET, "/v1/trend", HTTP_VIEWER, 0, view_trend,
	  "how many verdicts changed in each hour of the last day" },
	{ HTTP_GET, "/v1/summaries", HTTP_VIEWER, 0, view_summaries,
	  "how many devices were held for what, by day or by hour" },
	{ HTTP_GET, "/v1/evidence/{}", HTTP_VIEWER, 0, view_evidence,
	  "evidence that was judged, by its SHA-256" },
	{ HTTP_GET, "/v1/policies/{...}", HTTP_VIEWER, 0, view_policy, "a version of a policy" },
	{ HTTP_GET, "/v1/references", HTTP_VIEWER, 0, reference_list,
	  "policies, manifests and certificates, with their versions" },
	{ HTTP_GET, "/v1/assignments", HTTP_VIEWER, 0, reference_assignments,
	  "which policy devices of a label are judged by" },

	{ HTTP_GET, "/v1/alarms", HTTP_VIEWER, 0, alarm_list,
	  "devices that are, or were, not trusted or silent, from when to when" },
	{ HTTP_GET, "/v1/alarms/{}", HTTP_VIEWER, 0, alarm_show, "one alarm" },

	{ HTTP_GET, "/v1/rollouts", HTTP_VIEWER, 0, decision_rollouts,
	  "policies that are rolled out to a share of the devices of a label, and what comes of it" },
	{ HTTP_GET, "/v1/proposals", HTTP_VIEWER, 0, decision_proposals,
	  "what was proposed and waits for another approver" },

	{ HTTP_DELETE, "/v1/devices/{}", HTTP_OPERATOR, 0, enrolment_remove, "forget a device" },
	{ HTTP_PUT, "/v1/policies/{...}", HTTP_OPERATOR, REFERENCE_BODY, reference_upload_policy,
	  "a new version of a policy" },
	{ HTTP_PUT, "/v1/manifests/{...}", HTTP_OPERATOR, REFERENCE_BODY, reference_upload_manifest,
	  "a new version of a manifest" },
	{ HTTP_PUT, "/v1/certificates/{...}", HTTP_OPERATOR, REFERENCE_BODY,
	  reference_upload_certificate, "a new version of a certificate" },

	{ HTTP_POST, "/v1/alarms/{}/acknowledge", HTTP_OPERATOR, SMALL, alarm_acknowledge,
	  "say that an alarm was seen, with a note" },
	{ HTTP_POST, "/v1/what-if", HTTP_OPERATOR, SMALL, what_if,
	  "who would be held for something else by another policy" },

	{ HTTP_PUT, "/v1/devices/{}", HTTP_APPROVER, RECORD_MAX_SIZE, enrolment_record,
	  "enrol a device by a record of assay enroll" },
	{ HTTP_PUT, "/v1/devices/{}/label", HTTP_APPROVER, 0, enrolment_label,
	  "give a device a label, and so the policy of that label" },
	{ HTTP_POST, "/v1/devices/{}/approve", HTTP_APPROVER, 0, enrolment_approve,
	  "let a device that enrolled itself attest" },
	{ HTTP_POST, "/v1/assignments", HTTP_APPROVER, SMALL, decision_assign,
	  "judge devices of a label by a policy" },

	{ HTTP_POST, "/v1/rollouts", HTTP_APPROVER, SMALL, decision_rollout,
	  "judge a share of the devices of a label by a policy, all of them, or none any more" },
	{ HTTP_POST, "/v1/proposals/{}/approve", HTTP_APPROVER, 0, decision_approve,
	  "do what somebody else has proposed" },
	{ HTTP_DELETE, "/v1/proposals/{}", HTTP_APPROVER, 0, decision_withdraw,
	  "take back what was proposed" },

	{ HTTP_GET, "/v1/devices/{}/ear", HTTP_VIEWER, 0, out_ear,
	  "an attestation result of a device, signed: an EAR as JWT" },
	{ HTTP_GET, "/v1/events", HTTP_VIEWER, 0, out_events,
	  "verdicts that become other ones, as they do: server-sent events" },
	{ HTTP_GET, "/v1/audit", HTTP_VIEWER, 0, view_audit,
	  "what operators did, each row with the digest of it and all before" },
	{ HTTP_GET, "/metrics", HTTP_VIEWER, 0, out_metrics, "counters, for Prometheus" },

	{ HTTP_GET, "/.well-known/jwks.json", HTTP_ANYBODY, 0, out_jwks,
	  "the key that results are signed by" },
	{ HTTP_GET, "/", HTTP_ANYBODY, 0, page_index, "the page for people" },
	{ HTTP_GET, "/page/{}", HTTP_ANYBODY, 0, page_file, "a file of that page" },
	{ HTTP_GET, "/healthz", HTTP_ANYBODY, 0, view_health, "whether the service can answer" },
	{ .path = NULL },
};
/* clang-format on */
