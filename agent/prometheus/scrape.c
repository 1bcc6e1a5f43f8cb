/* SPDX-License-Identifier: Apache-2.0 */
#include "prometheus/scrape.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "prometheus/answer.h"
#include "prometheus/lvs_samples.h"
#include "prometheus/outlet.h"
#include "prometheus/request.h"
#include "prometheus/translation.h"
#include "prometheus/utilization.h"

/* For the scraper to have read all before the connection closes for good. */
enum { LINGER_MS = 2000 };

enum scrape_state {
	SCRAPE_REQUEST,    /* the request is on its way */
	SCRAPE_CONNECTING, /* to the exporter */
	SCRAPE_ANSWER,     /* the next piece of the exporter's answer is awaited */
	SCRAPE_SENDING,    /* the scraper's socket has to have room */
	SCRAPE_LINGERING,  /* all is said: the scraper is to close */
	SCRAPE_OVER,
};

struct scrape {
	struct exporter *exporter;
	struct lvs_exporter *lvs_exporter;
	const struct scrape_timeouts *timeouts;
	enum scrape_state state;
	int64_t state_deadline_ms;
	int64_t end_ms;
	struct buf head; /* of the request, as far as it has arrived */
	struct request request;
	struct outlet outlet;
	int exporter_fd; /* -1: not asked, or no longer */
	struct answer answer;
	struct translation translation;
	bool has_begun;    /* to answer 200 */
	bool has_lvs;      /* there are samples of LVS listeners to be inserted */
	bool is_inserting; /* more of them come next, which did not fit into the last piece */
	struct lvs_samples lvs_samples;
};

#define OK_HEAD(framing)                                                                           \
	"HTTP/1.1 200 OK\r\n" framing "Cache-Control: no-cache\r\n"                                \
	"Content-Type: text/plain; version=0.0.4\r\n"                                              \
	"Connection: close\r\n\r\n"

static void state_enter(struct scrape *scrape, enum scrape_state state, int64_t now_ms)
{
	const int durations_ms[] = {
		[SCRAPE_REQUEST] = scrape->timeouts->request_ms,
		[SCRAPE_CONNECTING] = scrape->timeouts->exporter_ms,
		[SCRAPE_ANSWER] = scrape->timeouts->exporter_ms,
		[SCRAPE_SENDING] = scrape->timeouts->scraper_ms,
		[SCRAPE_LINGERING] = LINGER_MS,
		[SCRAPE_OVER] = 0,
	};

	scrape->state = state;
	scrape->state_deadline_ms = now_ms + durations_ms[state];
}

/*
 * r: of an outlet_send() or outlet_flush(). Even when all was sent the next piece waits until the
 * scraper's socket is writable: then it has room for it, and we need to keep nothing.
 */
static void sending_enter(struct scrape *scrape, int r, int64_t now_ms)
{
	state_enter(scrape, r < 0 ? SCRAPE_OVER : SCRAPE_SENDING, now_ms);
}

static void exporter_leave(struct scrape *scrape)
{
	scrape->exporter_fd = exporter_close(scrape->exporter, scrape->exporter_fd);
}

/* Answers with an error; status: "405 Method Not Allowed" and further headers. */
static void refuse(struct scrape *scrape, const char *status, int64_t now_ms)
{
	char text[256];
	int size = snprintf(text, sizeof(text),
		"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
	const struct iovec part = {.iov_base = text, .iov_len = (size_t)size};

	exporter_leave(scrape);
	sending_enter(scrape, outlet_send(&scrape->outlet, &part, 1), now_ms);
}

static void exporter_fail(struct scrape *scrape, const struct err *err, int64_t now_ms)
{
	exporter_has_failed(scrape->exporter, err);
	if (scrape->has_begun)
		state_enter(scrape, SCRAPE_OVER, now_ms);
	else
		refuse(scrape, "502 Bad Gateway", now_ms);
}

static void exporter_ask(struct scrape *scrape, int64_t now_ms)
{
	struct err err = ERR_NONE;
	int r = exporter_connect(scrape->exporter, &scrape->exporter_fd, &err);

	if (r == -EBUSY)
		refuse(scrape, "503 Service Unavailable", now_ms);
	else if (r < 0)
		exporter_fail(scrape, &err, now_ms);
	else
		state_enter(scrape, SCRAPE_CONNECTING, now_ms);
}

static void request_answer(struct scrape *scrape, int64_t now_ms)
{
	buf_deinit(&scrape->head);
	if (scrape->request.method == REQUEST_OTHER)
		refuse(scrape, "405 Method Not Allowed\r\nAllow: GET, HEAD", now_ms);
	else
		exporter_ask(scrape, now_ms);
}

static void request_receive(struct scrape *scrape, int64_t now_ms)
{
	struct buf *head = &scrape->head;
	char *room = buf_reserve(head, KIB);
	ssize_t got;
	int r;

	if (!room) {
		refuse(scrape, "431 Request Header Fields Too Large", now_ms);
		return;
	}
	got = recv(scrape->outlet.fd, room, KIB, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		state_enter(scrape, SCRAPE_OVER, now_ms);
		return;
	}
	buf_commit(head, (size_t)got);
	r = request_parse(head->data, head->size_bytes, &scrape->request);
	if (r < 0)
		refuse(scrape, "400 Bad Request", now_ms);
	else if (r > 0)
		request_answer(scrape, now_ms);
}

/* Without LVS listeners, all is as if there could be none. */
static void lvs_prepare(struct scrape *scrape, int64_t now_ms)
{
	if (scrape->request.method != REQUEST_GET)
		return;
	lvs_exporter_refresh(scrape->lvs_exporter, now_ms);
	scrape->has_lvs = scrape->lvs_exporter->observation.listener_count > 0;
	scrape->translation.stops_at_families = scrape->has_lvs;
}

static void connection_check(struct scrape *scrape, int64_t now_ms)
{
	struct err err = ERR_NONE;

	if (exporter_request(scrape->exporter, scrape->exporter_fd, &err) < 0) {
		exporter_fail(scrape, &err, now_ms);
		return;
	}
	state_enter(scrape, SCRAPE_ANSWER, now_ms);
	/* While HAProxy makes up its answer. */
	lvs_prepare(scrape, now_ms);
}

/* The amphora's own metrics come before the first of HAProxy's. */
static void utilization_append_once(bool *has_begun, struct buf *ret_text)
{
	if (!*has_begun)
		utilization_append(ret_text);
	*has_begun = true;
}

/* Appends what fits of the family that was begun; after HAProxy's last one, of all it lacks. */
static void lvs_insert(struct scrape *scrape)
{
	do {
		scrape->is_inserting = !lvs_samples_append(&scrape->lvs_samples,
			&scrape->lvs_exporter->observation, &scrape->exporter->translated);
	} while (!scrape->is_inserting && scrape->answer.part == ANSWER_COMPLETE &&
		 lvs_samples_begin_missing(&scrape->lvs_samples));
}

/* Returns how much of the end is left, because what is to be inserted did not fit. */
static size_t body_translate(struct scrape *scrape, const char *body, size_t size)
{
	struct translation *translation = &scrape->translation;

	while (!scrape->is_inserting) {
		size_t taken =
			translation_feed(translation, body, size, &scrape->exporter->translated);

		body += taken;
		size -= taken;
		if (!translation->holds_line)
			break;
		lvs_samples_begin(&scrape->lvs_samples, translation->family);
		lvs_insert(scrape);
	}
	return size;
}

/* All is translated. */
static void body_end(struct scrape *scrape)
{
	translation_end(&scrape->translation, &scrape->exporter->translated);
	if (!scrape->has_lvs)
		return;
	lvs_samples_begin(&scrape->lvs_samples, scrape->translation.family);
	lvs_insert(scrape);
}

/* Takes what it can off *data and *size. */
static int piece_translate(struct scrape *scrape, const char **data, size_t *size, struct err *err)
{
	struct buf *text = &scrape->exporter->translated;
	bool has_begun = scrape->has_begun;
	const char *body;
	size_t body_size;
	int r = 0;

	buf_clear(text);
	while (!scrape->is_inserting &&
		(r = answer_take(&scrape->answer, data, size, &body, &body_size, err)) > 0) {
		utilization_append_once(&has_begun, text);
		answer_give_back(
			&scrape->answer, data, size, body_translate(scrape, body, body_size));
	}
	if (r < 0)
		return r;
	if (scrape->answer.part == ANSWER_COMPLETE) {
		utilization_append_once(&has_begun, text);
		body_end(scrape);
	}
	return buf_error(text) ? err_set(err, buf_error(text), "its answer grows too much") : 0;
}

static struct iovec part_of_text(const char *text)
{
	return (struct iovec){.iov_base = (char *)text, .iov_len = strlen(text)};
}

/* The head, before the first piece. */
static size_t head_add(struct scrape *scrape, struct iovec *parts)
{
	if (scrape->has_begun)
		return 0;
	scrape->has_begun = true;
	parts[0] = part_of_text(scrape->request.takes_chunks
					? OK_HEAD("Transfer-Encoding: chunked\r\n")
					: OK_HEAD(""));
	return 1;
}

/* Sends what was translated, which is not nothing unless it is the last. */
static int piece_send(struct scrape *scrape, bool is_last)
{
	const struct buf *text = &scrape->exporter->translated;
	bool is_chunk = scrape->request.takes_chunks && text->size_bytes > 0;
	struct iovec parts[OUTLET_PARTS_MAX];
	char size[20];
	size_t count = head_add(scrape, parts);

	if (scrape->request.method == REQUEST_HEAD)
		return outlet_send(&scrape->outlet, parts, count);
	snprintf(size, sizeof(size), "%zx\r\n", text->size_bytes);
	if (is_chunk)
		parts[count++] = part_of_text(size);
	parts[count].iov_base = (char *)buf_text(text);
	parts[count++].iov_len = text->size_bytes;
	if (is_chunk)
		parts[count++] = part_of_text(is_last ? "\r\n0\r\n\r\n" : "\r\n");
	else if (scrape->request.takes_chunks)
		parts[count++] = part_of_text("0\r\n\r\n");
	return outlet_send(&scrape->outlet, parts, count);
}

static void piece_forward(struct scrape *scrape, int64_t now_ms)
{
	bool is_last = scrape->answer.part == ANSWER_COMPLETE && !scrape->is_inserting;
	bool is_nothing = scrape->exporter->translated.size_bytes == 0;

	if (is_last)
		exporter_has_answered(scrape->exporter);
	if (is_nothing && !is_last) {
		state_enter(scrape, SCRAPE_ANSWER, now_ms);
		return;
	}
	if (is_last || scrape->request.method == REQUEST_HEAD)
		exporter_leave(scrape);
	sending_enter(scrape, piece_send(scrape, is_last), now_ms);
}

/*
 * Where samples are inserted a piece is only looked at, and smaller: what comes behind them must
 * wait until they are sent, and does so in the socket.
 */
static int piece_receive(struct scrape *scrape, struct err *err)
{
	char *piece = scrape->exporter->piece;
	size_t size = scrape->has_lvs ? EXPORTER_PIECE_BYTES / 2 : EXPORTER_PIECE_BYTES;
	ssize_t got = recv(scrape->exporter_fd, piece, size, scrape->has_lvs ? MSG_PEEK : 0);
	const char *data = piece;
	int r;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (got < 0)
		return err_set_errno(err, -errno, "reading its answer");
	if (got == 0)
		return err_set(err, -ECONNRESET, "its answer breaks off");
	size = (size_t)got;
	r = piece_translate(scrape, &data, &size, err);
	if (r < 0 || !scrape->has_lvs)
		return r;
	if (recv(scrape->exporter_fd, piece, (size_t)(data - piece), 0) != data - piece)
		return err_set(err, -EIO, "reading its answer");
	return 0;
}

static void answer_receive(struct scrape *scrape, int64_t now_ms)
{
	struct err err = ERR_NONE;
	int r = piece_receive(scrape, &err);

	if (r == -EAGAIN)
		return;
	if (r < 0)
		exporter_fail(scrape, &err, now_ms);
	else
		piece_forward(scrape, now_ms);
}

/* Where the scrape stands once everything so far was sent. */
static void sent_enter(struct scrape *scrape, int64_t now_ms)
{
	if (scrape->is_inserting) {
		buf_clear(&scrape->exporter->translated);
		lvs_insert(scrape);
		piece_forward(scrape, now_ms);
		return;
	}
	if (scrape->exporter_fd >= 0) {
		state_enter(scrape, SCRAPE_ANSWER, now_ms);
		return;
	}
	outlet_finish(&scrape->outlet);
	state_enter(scrape, SCRAPE_LINGERING, now_ms);
}

/* The scraper's socket has room. */
static void sending_continue(struct scrape *scrape, int64_t now_ms)
{
	if (scrape->outlet.unsent)
		sending_enter(scrape, outlet_flush(&scrape->outlet), now_ms);
	else
		sent_enter(scrape, now_ms);
}

bool scrape_continue(struct scrape *scrape, int64_t now_ms)
{
	switch (scrape->state) {
	case SCRAPE_REQUEST:
		request_receive(scrape, now_ms);
		break;
	case SCRAPE_CONNECTING:
		connection_check(scrape, now_ms);
		break;
	case SCRAPE_ANSWER:
		answer_receive(scrape, now_ms);
		break;
	case SCRAPE_SENDING:
		sending_continue(scrape, now_ms);
		break;
	case SCRAPE_LINGERING:
		if (outlet_is_closed(&scrape->outlet))
			state_enter(scrape, SCRAPE_OVER, now_ms);
		break;
	case SCRAPE_OVER:
		break;
	}
	return scrape->state != SCRAPE_OVER;
}

bool scrape_expire(struct scrape *scrape, int64_t now_ms)
{
	bool waits_for_exporter =
		scrape->state == SCRAPE_CONNECTING || scrape->state == SCRAPE_ANSWER;
	struct err err = ERR_NONE;

	if (waits_for_exporter && now_ms < scrape->end_ms) {
		err_set(&err, -ETIMEDOUT, "it is silent for %d ms", scrape->timeouts->exporter_ms);
		exporter_fail(scrape, &err, now_ms);
	} else {
		state_enter(scrape, SCRAPE_OVER, now_ms);
	}
	return scrape->state != SCRAPE_OVER;
}

struct pollfd scrape_awaits(const struct scrape *scrape)
{
	switch (scrape->state) {
	case SCRAPE_CONNECTING:
		return (struct pollfd){.fd = scrape->exporter_fd, .events = POLLOUT};
	case SCRAPE_ANSWER:
		return (struct pollfd){.fd = scrape->exporter_fd, .events = POLLIN};
	case SCRAPE_SENDING:
		return (struct pollfd){.fd = scrape->outlet.fd, .events = POLLOUT};
	default:
		return (struct pollfd){.fd = scrape->outlet.fd, .events = POLLIN};
	}
}

int64_t scrape_deadline_ms(const struct scrape *scrape)
{
	return scrape->state_deadline_ms < scrape->end_ms ? scrape->state_deadline_ms
							  : scrape->end_ms;
}

struct scrape *scrape_new(int fd, struct exporter *exporter, struct lvs_exporter *lvs_exporter,
	const struct scrape_timeouts *timeouts, int64_t now_ms)
{
	struct scrape *scrape = xcalloc(1, sizeof(*scrape));

	*scrape = (struct scrape){
		.exporter = exporter,
		.lvs_exporter = lvs_exporter,
		.timeouts = timeouts,
		.end_ms = now_ms + timeouts->whole_ms,
		.head = BUF_INIT(REQUEST_HEAD_MAX_BYTES),
		.outlet = OUTLET_INIT(fd),
		.exporter_fd = -1,
		.answer = ANSWER_INIT,
		.translation = TRANSLATION_INIT,
	};
	state_enter(scrape, SCRAPE_REQUEST, now_ms);
	return scrape;
}

void scrape_free(struct scrape *scrape)
{
	/* Whatever ends it early, a part must not look like the whole. */
	if (scrape->exporter_fd >= 0 || scrape->outlet.unsent)
		outlet_break(&scrape->outlet);
	exporter_leave(scrape);
	outlet_deinit(&scrape->outlet);
	buf_deinit(&scrape->head);
	answer_deinit(&scrape->answer);
	translation_deinit(&scrape->translation);
	free(scrape);
}
