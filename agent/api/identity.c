/* SPDX-License-Identifier: Apache-2.0 */
#include "api/identity.h"

#include <errno.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"

enum { PEM_MAX_BYTES = MIB };

int identity_load(const struct settings *settings, const char *pem, size_t pem_size_bytes,
	struct tls_credentials **ret_credentials, struct err *err)
{
	cleanup_buf struct buf server_pem = BUF_INIT(PEM_MAX_BYTES);
	cleanup_buf struct buf ca_pem = BUF_INIT(PEM_MAX_BYTES);
	enum tls_version min_version = settings->tls_1_3_only ? TLS_VERSION_1_3 : TLS_VERSION_1_2;
	int r = file_read(settings->agent_server_ca, &ca_pem, err);

	if (r < 0)
		return err_wrap(err, r, "[amphora_agent] agent_server_ca");
	if (pem)
		buf_append(&server_pem, pem, pem_size_bytes);
	else
		r = file_read(settings->agent_server_cert, &server_pem, err);
	if (r < 0)
		return err_wrap(err, r, "[amphora_agent] agent_server_cert");
	if (buf_error(&server_pem))
		return err_set(
			err, -EINVAL, "the certificate is larger than %d bytes", PEM_MAX_BYTES);
	return tls_credentials_new(buf_text(&server_pem), server_pem.size_bytes, buf_text(&ca_pem),
		ca_pem.size_bytes, min_version, ret_credentials, err);
}

void identity_log(const struct tls_credentials *credentials)
{
	int64_t now_s = time(NULL);
	int64_t early_s = tls_credentials_valid_from_s(credentials) - now_s;
	int64_t left_s = tls_credentials_expires_s(credentials) - now_s;

	log_info("server certificate %s: expires in %lld days",
		tls_credentials_subject(credentials), (long long)(left_s / (24 * 60 * 60)));
	if (early_s > 0)
		log_warning("server certificate %s: becomes valid only in %lld s: "
			    "is this machine's clock behind the controller's?",
			tls_credentials_subject(credentials), (long long)early_s);
}
