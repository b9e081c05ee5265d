/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BIND_WHY_H
#define KNIT_BIND_WHY_H

/* The two texts of struct knit_bind_why. */
#define SAY(why, ...) snprintf((why)->what, sizeof((why)->what), __VA_ARGS__)
#define REMEDY(why, ...) snprintf((why)->remedy, sizeof((why)->remedy), __VA_ARGS__)

#endif
