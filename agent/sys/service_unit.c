/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/service_unit.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

#define TARGET "multi-user.target"

enum { UNIT_MAX_BYTES = 64 * KIB };

char *service_unit_name(const char *service)
{
	return xformat("%s.service", service);
}

/* In quotes; '%' would be a specifier. With ExecStart's prefix ':' a '$' stands for itself. */
static void word_append(struct buf *text, const char *word)
{
	buf_append_char(text, '"');
	for (; *word; word++) {
		unsigned char c = (unsigned char)*word;

		if (c == '%')
			buf_append_text(text, "%%");
		else if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
			buf_append_format(text, "\\x%02x", c);
		else
			buf_append_char(text, (char)c);
	}
	buf_append_char(text, '"');
}

/* Of a path as a setting's whole value there is no quoting. */
static int path_append(struct buf *text, const char *setting, const char *path, struct err *err)
{
	buf_append_text(text, setting);
	for (const char *at = path; *at; at++) {
		if (iscntrl((unsigned char)*at) || *at == '\\')
			return err_set(err, -EINVAL,
				"path '%s': a systemd unit cannot name it, for it holds a control "
				"character or a backslash",
				path);
		buf_append_text(text, *at == '%' ? "%%" : (const char[]){*at, '\0'});
	}
	buf_append_char(text, '\n');
	return 0;
}

static void commands_append(struct buf *text, const struct service_spec *spec)
{
	if (spec->pid_files && spec->pid_files[0]) {
		buf_append_text(text, "ExecStartPre=-:rm -f --");
		for (size_t i = 0; spec->pid_files[i]; i++) {
			buf_append_char(text, ' ');
			word_append(text, spec->pid_files[i]);
		}
		buf_append_char(text, '\n');
	}
	buf_append_text(text, "ExecStart=:");
	for (size_t i = 0; spec->process.argv[i]; i++) {
		if (i > 0)
			buf_append_char(text, ' ');
		word_append(text, spec->process.argv[i]);
	}
	buf_append_char(text, '\n');
}

static int process_append(struct buf *text, const struct process_spec *process, struct err *err)
{
	int r = 0;

	if (process->network_namespace && process->network_namespace[0]) {
		cleanup_free char *path = xformat("/run/netns/%s", process->network_namespace);

		r = path_append(text, "NetworkNamespacePath=", path, err);
	}
	if (r == 0 && process->output_path)
		r = path_append(text, "StandardOutput=append:", process->output_path, err);
	return r;
}

int service_unit_render(const struct service_spec *spec, struct buf *ret_text, struct err *err)
{
	int timeout_ms =
		spec->stop_timeout_ms > 0 ? spec->stop_timeout_ms : SERVICE_STOP_TIMEOUT_MS;
	int r;

	buf_append_format(ret_text,
		"# Written by amphora-agent, which rewrites it: change it by a drop-in.\n"
		"[Unit]\n"
		"Description=%s, run by amphora-agent\n"
		/* However often it ends, it is wanted. */
		"StartLimitIntervalSec=0\n"
		"CollectMode=inactive-or-failed\n"
		"\n"
		"[Service]\n"
		/* Who started it asks the program itself whether it is ready. */
		"Type=exec\n",
		spec->name);
	commands_append(ret_text, spec);
	r = process_append(ret_text, &spec->process, err);
	if (r < 0)
		return r;
	buf_append_format(ret_text,
		"KillMode=mixed\n"
		"KillSignal=%d\n"
		"TimeoutStopSec=%dms\n"
		"Restart=always\n"
		"RestartSec=200ms\n"
		"\n"
		"[Install]\n"
		"WantedBy=" TARGET "\n",
		spec->stop_signal > 0 ? spec->stop_signal : SIGTERM, timeout_ms);
	return buf_error(ret_text) ? err_set(err, buf_error(ret_text), "its unit is too long") : 0;
}

int service_unit_store(const char *folder, const struct service_spec *spec, struct err *err)
{
	cleanup_free char *unit = service_unit_name(spec->name);
	cleanup_free char *path = xformat("%s/%s", folder, unit);
	cleanup_buf struct buf text = BUF_INIT(UNIT_MAX_BYTES);
	int r = service_unit_render(spec, &text, err);

	if (r == 0)
		r = directory_make(folder, 0755, err);
	return r < 0 ? r : file_ensure(path, buf_text(&text), text.size_bytes, 0644, err);
}

int service_unit_remove(const char *folder, const char *unit, struct err *err)
{
	cleanup_free char *path = xformat("%s/%s", folder, unit);

	return file_remove(path, err);
}

int service_unit_enable(const char *folder, const char *unit, struct err *err)
{
	cleanup_free char *wants = xformat("%s/" TARGET ".wants", folder);
	cleanup_free char *target = xformat("../%s", unit);
	cleanup_close int fd = -1;
	int r = directory_make(wants, 0755, err);

	if (r < 0)
		return r;
	fd = open(wants, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, -errno, "opening %s", wants);
	if ((symlinkat(target, fd, unit) < 0 && errno != EEXIST) || fsync(fd) < 0)
		return err_set_errno(err, -errno, "linking %s in %s", unit, wants);
	return 0;
}

int service_unit_disable(const char *folder, const char *unit, struct err *err)
{
	cleanup_free char *link = xformat("%s/" TARGET ".wants/%s", folder, unit);

	return file_remove(link, err);
}
