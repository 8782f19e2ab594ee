// SPDX-License-Identifier: MIT
#include "page.h"

#include <string.h>

/*
 * Each file, as it is in page/, becomes bytes of the program. The Makefile says that this file
 * depends on them: the compiler does not tell, as the assembler reads them.
 */
#define PAGE_FILES(FILE)                                                    \
	FILE(index, "index.html", "text/html; charset=utf-8")               \
	FILE(style, "style.css", "text/css; charset=utf-8")                 \
	FILE(icon, "icon.svg", "image/svg+xml")                             \
	FILE(main, "main.js", "text/javascript; charset=utf-8")             \
	FILE(api, "api.js", "text/javascript; charset=utf-8")               \
	FILE(dom, "dom.js", "text/javascript; charset=utf-8")               \
	FILE(fleet, "fleet.js", "text/javascript; charset=utf-8")           \
	FILE(trend, "trend.js", "text/javascript; charset=utf-8")           \
	FILE(changes, "changes.js", "text/javascript; charset=utf-8")       \
	FILE(devices, "devices.js", "text/javascript; charset=utf-8")       \
	FILE(device, "device.js", "text/javascript; charset=utf-8")         \
	FILE(policies, "policies.js", "text/javascript; charset=utf-8")     \
	FILE(rollouts, "rollouts.js", "text/javascript; charset=utf-8")     \
	FILE(versions, "versions.js", "text/javascript; charset=utf-8")     \
	FILE(logs, "logs.js", "text/javascript; charset=utf-8")             \
	FILE(whatif, "whatif.js", "text/javascript; charset=utf-8")         \
	FILE(difference, "difference.js", "text/javascript; charset=utf-8") \
	FILE(alarms, "alarms.js", "text/javascript; charset=utf-8")

#define EMBED(symbol, file, type)                                                              \
	extern const uint8_t page_##symbol##_begin[], page_##symbol##_end[];                   \
	__asm__(".pushsection .rodata\n"                                                       \
		".hidden page_" #symbol "_begin\n.globl page_" #symbol "_begin\npage_" #symbol \
		"_begin:\n.incbin \"userspace/fleet/page/" file "\"\n"                         \
		".hidden page_" #symbol "_end\n.globl page_" #symbol "_end\npage_" #symbol     \
		"_end:\n"                                                                      \
		".byte 0\n.popsection\n");
PAGE_FILES(EMBED)

static const struct {
	const char *name, *type;
	const uint8_t *begin, *end;
} files[] = {
#define ROW(symbol, file, type) { file, type, page_##symbol##_begin, page_##symbol##_end },
	PAGE_FILES(ROW)
};

/*
 * Nothing but the files here and the service's own answers, nothing in the page's text that runs,
 * no text that becomes elements (Trusted Types), nobody else's frame.
 */
static const struct {
	const char *name, *value;
} headers[] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
	  "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	  "require-trusted-types-for 'script'; trusted-types 'none'" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "X-Frame-Options", "DENY" },
};

static void answer(struct http_call *call, const char *name)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(files[i].name, name) != 0)
			continue;
		for (size_t j = 0; j < sizeof(headers) / sizeof(headers[0]); j++)
			http_add_header(call, headers[j].name, headers[j].value);
		http_answer_bytes(call, files[i].type,
				  BYTES(files[i].begin, (size_t)(files[i].end - files[i].begin)));
		return;
	}
	http_answer_error(call, 404, "there is no such file");
}

void page_index(struct http_call *call)
{
	answer(call, "index.html");
}

void page_file(struct http_call *call)
{
	answer(call, call->parameter);
}
