/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/stop_signal.h"

static void being_asked_to_end_is_something_to_read(void **state)
{
	static const int asking[] = {SIGTERM, SIGINT};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct err err = ERR_NONE;
		cleanup_close int fd = stop_signal_open(&err);
		struct pollfd polled = {.fd = fd, .events = POLLIN};
		char information[128];

		assert_true(fd >= 0);
		assert_int_equal(poll(&polled, 1, 0), 0);
		raise(asking[i]);
		assert_int_equal(poll(&polled, 1, 0), 1);
		assert_int_equal(read(fd, information, sizeof(information)), sizeof(information));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(being_asked_to_end_is_something_to_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
