/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_EXPORTER_HTTP_H
#define KNIT_EXPORTER_HTTP_H

struct MHD_Daemon;
struct exporter;

/*
 * Serves /metrics on that socket, in a thread of its own, until http_stop, which closes the socket.
 * The thread does one request after the other; e belongs to it. NULL with errno.
 */
struct MHD_Daemon *http_start(int fd, struct exporter *e);
void http_stop(struct MHD_Daemon *d);

#endif
