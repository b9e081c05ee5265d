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

extern int knit_log_main;   /* knit.main */
extern int knit_log_kni;    /* knit.kni: interfaces, public API */
extern int knit_log_kmod;   /* knit.kmod: kmod engine */
extern int knit_log_tap;    /* knit.tap: tap engine */
extern int knit_log_port;   /* knit.port */
extern int knit_log_req;    /* knit.req: requests */
extern int knit_log_worker; /* knit.worker */

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
