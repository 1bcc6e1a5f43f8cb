/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user data that Octavia sends an amphora: a #cloud-config of the one shape that its template
 * has (octavia/common/jinja/templates/user_data_config_drive.template), which is no YAML parser's
 * business:
 *
 *	#cloud-config
 *	write_files:
 *	-   path: /etc/octavia/amphora-agent.conf
 *	    content: |
 *	        eight spaces, then the line; an empty line may have none
 *	runcmd:
 *	-   systemctl restart rsyslog
 *	timezone: UTC
 *
 * Owned by main. Used by amphora-config-drive.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "drive/drive_file.h"

/* nova takes 64 KiB of base64. */
enum { USER_DATA_SIZE_MAX = 256 * KIB, TIMEZONE_SIZE_MAX = 64 };

struct user_data {
	struct drive_files files;
	char timezone[TIMEZONE_SIZE_MAX + 1]; /* "Europe/Vienna"; "" when none is said */
};

/*
 * -EINVAL, with the line, when write_files is not of that shape or a path is refused: half of the
 * files are worse than none. runcmd is left out, because this runs before what it would restart;
 * any other key is logged and left out, and so is user data that is no #cloud-config.
 *
 * A content ends with exactly one newline, as YAML's "|" has it, and its bytes are otherwise
 * literal: what the template escaped for HTML stays so, as with cloud-init.
 */
int user_data_parse(
	const char *text, size_t size_bytes, struct user_data *ret_user_data, struct err *err);
void user_data_deinit(struct user_data *user_data);
