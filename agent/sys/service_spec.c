/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/service_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char name_chars[] = "0123456789"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz"
				 "@_.-";

int service_name_check(const char *name, struct err *err)
{
	size_t length = strlen(name);

	if (length == 0 || length > SERVICE_NAME_MAX || strspn(name, name_chars) != length ||
		strchr("@.-", name[0]))
		return err_set(err, -EINVAL,
			"service name '%s': must be 1 to %d letters, digits and \"@_.-\", starting "
			"with a letter, a digit or '_'",
			name, SERVICE_NAME_MAX);
	return 0;
}

static char *text_copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static const char *const *texts_copy(const char *const *texts)
{
	size_t count = 0;
	char **copy;

	if (!texts)
		return NULL;
	while (texts[count])
		count++;
	copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(texts[i]);
	return (const char *const *)copy;
}

static void texts_free(const char *const *texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free((char *)texts[i]);
	free((char **)texts);
}

void service_spec_copy(const struct service_spec *spec, struct service_spec *ret_copy)
{
	*ret_copy = (struct service_spec){
		.name = xstrdup(spec->name),
		.process.argv = texts_copy(spec->process.argv),
		.process.network_namespace = text_copy(spec->process.network_namespace),
		.process.output_path = text_copy(spec->process.output_path),
		.stop_signal = spec->stop_signal,
		.stop_timeout_ms = spec->stop_timeout_ms,
		.pid_files = texts_copy(spec->pid_files),
		.starts_at_boot = spec->starts_at_boot,
	};
}

void service_spec_deinit(struct service_spec *copy)
{
	texts_free(copy->process.argv);
	texts_free(copy->pid_files);
	free((char *)copy->process.network_namespace);
	free((char *)copy->process.output_path);
	free((char *)copy->name);
	*copy = (struct service_spec){.name = NULL};
}
