/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/cgroup.h"
#include "sys/network_namespace.h"

/* What of a file we look at; /proc/stat is longer on a large machine, but not its first line. */
enum { HEAD_MAX_BYTES = 4 * KIB, NET_DEV_MAX_BYTES = MIB };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The first ret_head bytes of a file, as text. */
static int head_read(const char *path, char ret_head[static HEAD_MAX_BYTES])
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size_bytes = 0;

	if (fd < 0)
		return -errno;
	while (size_bytes < HEAD_MAX_BYTES - 1) {
		ssize_t got = read(fd, ret_head + size_bytes, HEAD_MAX_BYTES - 1 - size_bytes);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		size_bytes += (size_t)got;
	}
	ret_head[size_bytes] = '\0';
	return 0;
}

/* Takes the blank-separated word at *cursor; its length, 0 at the end of the line. */
static size_t word_take(const char **cursor, const char **ret_word)
{
	size_t length;

	*ret_word = *cursor + strspn(*cursor, " \t");
	length = strcspn(*ret_word, " \t\n");
	*cursor = *ret_word + length;
	return length;
}

static int number_take(const char **cursor, uint64_t *ret_value)
{
	const char *word;
	size_t length = word_take(cursor, &word);

	return text_parse_u64_span(word, length, 0, UINT64_MAX, ret_value) < 0 ? -EBADMSG : 0;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end && end[1] ? end + 1 : NULL;
}

/* The value of the line "NAME:   value kB"; -ENOENT when there is none. */
static int meminfo_find(const char *meminfo, const char *name, uint64_t *ret_kb)
{
	size_t name_size = strlen(name);

	for (const char *line = meminfo; line; line = next_line(line)) {
		const char *value = line + name_size + 1;

		if (strncmp(line, name, name_size) == 0 && line[name_size] == ':')
			return number_take(&value, ret_kb);
	}
	return -ENOENT;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int procfs_parse_memory(const char *meminfo, struct procfs_memory *ret_memory)
{
	struct procfs_memory memory = {0};
	const struct {
		const char *name;
		uint64_t *kb;
		bool optional; /* containers' file systems and odd kernels leave it out */
	} lines[] = {
		{"MemTotal", &memory.total_kb, false},
		{"MemFree", &memory.free_kb, false},
		{"Buffers", &memory.buffers_kb, true},
		{"Cached", &memory.cached_kb, false},
		{"SwapCached", &memory.swap_used_kb, true},
		{"Shmem", &memory.shared_kb, true},
		{"Slab", &memory.slab_kb, true},
		{"MemAvailable", &memory.available_kb, true},
	};

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		int r = meminfo_find(meminfo, lines[i].name, lines[i].kb);

		if (r == -EBADMSG || (r == -ENOENT && !lines[i].optional))
			return -EBADMSG;
	}
	if (memory.available_kb == 0) /* no such line */
		memory.available_kb = memory.free_kb;
	memory.available_kb = smaller(memory.available_kb, memory.total_kb);
	memory.cached_kb -=
		memory.shared_kb < memory.cached_kb ? memory.shared_kb : memory.cached_kb;
	*ret_memory = memory;
	return 0;
}

void procfs_limit_memory(struct procfs_memory *memory, const struct cgroup_memory *limit)
{
	uint64_t left_bytes = limit->limit_bytes - smaller(limit->used_bytes, limit->limit_bytes);
	uint64_t cached_bytes =
		limit->cache_bytes - smaller(limit->shared_bytes, limit->cache_bytes);

	if (limit->limit_bytes / 1024 >= memory->total_kb)
		return;
	memory->total_kb = limit->limit_bytes / 1024;
	memory->free_kb = smaller(memory->free_kb, left_bytes / 1024);
	memory->buffers_kb = 0; /* a group's cache_bytes holds them */
	memory->cached_kb = cached_bytes / 1024;
	memory->swap_used_kb = smaller(memory->swap_used_kb, memory->total_kb);
	memory->shared_kb = limit->shared_bytes / 1024;
	memory->slab_kb = limit->slab_bytes / 1024;
	memory->available_kb = smaller(memory->available_kb, (left_bytes + cached_bytes) / 1024);
}

int procfs_read_memory(struct procfs_memory *ret_memory, struct err *err)
{
	char head[HEAD_MAX_BYTES];
	struct procfs_memory memory;
	struct cgroup_memory limit;
	struct err limit_err = ERR_NONE;
	int r = head_read("/proc/meminfo", head);

	if (r == 0)
		r = procfs_parse_memory(head, &memory);
	if (r < 0)
		return err_set_errno(err, r, "reading /proc/meminfo");
	r = cgroup_memory_read("", &limit, &limit_err);
	if (r == 0)
		procfs_limit_memory(&memory, &limit);
	else if (r != -ENOENT)
		log_debug("memory limit of the control group: %s", limit_err.text);
	*ret_memory = memory;
	return 0;
}

int procfs_parse_cpu(const char *stat, struct procfs_cpu *ret_cpu)
{
	/* user nice system idle iowait irq softirq, then what newer kernels add */
	enum { USER = 0, SYSTEM = 2, SOFT_IRQ = 6, COLUMNS_MAX = 32 };
	uint64_t columns[COLUMNS_MAX] = {0};
	uint64_t total = 0;
	size_t count = 0;

	if (!text_starts_with(stat, "cpu "))
		return -EBADMSG;
	stat += strlen("cpu ");
	while (count < COLUMNS_MAX && number_take(&stat, &columns[count]) == 0)
		total += columns[count++];
	if (count <= SOFT_IRQ)
		return -EBADMSG;
	*ret_cpu = (struct procfs_cpu){
		.total_jiffies = total,
		.user_jiffies = columns[USER],
		.system_jiffies = columns[SYSTEM],
		.soft_irq_jiffies = columns[SOFT_IRQ],
	};
	return 0;
}

int procfs_read_cpu(struct procfs_cpu *ret_cpu, struct err *err)
{
	char head[HEAD_MAX_BYTES];
	int r = head_read("/proc/stat", head);

	if (r == 0)
		r = procfs_parse_cpu(head, ret_cpu);
	return r < 0 ? err_set_errno(err, r, "reading /proc/stat") : 0;
}

unsigned procfs_cpu_count(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	return online > 0 ? (unsigned)online : 1;
}

int procfs_parse_load(const char *loadavg, struct procfs_load *ret_load)
{
	struct procfs_load load = {0};

	for (size_t i = 0; i < COUNT_OF(load.text); i++) {
		const char *word;
		size_t length = word_take(&loadavg, &word);

		if (length == 0 || length >= sizeof(load.text[i]) ||
			strspn(word, "0123456789.") < length)
			return -EBADMSG;
		memcpy(load.text[i], word, length);
	}
	*ret_load = load;
	return 0;
}

int procfs_read_load(struct procfs_load *ret_load, struct err *err)
{
	char head[HEAD_MAX_BYTES];
	int r = head_read("/proc/loadavg", head);

	if (r == 0)
		r = procfs_parse_load(head, ret_load);
	return r < 0 ? err_set_errno(err, r, "reading /proc/loadavg") : 0;
}

int procfs_read_boot_id(struct procfs_boot_id *ret_boot_id, struct err *err)
{
	const size_t size_bytes = sizeof(ret_boot_id->text) - 1;
	char head[HEAD_MAX_BYTES];
	int r = head_read("/proc/sys/kernel/random/boot_id", head);

	if (r == 0 && strspn(head, "0123456789abcdef-") != size_bytes)
		r = -EBADMSG;
	if (r < 0)
		return err_set_errno(err, r, "reading /proc/sys/kernel/random/boot_id");
	memcpy(ret_boot_id->text, head, size_bytes);
	ret_boot_id->text[size_bytes] = '\0';
	return 0;
}

int procfs_parse_start_time(const char *process_stat, uint64_t *ret_ticks)
{
	enum { FIELD_AFTER_NAME = 3, FIELD_START_TIME = 22 };
	/* "1 (name) S 0 …": the name may hold blanks and brackets, the rest does not. */
	const char *cursor = strrchr(process_stat, ')');
	const char *word;

	if (!cursor)
		return -EBADMSG;
	cursor++;
	for (int field = FIELD_AFTER_NAME; field < FIELD_START_TIME; field++)
		if (word_take(&cursor, &word) == 0)
			return -EBADMSG;
	return number_take(&cursor, ret_ticks);
}

int procfs_process_start_time(pid_t pid, uint64_t *ret_ticks)
{
	cleanup_free char *path = xformat("/proc/%d/stat", (int)pid);
	char head[HEAD_MAX_BYTES];
	int r = pid > 0 ? head_read(path, head) : -ESRCH;

	if (r == -ENOENT)
		r = -ESRCH;
	return r < 0 ? r : procfs_parse_start_time(head, ret_ticks);
}

bool procfs_process_catches(pid_t pid, int signal)
{
	static const char mark[] = "\nSigCgt:\t";
	cleanup_free char *path = xformat("/proc/%d/status", (int)pid);
	char head[HEAD_MAX_BYTES];
	const char *caught;

	if (pid <= 0 || head_read(path, head) < 0)
		return false;
	caught = strstr(head, mark);
	/* Bit 0 is signal 1. */
	return caught && strtoull(caught + strlen(mark), NULL, 16) >> (signal - 1) & 1;
}

int procfs_read_disk(const char *path, struct procfs_disk *ret_disk, struct err *err)
{
	struct statvfs status;

	if (statvfs(path, &status) < 0)
		return err_set_errno(err, -errno, "asking the file system of %s", path);
	ret_disk->used_bytes = (uint64_t)(status.f_blocks - status.f_bfree) * status.f_frsize;
	ret_disk->available_bytes = (uint64_t)status.f_bavail * status.f_frsize;
	return 0;
}

void procfs_interfaces_deinit(struct procfs_interfaces *interfaces)
{
	free(interfaces->items);
	*interfaces = (struct procfs_interfaces){0};
}

/* "  eth0: RX_BYTES and 7 more, TX_BYTES and 7 more" */
static int interface_parse(const char *line, struct procfs_interface *ret_interface)
{
	enum { RX_BYTES = 0, TX_BYTES = 8, COLUMNS = 16 };
	struct procfs_interface interface = {0};
	const char *name = line + strspn(line, " ");
	/* A name holds no blank, but may hold a colon. */
	size_t name_size = strcspn(name, " \n");
	uint64_t columns[COLUMNS];
	const char *cursor;

	while (name_size > 0 && name[name_size - 1] != ':')
		name_size--;
	if (name_size < 2 || name_size > sizeof(interface.name))
		return -EBADMSG;
	memcpy(interface.name, name, name_size - 1);
	cursor = name + name_size;
	for (size_t i = 0; i < COLUMNS; i++)
		if (number_take(&cursor, &columns[i]) < 0)
			return -EBADMSG;
	interface.rx_bytes = columns[RX_BYTES];
	interface.tx_bytes = columns[TX_BYTES];
	*ret_interface = interface;
	return 0;
}

int procfs_parse_interfaces(
	const char *net_dev, const char *prefix, struct procfs_interfaces *ret_interfaces)
{
	CLEANUP(procfs_interfaces_deinit) struct procfs_interfaces interfaces = {0};
	/* Two lines of headings, recognised by their bars. */
	const char *line = next_line(net_dev);

	if (!line || !strchr(net_dev, '|'))
		return -EBADMSG;
	for (line = next_line(line); line; line = next_line(line)) {
		struct procfs_interface interface;
		int r = interface_parse(line, &interface);

		if (r < 0)
			return r;
		if (!text_starts_with(interface.name, prefix))
			continue;
		interfaces.items = xrealloc_array(
			interfaces.items, interfaces.count + 1, sizeof(*interfaces.items));
		interfaces.items[interfaces.count++] = interface;
	}
	*ret_interfaces = interfaces;
	interfaces = (struct procfs_interfaces){0};
	return 0;
}

int procfs_read_interfaces(const char *network_namespace, const char *prefix,
	struct procfs_interfaces *ret_interfaces, struct err *err)
{
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;
	cleanup_buf struct buf text = BUF_INIT(NET_DEV_MAX_BYTES);
	int r;

	r = network_namespace_enter(network_namespace, &stay, err);
	if (r < 0)
		return r;
	/* thread-self: /proc/net is the main thread's network, whoever asks. */
	r = file_read("/proc/thread-self/net/dev", &text, err);
	if (r < 0)
		return r;
	r = procfs_parse_interfaces(buf_text(&text), prefix, ret_interfaces);
	return r < 0 ? err_set_errno(err, r, "reading /proc/net/dev") : 0;
}
