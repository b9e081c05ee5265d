// SPDX-License-Identifier: BSD-3-Clause
#include "http.h"

#include "exporter.h"

#include <microhttpd.h>

#include <string.h>

/* More wait in the socket's queue. */
#define MAX_CONNECTIONS 32
#define IDLE_SECONDS 5 /* Prometheus waits for 10 */
#define REQUEST_BYTES (16 << 10)

static const char index_page[] =
	"<!doctype html><title>knit-exporter</title>\n"
	"<p>knit-exporter " KNIT_VERSION ": <a href=\"/metrics\">/metrics</a>\n";

static enum MHD_Result answer(struct MHD_Connection *c, unsigned int code, const char *type,
			      struct MHD_Response *r)
{
	enum MHD_Result ret;

	if (r == NULL)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	ret = MHD_queue_response(c, code, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned int code, const char *type,
				   const char *text)
{
	return answer(c, code, type,
		      MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
						      MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result answer_metrics(struct exporter *e, struct MHD_Connection *c)
{
	const char *accept =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	struct buffer b = { 0 };
	const char *type;
	bool openmetrics;

	type = exporter_format(accept, &openmetrics);
	exporter_scrape(e);
	exporter_text(e, openmetrics, &b);
	return answer(c, MHD_HTTP_OK, type,
		      MHD_create_response_from_buffer(b.len, b.text, MHD_RESPMEM_MUST_FREE));
}

/* The first call for a request has its headers, the second one all of it. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **state)
{
	static int seen;

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(c, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
				   "GET and HEAD are known\n");
	if (*state == NULL) {
		*state = &seen;
		return MHD_YES;
	}
	if (*size) { /* a body: nobody needs it */
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") == 0)
		return answer_metrics(arg, c);
	if (strcmp(url, "/") == 0)
		return answer_text(c, MHD_HTTP_OK, "text/html", index_page);
	return answer_text(c, MHD_HTTP_NOT_FOUND, "text/plain", "there is /metrics\n");
}

struct MHD_Daemon *http_start(int fd, struct exporter *e)
{
	return MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
				on_request, e, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MAX_CONNECTIONS,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
				MHD_OPTION_END);
}

void http_stop(struct MHD_Daemon *d)
{
	MHD_stop_daemon(d);
}
