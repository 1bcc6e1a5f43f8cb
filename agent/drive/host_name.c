/* SPDX-License-Identifier: Apache-2.0 */
#include "drive/host_name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define OWN_ADDRESS "127.0.1.1"

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool label_is_valid(const char *label, size_t size_bytes)
{
	if (size_bytes == 0 || size_bytes > HOST_LABEL_SIZE_MAX || label[0] == '-' ||
		label[size_bytes - 1] == '-')
		return false;
	for (size_t i = 0; i < size_bytes; i++)
		if (!is_letter_or_digit(label[i]) && label[i] != '-')
			return false;
	return true;
}

static bool name_is_valid(const char *text)
{
	if (strlen(text) > HOST_NAME_SIZE_MAX)
		return false;
	for (;;) {
		const char *dot = strchrnul(text, '.');

		if (!label_is_valid(text, (size_t)(dot - text)))
			return false;
		if (*dot == '\0')
			return true;
		text = dot + 1;
	}
}

int host_name_parse(const char *text, struct host_name *ret_name, struct err *err)
{
	size_t label_bytes = (size_t)(strchrnul(text, '.') - text);

	if (!name_is_valid(text))
		return err_set(err, -EINVAL,
			"'%.100s' is no host name: letters, digits and '-' in parts of at most %d "
			"characters",
			text, HOST_LABEL_SIZE_MAX);
	memcpy(ret_name->full, text, strlen(text) + 1);
	memcpy(ret_name->label, text, label_bytes);
	ret_name->label[label_bytes] = '\0';
	return 0;
}

static bool is_own_line(const char *line)
{
	return text_starts_with(line, OWN_ADDRESS) && strchr(" \t", line[strlen(OWN_ADDRESS)]);
}

void host_name_format_hosts(
	const struct host_name *name, const struct buf *old, struct buf *ret_hosts)
{
	const char *line = buf_text(old);

	if (*line == '\0')
		line = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
	while (*line) {
		const char *end = strchrnul(line, '\n');

		if (!is_own_line(line)) {
			buf_append(ret_hosts, line, (size_t)(end - line));
			buf_append_char(ret_hosts, '\n');
		}
		line = *end ? end + 1 : end;
	}
	buf_append_format(ret_hosts, OWN_ADDRESS "\t%s", name->full);
	if (!text_equal(name->full, name->label))
		buf_append_format(ret_hosts, " %s", name->label);
	buf_append_char(ret_hosts, '\n');
}
