/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nftables.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "veth_network.h"

/* The caller's to free. */
static char *rules_in(const char *namespace)
{
	return output_of("ip netns exec %s nft list ruleset", namespace);
}

static int rules_removed(void **state)
{
	(void)state;
	if (amphora[0]) {
		shell("ip netns exec %s nft flush ruleset", amphora);
		shell("ip netns exec %s nft flush ruleset", peer);
	}
	return 0;
}

static void commands_take_effect_where_the_thread_is(void **state)
{
	cleanup_free char *here = NULL;
	cleanup_free char *there = NULL;
	struct err err = ERR_NONE;

	(void)state;
	skip_without_network();
	{
		stay_in(amphora);
		assert_int_equal(nftables_run("add table ip here", &err), 0);
	}
	here = rules_in(amphora);
	there = rules_in(peer);
	assert_non_null(strstr(here, "table ip here"));
	assert_string_equal(there, "");
}

static void of_commands_with_a_wrong_one_none_takes_effect(void **state)
{
	static const char *const wrong[] = {
		"add table ip t\nadd rule ip t nowhere accept\n", /* the kernel refuses */
		"add table ip t\nadd chain ip t c\nadd rule ip t c acept\n", /* nft does */
	};

	(void)state;
	skip_without_network();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cleanup_free char *rules = NULL;
		struct err err = ERR_NONE;

		{
			stay_in(amphora);
			assert_int_equal(nftables_run(wrong[i], &err), -EIO);
		}
		rules = rules_in(amphora);
		assert_string_equal(rules, "");
	}
}

static void nft_says_why_in_one_line(void **state)
{
	struct err err = ERR_NONE;

	(void)state;
	skip_without_network();
	stay_in(amphora);
	assert_int_equal(nftables_run("add table ip t\nadd rule ip t c acept\n", &err), -EIO);
	assert_non_null(strstr(err.text, "nftables refuses: syntax error"));
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(nftables_run("flush table ip nowhere", &err), -EIO);
	assert_non_null(strstr(err.text, "No such file or directory"));
}

static void without_a_descriptor_the_call_fails_and_the_program_goes_on(void **state)
{
	pid_t child = fork();
	int status = 0;

	(void)state;
	if (child == 0) {
		const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
		struct err err = ERR_NONE;

		setrlimit(RLIMIT_NOFILE, &none);
		_exit(nftables_run("add table ip t", &err) == -EMFILE ? 42 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

struct runner {
	const char *namespace;
	const char *commands;
	unsigned failed;
};

static void *runner_run(void *context)
{
	struct runner *runner = context;
	cleanup_network_namespace struct network_namespace_stay stay = NETWORK_NAMESPACE_STAY_NONE;

	if (network_namespace_enter(runner->namespace, &stay, NULL) < 0)
		runner->failed++;
	for (int i = 0; i < 50; i++)
		if (nftables_run(runner->commands, NULL) < 0)
			runner->failed++;
	return NULL;
}

static void threads_in_two_namespaces_do_not_mix(void **state)
{
	struct runner runners[] = {
		{.namespace = amphora,
			.commands = "table ip first { chain c { tcp dport 80 accept; }; }"},
		{.namespace = peer,
			.commands = "table ip6 second { chain c { udp dport 53 accept; }; }"},
	};
	cleanup_free char *first = NULL;
	cleanup_free char *second = NULL;
	pthread_t threads[2];

	(void)state;
	skip_without_network();
	for (size_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, runner_run, &runners[i]);
	for (size_t i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(runners[i].failed, 0);
	}
	first = rules_in(amphora);
	second = rules_in(peer);
	assert_non_null(strstr(first, "table ip first"));
	assert_null(strstr(first, "second"));
	assert_non_null(strstr(second, "table ip6 second"));
	assert_null(strstr(second, "first"));
}

static void calls_leave_no_descriptor_open(void **state)
{
	int first = dup(STDIN_FILENO);
	int again;

	(void)state;
	skip_without_network();
	close(first);
	{
		stay_in(amphora);
		for (int i = 0; i < 10; i++) {
			assert_int_equal(nftables_run("add table ip t", NULL), 0);
			assert_int_equal(nftables_run("add tabel ip t", NULL), -EIO);
		}
	}
	again = dup(STDIN_FILENO);
	close(again);
	assert_int_equal(again, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(commands_take_effect_where_the_thread_is, rules_removed),
		cmocka_unit_test_teardown(
			of_commands_with_a_wrong_one_none_takes_effect, rules_removed),
		cmocka_unit_test_teardown(nft_says_why_in_one_line, rules_removed),
		cmocka_unit_test(without_a_descriptor_the_call_fails_and_the_program_goes_on),
		cmocka_unit_test_teardown(threads_in_two_namespaces_do_not_mix, rules_removed),
		cmocka_unit_test_teardown(calls_leave_no_descriptor_open, rules_removed),
	};

	return with_veth_network("nftables", tests);
}
