// SPDX-License-Identifier: BSD-3-Clause
#include "role.h"

#include <stdio.h>

const char *knit_role_text(enum knit_role role)
{
	static const char *const texts[] = {
		[KNIT_ROLE_WORKER] = "worker",
		[KNIT_ROLE_CONTROL] = "control",
		[KNIT_ROLE_STANDBY] = "standby",
	};

	return role <= KNIT_ROLE_STANDBY ? texts[role] : "worker";
}

const char *knit_role_program(enum knit_role role)
{
	return role == KNIT_ROLE_CONTROL ? "knit-control" : "knit-worker";
}

struct knit_role_name knit_role_name(enum knit_role role, uint32_t id)
{
	struct knit_role_name name;

	if (role == KNIT_ROLE_CONTROL)
		snprintf(name.text, sizeof(name.text), "control");
	else if (role == KNIT_ROLE_STANDBY)
		snprintf(name.text, sizeof(name.text), "standby of worker %u", id);
	else
		snprintf(name.text, sizeof(name.text), "worker %u", id);
	return name;
}
