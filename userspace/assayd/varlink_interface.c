// SPDX-License-Identifier: MIT
#include "varlink_interface.h"

#include <string.h>

/* In the language of https://varlink.org/Interface-Definition */
static const char assay_text[] =
	"# The boot-time measurement service of assay: assayd(8)\n"
	"interface org.assay\n"
	"\n"
	"# A file that was measured: its fs-verity digest, as \"sha256:HEX\"; or why it was not\n"
	"type File (\n"
	"  path: string,\n"
	"  digest: ?string,\n"
	"  error: ?string\n"
	")\n"
	"\n"
	"# What the service and its parts do, and what keeps them from it, as in "
	"/run/assay/state.json\n"
	"method Status() -> (state: object)\n"
	"\n"
	"# Records of the log that are in the kernel, in the JSON form of the Canonical Event Log, "
	"from\n"
	"# number \"first\" (or the oldest) on; \"next\" is the number behind the last\n"
	"method List(first: ?int, count: ?int) -> (records: []object, next: int)\n"
	"\n"
	"# Have files measured: one record of the log, and one extend of its PCR, for up to 4096. "
	"Without\n"
	"# paths, what the rules say that is not measured yet\n"
	"method Measure(paths: ?[]string) -> (\n"
	"  files: []File,\n"
	"  measured_count: int,\n"
	"  failed_count: int,\n"
	"  record_count: int\n"
	")\n"
	"\n"
	"# Evidence for a verifier, as assay-evidence(5) has it, with a quote over the nonce (8 to "
	"64 "
	"bytes\n"
	"# in hexadecimal), of records of the log from number \"since\" on, and entries of IMA's "
	"list "
	"from number\n"
	"# \"since_ima\" on. Where it has more than 2 MiB, or \"file\" is true, it is in a file of "
	"that path,\n"
	"# until the next such call\n"
	"method Quote(nonce: string, since: ?int, since_ima: ?int, file: ?bool) -> (\n"
	"  evidence: ?object,\n"
	"  path: ?string\n"
	")\n"
	"\n"
	"# What was asked for could not be done, and why\n"
	"error Failed (text: string, errno: int)\n"
	"\n"
	"# So many calls of that kind are being answered already; call again later\n"
	"error Busy (text: string, errno: int)\n";

static const char service_text[] =
	"# The Varlink Service Interface is provided by every varlink service. It\n"
	"# describes the service and the interfaces it implements.\n"
	"interface org.varlink.service\n"
	"\n"
	"# Get a list of all the interfaces a service provides and information\n"
	"# about the implementation.\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"# Get the description of an interface that is implemented by this service.\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"# The requested interface was not found.\n"
	"error InterfaceNotFound (interface: string)\n"
	"\n"
	"# The requested method was not found\n"
	"error MethodNotFound (method: string)\n"
	"\n"
	"# The interface defines the requested method, but the service does not\n"
	"# implement it.\n"
	"error MethodNotImplemented (method: string)\n"
	"\n"
	"# One of the passed parameters is invalid.\n"
	"error InvalidParameter (parameter: string)\n"
	"\n"
	"# Client is denied access\n"
	"error PermissionDenied ()\n"
	"\n"
	"# Method is expected to be called with 'more' set to true, but wasn't\n"
	"error ExpectedMore ()\n";

const char *varlink_interface_text(const char *name)
{
	if (strcmp(name, VARLINK_INTERFACE) == 0)
		return assay_text;
	if (strcmp(name, VARLINK_SERVICE) == 0)
		return service_text;
	return NULL;
}

static int describe(struct buffer *out, const struct varlink_call *call)
{
	const char *name = json_string_value(json_object_get(call->parameters, "interface"));
	const char *text;

	if (!name)
		return varlink_error(out, VARLINK_SERVICE ".InvalidParameter",
				     json_pack("{s:s}", "parameter", "interface"));
	text = varlink_interface_text(name);
	if (!text)
		return varlink_error(out, VARLINK_SERVICE ".InterfaceNotFound",
				     json_pack("{s:s}", "interface", name));
	return varlink_reply(out, json_pack("{s:s}", "description", text));
}

int varlink_interface_answer(struct buffer *out, const struct varlink_call *call)
{
	if (strcmp(call->method, "GetInterfaceDescription") == 0)
		return describe(out, call);
	if (strcmp(call->method, "GetInfo") == 0)
		return varlink_reply(out, json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor",
						    "assay", "product", "assayd", "version",
						    ASSAY_VERSION, "url", "", "interfaces",
						    VARLINK_SERVICE, VARLINK_INTERFACE));
	return varlink_error(out, VARLINK_SERVICE ".MethodNotFound",
			     json_pack("{s:s}", "method", call->method));
}
