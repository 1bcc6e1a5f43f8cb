/* SPDX-License-Identifier: Apache-2.0 */
#include "haproxy/vips.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "haproxy/instance.h"

/* A load balancer has one, and a few additional ones. */
enum { VIPS_MAX = 256 };

/* "10.0.0.10:80", "2001:db8::10:80" as controllers write it, "[2001:db8::10]:80". */
static bool bind_parse(const char *bind, size_t size, struct address *ret_address)
{
	const char *colon = memrchr(bind, ':', size);
	char text[ADDRESS_TEXT_MAX];

	size = colon ? (size_t)(colon - bind) : 0;
	if (size >= 2 && bind[0] == '[' && bind[size - 1] == ']') {
		bind++;
		size -= 2;
	}
	if (size >= sizeof(text))
		return false;
	memcpy(text, bind, size);
	text[size] = '\0';
	return address_parse(text, ret_address) == 0;
}

static bool is_any(const struct address *address)
{
	static const struct address any_v4 = {.family = AF_INET};
	static const struct address any_v6 = {.family = AF_INET6};

	return address_equal(address, &any_v4) || address_equal(address, &any_v6);
}

static void add(struct address **addresses, size_t *count, const struct address *address)
{
	if (*count == VIPS_MAX || address_is_among(address, *addresses, *count))
		return;
	*addresses = xrealloc_array(*addresses, *count + 1, sizeof(**addresses));
	(*addresses)[(*count)++] = *address;
}

/* A bind line's first argument names one address or, between commas, several. */
static void add_bind(struct address **addresses, size_t *count, const char *bind)
{
	while (*bind) {
		size_t size = strcspn(bind, ",");
		struct address address;

		if (bind_parse(bind, size, &address) && !is_any(&address))
			add(addresses, count, &address);
		bind += size;
		bind += *bind == ',';
	}
}

void haproxy_vips(
	const struct haproxy_config *config, struct address **ret_addresses, size_t *ret_count)
{
	*ret_addresses = NULL;
	*ret_count = 0;
	for (size_t i = 0; i < config->listener_count; i++)
		for (size_t j = 0; j < config->listeners[i].bind_count; j++)
			add_bind(ret_addresses, ret_count, config->listeners[i].binds[j]);
}

int haproxy_vips_installed(const struct haproxy_site *site, const struct id *id,
	struct address **ret_addresses, size_t *ret_count, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(HAPROXY_CONFIG_MAX_BYTES);
	struct haproxy_config config;
	int r = haproxy_instance_read(site, id, &text, err);

	if (r < 0)
		return r;
	haproxy_config_parse(buf_text(&text), text.size_bytes, &config);
	haproxy_vips(&config, ret_addresses, ret_count);
	haproxy_config_deinit(&config);
	return 0;
}
