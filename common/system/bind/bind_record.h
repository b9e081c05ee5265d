/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BIND_RECORD_H
#define KNIT_BIND_RECORD_H

#include "bind.h"

/* That device's, and not one's that was at the same address before. */
bool knit_bind_record_is_of(const struct knit_bind_record *r, const struct knit_pci *dev);

/* knit_bind_restore ended between its two steps. */
bool knit_bind_named_for_probe(const struct knit_pci *dev, const struct knit_bind_record *r);

#endif
