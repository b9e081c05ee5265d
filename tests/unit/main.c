// SPDX-License-Identifier: BSD-3-Clause
#include "suites.h"

#include <stdlib.h>

/* KNIT_PROGRAM_SUITES comes from the build. CK_RUN_SUITE picks one suite by name. */
int main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

#define ADD(name) srunner_add_suite(runner, knit_suite_##name());
	KNIT_PROGRAM_SUITES(ADD)
#undef ADD
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
