/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager "direct": calls say what is wanted, and wait for the watcher
 * (sys/service_watcher.h) to see the ends of processes. While a call is at work on a service it has
 * claimed it: other calls for it wait.
 */
#include "sys/service.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scoped_lock.h"
#include "sys/service_manager.h"
#include "sys/service_process.h"
#include "sys/service_record.h"
#include "sys/service_spec.h"
#include "sys/service_watcher.h"

enum { KILL_TIMEOUT_MS = 5000 };

struct supervisor {
	struct service_manager manager;
	char *folder; /* of the records */
	struct service_watcher watcher;
};

DEFINE_CLEANUP(DIR *, closedir);
DEFINE_CLEANUP(struct service_manager *, service_manager_free);

static struct supervisor *supervisor_of(struct service_manager *manager)
{
	return (struct supervisor *)manager;
}

/*
 * Waits until no other call is at work on the service, and keeps others off until
 * service_release(). NULL when there is none of that name and none is to be made.
 */
static struct service *service_claim(struct supervisor *supervisor, const char *name, bool make)
{
	struct service *service;

	while ((service = service_watcher_find(&supervisor->watcher, name)) && service->claimed)
		pthread_cond_wait(&supervisor->watcher.changed, &supervisor->watcher.mutex);
	if (!service && make)
		service = service_watcher_add(&supervisor->watcher, name);
	if (service)
		service->claimed = true;
	return service;
}

static void service_release(struct supervisor *supervisor, struct service *service)
{
	service->claimed = false;
	service_watcher_drop_unused(&supervisor->watcher, service);
	pthread_cond_broadcast(&supervisor->watcher.changed);
	service_watcher_wake(&supervisor->watcher);
}

/* Ends the processes of a claimed service. */
static int service_end(struct supervisor *supervisor, struct service *service, struct err *err)
{
	int timeout_ms = service->spec.stop_timeout_ms;
	int signal = service->spec.stop_signal;
	pid_t pid = service->process.pid;

	if (timeout_ms <= 0)
		timeout_ms = SERVICE_STOP_TIMEOUT_MS;
	if (signal <= 0)
		signal = SIGTERM;
	service_process_signal(&service->process, signal);
	if (service_watcher_await_end(&supervisor->watcher, service, timeout_ms))
		return 0;
	log_warning("service %s (pid %d) did not end within %d ms of signal %d: killing it",
		service->spec.name, pid, timeout_ms, signal);
	service_process_signal(&service->process, SIGKILL);
	if (service_watcher_await_end(&supervisor->watcher, service, KILL_TIMEOUT_MS))
		return 0;
	return err_set(err, -ETIMEDOUT,
		"stopping service %s: pid %d has not ended, not even killed; see what holds it in "
		"/proc/%d/stack",
		service->spec.name, pid, pid);
}

/* Starts a claimed service that has no process. */
static int service_begin(struct supervisor *supervisor, struct service *service, struct err *err)
{
	int r;

	r = service_process_start(supervisor->folder, &service->spec, &service->process, err);
	if (r < 0)
		return err_wrap(err, r, "service %s", service->spec.name);
	log_info("service %s started (pid %d)", service->spec.name, service->process.pid);
	service->pause_ms = 0;
	service->wanted = true;
	return 0;
}

static void service_set_spec(struct service *service, const struct service_spec *spec)
{
	service_spec_deinit(&service->spec);
	service_spec_copy(spec, &service->spec);
	if (!service->wanted)
		service->restart_count = 0;
}

static int direct_start(struct service_manager *manager, const struct service_spec *spec,
	bool *ret_started, struct err *err)
{
	struct supervisor *supervisor = supervisor_of(manager);
	struct service *service;
	bool runs;
	int r = 0;

	scoped_lock(&supervisor->watcher.mutex);
	service = service_claim(supervisor, spec->name, true);
	service_set_spec(service, spec);
	runs = service_process_is_alive(&service->process);
	if (runs)
		service->wanted = true;
	else if (!service_watcher_await_end(&supervisor->watcher, service, KILL_TIMEOUT_MS))
		r = err_set(err, -ETIMEDOUT,
			"starting service %s: its last process is still ending", spec->name);
	else
		r = service_begin(supervisor, service, err);
	service_release(supervisor, service);
	if (r == 0)
		*ret_started = !runs;
	return r;
}

static int direct_stop(struct service_manager *manager, const char *name, struct err *err)
{
	struct supervisor *supervisor = supervisor_of(manager);
	struct service *service;
	int r;

	scoped_lock(&supervisor->watcher.mutex);
	service = service_claim(supervisor, name, false);
	if (!service)
		return 0;
	service->wanted = false;
	r = service_end(supervisor, service, err);
	if (r == 0)
		r = service_record_remove(supervisor->folder, name, err);
	service_release(supervisor, service);
	return r;
}

/* Nothing but the record remembers a service, and that is gone with its process. */
static int direct_remove(struct service_manager *manager, const char *name, struct err *err)
{
	return direct_stop(manager, name, err);
}

static int direct_restart(
	struct service_manager *manager, const struct service_spec *spec, struct err *err)
{
	struct supervisor *supervisor = supervisor_of(manager);
	struct service *service;
	int r;

	scoped_lock(&supervisor->watcher.mutex);
	service = service_claim(supervisor, spec->name, true);
	r = service_end(supervisor, service, err);
	service_set_spec(service, spec);
	if (r == 0)
		r = service_begin(supervisor, service, err);
	service_release(supervisor, service);
	return r;
}

static pid_t direct_pid(struct service_manager *manager, const char *name)
{
	struct supervisor *supervisor = supervisor_of(manager);
	struct service *service;

	scoped_lock(&supervisor->watcher.mutex);
	service = service_watcher_find(&supervisor->watcher, name);
	return service && service_process_is_alive(&service->process) ? service->process.pid : 0;
}

static unsigned direct_restart_count(struct service_manager *manager, const char *name)
{
	struct supervisor *supervisor = supervisor_of(manager);
	struct service *service;

	scoped_lock(&supervisor->watcher.mutex);
	service = service_watcher_find(&supervisor->watcher, name);
	return service ? service->restart_count : 0;
}

static int service_adopt(struct supervisor *supervisor, const char *name, struct err *err)
{
	struct service_process process;
	struct service_spec spec;
	struct service *service;
	struct err why = ERR_NONE;
	int r;

	r = service_process_find(supervisor->folder, name, &process, &spec, &why);
	if (r == -ESRCH || r == -ESTALE || r == -EBADMSG) {
		log_warning("%s", why.text);
		return service_record_remove(supervisor->folder, name, err);
	}
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	service = service_watcher_add(&supervisor->watcher, name);
	service_spec_deinit(&service->spec);
	service->spec = spec;
	service->process = process;
	log_info("service %s runs already (pid %d)", name, process.pid);
	return 0;
}

/* Other names are those of temporaries, whose writer was killed. */
static int services_adopt(struct supervisor *supervisor, struct err *err)
{
	CLEANUP(cleanup_closedir) DIR *folder = opendir(supervisor->folder);
	struct dirent *entry;
	int r = 0;

	if (!folder)
		return err_set_errno(err, -errno, "reading folder %s", supervisor->folder);
	while (r == 0 && (entry = readdir(folder)))
		if (service_name_check(entry->d_name, NULL) == 0)
			r = service_adopt(supervisor, entry->d_name, err);
		else if (entry->d_type == DT_REG)
			unlinkat(dirfd(folder), entry->d_name, 0);
	return r;
}

static void direct_free(struct service_manager *manager)
{
	struct supervisor *supervisor = supervisor_of(manager);

	service_watcher_deinit(&supervisor->watcher);
	free(supervisor->folder);
	free(supervisor);
}

static const struct service_manager_calls direct_calls = {
	.free = direct_free,
	.start = direct_start,
	.stop = direct_stop,
	.remove = direct_remove,
	.restart = direct_restart,
	.pid = direct_pid,
	.restart_count = direct_restart_count,
};

int service_manager_new_direct(
	const char *runtime_dir, struct service_manager **ret_manager, struct err *err)
{
	struct supervisor *supervisor = xcalloc(1, sizeof(*supervisor));
	CLEANUP(cleanup_service_manager_free)
	struct service_manager *manager = &supervisor->manager;
	int r;

	manager->calls = &direct_calls;
	supervisor->folder = xformat("%s/services", runtime_dir);
	r = service_watcher_init(&supervisor->watcher, supervisor->folder, err);
	if (r == 0)
		r = directory_make(supervisor->folder, 0755, err);
	if (r == 0)
		r = services_adopt(supervisor, err);
	if (r == 0)
		r = service_watcher_start(&supervisor->watcher, err);
	if (r < 0)
		return r;
	*ret_manager = take_ptr(manager);
	return 0;
}
