# SPDX-License-Identifier: BSD-3-Clause
# KCSAN watches the whole kernel, which has races of its own. Of its reports in a console log this
# prints those that are the module's: one of the two accesses is a plain one of the module's. What
# the module marked (READ_ONCE and the like) may meet plain accesses of the kernel's.
/BUG: KCSAN: / {
	title = NR ":" $0
	top = 0
	next
}
/Reported by Kernel Concurrency Sanitizer/ {
	title = ""
}
title == "" {
	next
}
/ to 0x[0-9a-f]+ of [0-9]+ bytes by / {
	plain = !/\(marked/
	top = 1
	next
}
top {
	top = 0
	if (plain && /\[rte_kni\]/) {
		print title
		title = ""
	}
}
