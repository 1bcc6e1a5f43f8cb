/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nftables.h"

#include <errno.h>
#include <linux/netlink.h>
#include <malloc.h>
#include <nftables/libnftables.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"

DEFINE_CLEANUP(struct nft_ctx *, nft_ctx_free);

/* A context may be used by one thread; of what they share the library says nothing. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

/*
 * libnftables ends the whole program when it cannot open its socket: whether that works is tried
 * first.
 */
static int socket_check(struct err *err)
{
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return err_set_errno(err, -errno, "nftables: opening a netlink socket");
	return 0;
}

/*
 * nft's first complaint. Those that follow come of it, and the line that it quotes is the first of
 * the whole text, whichever is wrong.
 */
static int refused(const char *words, struct err *err)
{
	static const char prefix[] = "Error: ";

	if (text_starts_with(words, prefix))
		words += strlen(prefix);
	if (!words[0])
		words = "it does not say why";
	return err_set(err, -EIO, "nftables refuses: %.*s", (int)strcspn(words, "\n"), words);
}

static int commands_run(const char *commands, struct err *err)
{
	CLEANUP(cleanup_nft_ctx_free) struct nft_ctx *context = NULL;
	int r = socket_check(err);

	if (r < 0)
		return r;
	/* Its socket belongs to the namespace we are in: a context serves no second call. */
	context = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!context || nft_ctx_buffer_output(context) != 0 || nft_ctx_buffer_error(context) != 0)
		return err_set(err, -ENOMEM, "nftables: no memory");
	if (nft_run_cmd_from_buffer(context, commands) != 0)
		return refused(nft_ctx_get_error_buffer(context), err);
	return 0;
}

int nftables_run(const char *commands, struct err *err)
{
	int r;

	pthread_mutex_lock(&library);
	r = commands_run(commands, err);
	/* A long list takes 20 times its text while it is compiled; malloc would keep that. */
	malloc_trim(0);
	pthread_mutex_unlock(&library);
	return r;
}
