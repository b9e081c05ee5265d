/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_LOG_H
#define KNIT_LOG_H

#include <rte_errno.h>
#include <rte_log.h>

#include <string.h>

/*
 * Logging goes through rte_log, one logtype per component: each .c file names the one it belongs
 * to with KNIT_LOGTYPE before including this header ("knit.tap", "knit.port", ... : EAL's
 * --log-level patterns select them). One line per event; never on the packet path.
 */
#ifndef KNIT_LOGTYPE
#define KNIT_LOGTYPE knit_log_main
#endif

/*
 * columns: name. Registered as "knit.NAME"; the variable is knit_log_NAME.
 */
#define KNIT_LOG_TABLE(X)                      \
	X(main)	  /* start and end */          \
	X(kni)	  /* interfaces, public API */ \
	X(kmod)	  /* kmod engine */            \
	X(tap)	  /* tap engine */             \
	X(port)	  /* ports */                  \
	X(req)	  /* requests */               \
	X(worker) /* workers */

enum {
#define X(name) KNIT_LOG_INDEX_##name,
	KNIT_LOG_TABLE(X)
#undef X
	KNIT_LOG_TYPES,
};

#define X(name) extern int knit_log_##name;
KNIT_LOG_TABLE(X)
#undef X

/* All of them, in order of the table. */
struct knit_log_type {
	const char *name;
	const int *type; /* of rte_log */
};
extern const struct knit_log_type knit_log_types[KNIT_LOG_TYPES];

#define KNIT_LOG(level, ...) knit_log(RTE_LOG_##level, KNIT_LOGTYPE, __VA_ARGS__)
#define log_err(...) KNIT_LOG(ERR, __VA_ARGS__)
#define log_warn(...) KNIT_LOG(WARNING, __VA_ARGS__)
#define log_notice(...) KNIT_LOG(NOTICE, __VA_ARGS__)
#define log_info(...) KNIT_LOG(INFO, __VA_ARGS__)
#define log_debug(...) KNIT_LOG(DEBUG, __VA_ARGS__)

/* Adds the new line. */
void knit_log(uint32_t level, int type, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Logs "what: strerror" and returns -err, for `return errno_log(errno, "open /dev/net/tun");` */
int knit_errno_log(int type, int err, const char *what);
#define errno_log(err, what) knit_errno_log(KNIT_LOGTYPE, (err), (what))

#endif
