// SPDX-License-Identifier: GPL-2.0
/* What the library compiles, too: Kbuild makes objects of this folder's files only. */
#include "pure/reqstate.c"
