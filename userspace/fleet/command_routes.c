// SPDX-License-Identifier: MIT
#include "commands.h"
#include "routes.h"

struct routes_options {
	bool json;
};

static const struct option_row routes_rows[] = {
	OPTION_ROW_JSON(struct routes_options, json),
	OPTION_END,
};

static json_t *routes_json(void)
{
	json_t *list = json_array();

	for (const struct http_route *route = fleet_routes; route->path; route++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:I, s:s}", "method",
					http_method_name(route->method), "path", route->path,
					"role", http_role_name(route->role), "body_max",
					(json_int_t)route->body_max, "summary", route->summary));
	return json_pack("{s:o}", "routes", list);
}

static int run_routes(int argc, char **argv)
{
	struct routes_options options = { .json = false };
	int status = command_parse(&command_fleet_routes, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (options.json)
		return command_emit_json(&command_fleet_routes, routes_json());
	for (const struct http_route *route = fleet_routes; route->path; route++)
		printf("%-6s %-32s %-8s  %s\n", http_method_name(route->method), route->path,
		       http_role_name(route->role), route->summary);
	return command_flush(&command_fleet_routes);
}

const struct command command_fleet_routes = {
	.name = "routes",
	.summary = "print what the service answers, and to whom",
	.intro = "Every method and path, the role that it is for, and what it does. {} stands for "
		 "a\n"
		 "name, {...} for one with slashes.\n",
	.options = routes_rows,
	.epilogue = "Exit status: 0 printed, 1 failed, 2 wrong usage.\n",
	.run = run_routes,
};
