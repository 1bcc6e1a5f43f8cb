/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tls_credentials.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "sys/pem.h"

enum {
	CERTIFICATES_MAX = 16,
	KEY_ID_BYTES = 32,
	TIME_TEXT_MAX = sizeof("YYYY-MM-DD HH:MM:SS UTC")
};

struct tls_credentials {
	atomic_uint references;
	gnutls_certificate_credentials_t certificate;
	gnutls_priority_t priority;
	int64_t valid_from_s;
	int64_t expires_s;
	char *subject;
};

/* What a server PEM holds. GnuTLS clears the key's numbers when it is deinitialized. */
struct identity {
	gnutls_x509_crt_t certificates[CERTIFICATES_MAX]; /* once ordered: leaf first */
	unsigned certificate_count;
	gnutls_x509_privkey_t key;
};

/* The same in the form in which credentials take it over. */
struct key_pair {
	gnutls_pcert_st chain[CERTIFICATES_MAX];
	unsigned chain_length;
	gnutls_privkey_t key;
};

DEFINE_CLEANUP(struct tls_credentials *, tls_credentials_unref);
DEFINE_CLEANUP(gnutls_x509_crt_t, gnutls_x509_crt_deinit);
#define cleanup_certificate CLEANUP(cleanup_gnutls_x509_crt_deinit)

static void identity_deinit(struct identity *identity)
{
	for (unsigned i = 0; i < identity->certificate_count; i++)
		gnutls_x509_crt_deinit(identity->certificates[i]);
	if (identity->key)
		gnutls_x509_privkey_deinit(identity->key);
}

static void key_pair_deinit(struct key_pair *pair)
{
	for (unsigned i = 0; i < pair->chain_length; i++)
		gnutls_pcert_deinit(&pair->chain[i]);
	if (pair->key)
		gnutls_privkey_deinit(pair->key);
}

static gnutls_datum_t block_datum(const struct pem_block *block)
{
	/* GnuTLS only reads it. */
	return (gnutls_datum_t){(unsigned char *)block->text, (unsigned)block->size_bytes};
}

static int identity_add_certificate(
	struct identity *identity, const struct pem_block *block, struct err *err)
{
	cleanup_certificate gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t datum = block_datum(block);
	int r;

	if (identity->certificate_count == CERTIFICATES_MAX)
		return err_set(err, -EINVAL, "more than %d certificates", CERTIFICATES_MAX);
	r = gnutls_x509_crt_init(&certificate);
	if (r == 0)
		r = gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_PEM);
	if (r < 0)
		return err_set(err, -EINVAL, "certificate %u of the PEM is not readable: %s",
			identity->certificate_count + 1, gnutls_strerror(r));
	identity->certificates[identity->certificate_count++] = take_ptr(certificate);
	return 0;
}

/* PKCS#8 says so in the label, the traditional format in a header of the block. */
static bool key_is_encrypted(const struct pem_block *block)
{
	static const char header[] = "4,ENCRYPTED";

	return pem_block_is(block, "ENCRYPTED PRIVATE KEY") ||
	       memmem(block->text, block->size_bytes, header, strlen(header));
}

static int identity_set_key(
	struct identity *identity, const struct pem_block *block, struct err *err)
{
	gnutls_datum_t datum = block_datum(block);
	int r;

	if (identity->key)
		return err_set(
			err, -EINVAL, "more than one private key: leave only the one in use");
	if (key_is_encrypted(block))
		return err_set(err, -EINVAL,
			"the private key is encrypted: give one without a passphrase");
	r = gnutls_x509_privkey_init(&identity->key);
	if (r == 0)
		r = gnutls_x509_privkey_import2(
			identity->key, &datum, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);
	if (r < 0)
		return err_set(
			err, -EINVAL, "the private key is not readable: %s", gnutls_strerror(r));
	return 0;
}

static bool label_is_key(const struct pem_block *block)
{
	static const char suffix[] = "PRIVATE KEY";
	size_t suffix_size = strlen(suffix);

	return block->label_size_bytes >= suffix_size &&
	       memcmp(block->label + block->label_size_bytes - suffix_size, suffix, suffix_size) ==
		       0;
}

static int identity_parse(
	const char *pem, size_t pem_size_bytes, struct identity *identity, struct err *err)
{
	struct pem_cursor cursor = {pem, pem_size_bytes};
	struct pem_block block;
	int r;

	while ((r = pem_next(&cursor, &block, err)) > 0) {
		if (pem_block_is(&block, "CERTIFICATE") || pem_block_is(&block, "X509 CERTIFICATE"))
			r = identity_add_certificate(identity, &block, err);
		else if (label_is_key(&block))
			r = identity_set_key(identity, &block, err);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (identity->certificate_count == 0)
		return err_set(err, -EINVAL, "no certificate found (PEM is expected)");
	if (!identity->key)
		return err_set(err, -EINVAL, "no private key found (PEM is expected)");
	return 0;
}

static bool key_matches(gnutls_x509_privkey_t key, gnutls_x509_crt_t certificate)
{
	unsigned char key_id[KEY_ID_BYTES], certificate_id[KEY_ID_BYTES];
	size_t key_id_size = sizeof(key_id), certificate_id_size = sizeof(certificate_id);

	return gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, key_id, &key_id_size) ==
		       0 &&
	       gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, certificate_id,
		       &certificate_id_size) == 0 &&
	       key_id_size == certificate_id_size &&
	       memcmp(key_id, certificate_id, key_id_size) == 0;
}

static void identity_swap(struct identity *identity, unsigned a, unsigned b)
{
	gnutls_x509_crt_t kept = identity->certificates[a];

	identity->certificates[a] = identity->certificates[b];
	identity->certificates[b] = kept;
}

/*
 * Brings the leaf to the front. A renewed certificate may have kept its key and stand in the file
 * beside the old one: the one that expires last counts.
 */
static int identity_find_leaf(struct identity *identity, struct err *err)
{
	bool found = false;

	for (unsigned i = 0; i < identity->certificate_count; i++) {
		if (!key_matches(identity->key, identity->certificates[i]))
			continue;
		if (!found ||
			gnutls_x509_crt_get_expiration_time(identity->certificates[i]) >
				gnutls_x509_crt_get_expiration_time(identity->certificates[0]))
			identity_swap(identity, 0, i);
		found = true;
	}
	if (!found)
		return err_set(err, -EINVAL, "the private key matches no certificate of the PEM");
	return 0;
}

/* The first of the certificates from index on that issued certificate; their count: none did. */
static unsigned identity_find_issuer(
	const struct identity *identity, unsigned index, gnutls_x509_crt_t certificate)
{
	while (index < identity->certificate_count &&
		!gnutls_x509_crt_check_issuer(certificate, identity->certificates[index]))
		index++;
	return index;
}

/*
 * The chain above the leaf, each one followed by its issuer up to one that issued itself; how many
 * certificates belong to it.
 */
static unsigned identity_order_chain(struct identity *identity)
{
	gnutls_x509_crt_t last = identity->certificates[0];
	unsigned length = 1;

	while (!gnutls_x509_crt_check_issuer(last, last)) {
		unsigned issuer = identity_find_issuer(identity, length, last);

		if (issuer == identity->certificate_count)
			break;
		identity_swap(identity, length, issuer);
		last = identity->certificates[length++];
	}
	return length;
}

static void time_format(time_t time, char text[static TIME_TEXT_MAX])
{
	struct tm fields = {0};

	gmtime_r(&time, &fields);
	strftime(text, TIME_TEXT_MAX, "%Y-%m-%d %H:%M:%S UTC", &fields);
}

static int leaf_check_expiry(gnutls_x509_crt_t leaf, struct err *err)
{
	time_t now = time(NULL);
	time_t until = gnutls_x509_crt_get_expiration_time(leaf);
	char now_text[TIME_TEXT_MAX], until_text[TIME_TEXT_MAX];

	if (now <= until)
		return 0;
	time_format(now, now_text);
	time_format(until, until_text);
	return err_set(err, -EINVAL, "expired on %s (now: %s)", until_text, now_text);
}

/* The distinguished name; the caller frees it. */
static char *certificate_subject(gnutls_x509_crt_t certificate)
{
	gnutls_datum_t name = {NULL, 0};
	char *subject;

	if (gnutls_x509_crt_get_dn3(certificate, &name, 0) < 0)
		return xstrdup("without a subject");
	subject = xmemdup_text(name.data, name.size);
	gnutls_free(name.data);
	return subject;
}

/* 0 or what GnuTLS says. */
static int key_pair_make(
	const struct identity *identity, unsigned chain_length, struct key_pair *pair)
{
	int r;

	for (; pair->chain_length < chain_length; pair->chain_length++) {
		r = gnutls_pcert_import_x509(&pair->chain[pair->chain_length],
			identity->certificates[pair->chain_length], 0);
		if (r < 0)
			return r;
	}
	r = gnutls_privkey_init(&pair->key);
	if (r < 0)
		return r;
	return gnutls_privkey_import_x509(pair->key, identity->key, GNUTLS_PRIVKEY_IMPORT_COPY);
}

/* gnutls_certificate_set_x509_key() would do, but leaks the key when it refuses (3.7). */
static int credentials_set_key(
	struct tls_credentials *credentials, const struct identity *identity, unsigned chain_length)
{
	CLEANUP(key_pair_deinit) struct key_pair pair = {0};
	int r = key_pair_make(identity, chain_length, &pair);

	if (r < 0)
		return r;
	r = gnutls_certificate_set_key(
		credentials->certificate, NULL, 0, pair.chain, (int)pair.chain_length, pair.key);
	if (r == 0)
		pair = (struct key_pair){0}; /* taken over */
	return r;
}

static int credentials_set_identity(struct tls_credentials *credentials, const char *pem,
	size_t pem_size_bytes, struct err *err)
{
	CLEANUP(identity_deinit) struct identity identity = {0};
	int r = identity_parse(pem, pem_size_bytes, &identity, err);

	if (r == 0)
		r = identity_find_leaf(&identity, err);
	if (r < 0)
		return r;
	credentials->subject = certificate_subject(identity.certificates[0]);
	credentials->valid_from_s = gnutls_x509_crt_get_activation_time(identity.certificates[0]);
	credentials->expires_s = gnutls_x509_crt_get_expiration_time(identity.certificates[0]);
	r = leaf_check_expiry(identity.certificates[0], err);
	if (r < 0)
		return err_wrap(err, r, "certificate %s", credentials->subject);
	r = credentials_set_key(credentials, &identity, identity_order_chain(&identity));
	if (r < 0)
		return err_set(err, -EINVAL, "certificate %s cannot be used: %s",
			credentials->subject, gnutls_strerror(r));
	return 0;
}

static int credentials_set_ca(struct tls_credentials *credentials, const char *pem,
	size_t pem_size_bytes, struct err *err)
{
	gnutls_datum_t datum = {(unsigned char *)pem, (unsigned)pem_size_bytes};
	int r = gnutls_certificate_set_x509_trust_mem(
		credentials->certificate, &datum, GNUTLS_X509_FMT_PEM);

	if (r == 0 || r == GNUTLS_E_NO_CERTIFICATE_FOUND)
		return err_set(err, -EINVAL, "no CA certificate found (PEM is expected)");
	if (r < 0)
		return err_set(
			err, -EINVAL, "a CA certificate is not readable: %s", gnutls_strerror(r));
	return 0;
}

static int credentials_set_priority(
	struct tls_credentials *credentials, enum tls_version min_version, struct err *err)
{
	const char *text = min_version == TLS_VERSION_1_3
				   ? "NORMAL:-VERS-ALL:+VERS-TLS1.3"
				   : "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
	int r = gnutls_priority_init(&credentials->priority, text, NULL);

	if (r < 0)
		return err_set(err, -EINVAL,
			"TLS versions \"%s\" (is one switched off by this machine's GnuTLS "
			"configuration?): %s",
			text, gnutls_strerror(r));
	return 0;
}

int tls_credentials_new(const char *server_pem, size_t server_pem_size_bytes, const char *ca_pem,
	size_t ca_pem_size_bytes, enum tls_version min_version,
	struct tls_credentials **ret_credentials, struct err *err)
{
	CLEANUP(cleanup_tls_credentials_unref)
	struct tls_credentials *credentials = xcalloc(1, sizeof(*credentials));
	int r;

	credentials->references = 1;
	if (server_pem_size_bytes > INT_MAX || ca_pem_size_bytes > INT_MAX)
		return err_set(err, -EINVAL, "PEM larger than 2 GiB");
	if (gnutls_certificate_allocate_credentials(&credentials->certificate) < 0)
		return err_set(err, -ENOMEM, "TLS credentials: out of memory");
	r = credentials_set_identity(credentials, server_pem, server_pem_size_bytes, err);
	if (r < 0)
		return err_wrap(err, r, "server certificate");
	r = credentials_set_ca(credentials, ca_pem, ca_pem_size_bytes, err);
	if (r < 0)
		return err_wrap(err, r, "CA of the clients");
	r = credentials_set_priority(credentials, min_version, err);
	if (r < 0)
		return r;
	*ret_credentials = take_ptr(credentials);
	return 0;
}

struct tls_credentials *tls_credentials_ref(struct tls_credentials *credentials)
{
	atomic_fetch_add(&credentials->references, 1);
	return credentials;
}

void tls_credentials_unref(struct tls_credentials *credentials)
{
	if (!credentials || atomic_fetch_sub(&credentials->references, 1) > 1)
		return;
	if (credentials->certificate)
		gnutls_certificate_free_credentials(credentials->certificate);
	if (credentials->priority)
		gnutls_priority_deinit(credentials->priority);
	free(credentials->subject);
	free(credentials);
}

int64_t tls_credentials_valid_from_s(const struct tls_credentials *credentials)
{
	return credentials->valid_from_s;
}

int64_t tls_credentials_expires_s(const struct tls_credentials *credentials)
{
	return credentials->expires_s;
}

const char *tls_credentials_subject(const struct tls_credentials *credentials)
{
	return credentials->subject;
}

int tls_credentials_apply(
	const struct tls_credentials *credentials, struct gnutls_session_int *session)
{
	if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->certificate) < 0 ||
		gnutls_priority_set(session, credentials->priority) < 0)
		return -ENOMEM;
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
	return 0;
}

/* Who the peer says it is; the caller frees it. */
static char *peer_subject(gnutls_session_t session)
{
	cleanup_certificate gnutls_x509_crt_t certificate = NULL;
	unsigned count = 0;
	const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &count);

	if (!shown || count == 0 || gnutls_x509_crt_init(&certificate) < 0 ||
		gnutls_x509_crt_import(certificate, &shown[0], GNUTLS_X509_FMT_DER) < 0)
		return xstrdup("not readable");
	return certificate_subject(certificate);
}

int tls_credentials_verify_peer(struct gnutls_session_int *session, struct err *err)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	cleanup_free char *subject = NULL;
	gnutls_datum_t why = {NULL, 0};
	unsigned status = 0;
	int r = gnutls_certificate_verify_peers(session, &purpose, 1, &status);

	if (r == 0 && status == 0)
		return 0;
	subject = peer_subject(session);
	if (r < 0)
		return err_set(err, -EACCES, "certificate %s: %s", subject, gnutls_strerror(r));
	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &why, 0) < 0)
		return err_set(err, -EACCES, "certificate %s is not trusted", subject);
	err_set(err, -EACCES, "certificate %s: %s", subject, why.data);
	gnutls_free(why.data);
	return -EACCES;
}
