/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WATCH_PROGRAM_H
#define KNIT_WATCH_PROGRAM_H

#include "system/command/watch.h"

#include <stdbool.h>

#include <pcap/bpf.h>

/*
 * Whether a worker may run the filter: it is one, and each jump leads forward, so that it ends
 * after n instructions at most. libpcap also knows programs that go back, for `protochain`; how
 * often they do is the packet's choice.
 */
static inline bool knit_watch_program_valid(const struct knit_watch_insn *insns, uint32_t n)
{
	uint32_t i;

	if (n > KNIT_WATCH_INSNS ||
	    (n && !bpf_validate((const struct bpf_insn *)(const void *)insns, (int)n)))
		return false;
	for (i = 0; i < n; i++)
		if (insns[i].code == (BPF_JMP | BPF_JA) && insns[i].k >= n - i - 1)
			return false;
	return true;
}

#endif
