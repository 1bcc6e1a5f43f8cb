/* SPDX-License-Identifier: Apache-2.0 */
#include "net/plugged_interfaces.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "net/description.h"

enum { FILE_MAX_BYTES = MIB };

static const char blanks[] = " \t\r\n";

/* "MAC NAME", whatever follows is not ours. */
static bool line_parse(const char *line, size_t size_bytes, struct plugged_interface *ret_interface)
{
	cleanup_free char *text = xmemdup_text(line, size_bytes);
	char *mac = text + strspn(text, blanks);
	char *name = mac + strcspn(mac, blanks);

	if (*name != '\0')
		*name++ = '\0';
	name += strspn(name, blanks);
	name[strcspn(name, blanks)] = '\0';
	if (mac_parse(mac, &ret_interface->mac) < 0 || !description_name_is_valid(name))
		return false;
	memcpy(ret_interface->name, name, strlen(name) + 1);
	return true;
}

/* The entry of the MAC; a new one if it has none. */
static struct plugged_interface *entry_of(
	struct plugged_interface **interfaces, size_t *count, const struct mac *mac)
{
	for (size_t i = 0; i < *count; i++)
		if (mac_equal(&(*interfaces)[i].mac, mac))
			return &(*interfaces)[i];
	*interfaces = xrealloc_array(*interfaces, *count + 1, sizeof(**interfaces));
	(*interfaces)[*count] = (struct plugged_interface){.mac = *mac};
	return &(*interfaces)[(*count)++];
}

int plugged_interfaces_load(const char *path, struct plugged_interface **ret_interfaces,
	size_t *ret_count, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(FILE_MAX_BYTES);
	cleanup_free struct plugged_interface *interfaces = NULL;
	size_t count = 0;
	size_t number = 0;
	int r = file_read(path, &text, err);

	if (r < 0 && r != -ENOENT)
		return r;
	for (const char *line = buf_text(&text); *line; line += *line == '\n') {
		size_t size = strcspn(line, "\n");
		struct plugged_interface found;

		number++;
		if (line_parse(line, size, &found))
			*entry_of(&interfaces, &count, &found.mac) = found;
		else if (strspn(line, blanks) < size)
			log_warning("%s:%zu: passed over: not \"MAC NAME\"", path, number);
		line += size;
	}
	*ret_interfaces = take_ptr(interfaces);
	*ret_count = count;
	return 0;
}

static int store(
	const char *path, const struct plugged_interface *interfaces, size_t count, struct err *err)
{
	cleanup_buf struct buf text = BUF_INIT(FILE_MAX_BYTES);

	for (size_t i = 0; i < count; i++) {
		char mac[MAC_TEXT_MAX];

		mac_format(&interfaces[i].mac, mac);
		buf_append_format(&text, "%s %s\n", mac, interfaces[i].name);
	}
	if (buf_error(&text))
		return err_set(err, buf_error(&text), "writing %s: more than %d bytes", path,
			FILE_MAX_BYTES);
	return file_replace(path, buf_text(&text), text.size_bytes, 0644, err);
}

int plugged_interfaces_set(
	const char *path, const struct mac *mac, const char *name, struct err *err)
{
	cleanup_free struct plugged_interface *interfaces = NULL;
	struct plugged_interface *entry;
	size_t count;
	size_t kept = 0;
	bool changed;
	int r = plugged_interfaces_load(path, &interfaces, &count, err);

	if (r < 0)
		return r;
	entry = entry_of(&interfaces, &count, mac);
	changed = !text_equal(entry->name, name);
	memcpy(entry->name, name, strlen(name) + 1);
	for (size_t i = 0; i < count; i++)
		if (!text_equal(interfaces[i].name, name) || mac_equal(&interfaces[i].mac, mac))
			interfaces[kept++] = interfaces[i];
	if (!changed && kept == count)
		return 0;
	return store(path, interfaces, kept, err);
}
