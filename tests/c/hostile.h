/* What the generated program of crates/justcall-auth-ffi/tests/abi/hostile.rs calls every function
 * with: good values to vary one at a time, and checks that hold whatever a call was given. */

#ifndef JUSTCALL_TESTS_HOSTILE_H
#define JUSTCALL_TESTS_HOSTILE_H

#include "check.h"

#include <stdint.h>
#include <stdlib.h>

/* What a call must come to, beside a status. */
#define ANYTHING (-1)
#define ANY_FAILURE (-2)

/* 64 bytes each, so that every length up to that may be read. */
static const char ends_early[64] = "default:\0behind the NUL";
static const char not_utf8[64] = "\xC3(\xFF\xFE";
static const char controls[64] = "\r\n\t\x1B[31m\x7F";
static const char good_key[64] = "abc123def456";
static const char good_secret[64] = "sec789xyz000";
static const uint8_t good_body[64] = {'{', '}'};

static const char *const good_headers[] = {"retry-after"};
static const char *const headers_with_null[] = {NULL};
static const char *const headers_not_utf8[] = {not_utf8};

static char scratch[JUSTCALL_AUTHORIZATION_SIZE];
static char *very_long;

static const char *good_source, *good_url, *good_ca_file;
static const char *const good_verify_path = "/v2/account";

static justcall_credentials *good_credentials;
static justcall_config *good_config;
static justcall_config *scratch_config; /* for setters: what they leave does not matter */
static justcall_client *good_client;
static justcall_account *good_account;
static justcall_error *good_error;

/* URL CA_FILE SOURCE: a sandbox, and where its pair is. */
static inline int hostile_begin(int argc, char **argv) {
    justcall_error *error = NULL;
    if (argc != 4)
        return 0;
    good_url = argv[1];
    good_ca_file = argv[2];
    good_source = argv[3];
    very_long = (char *)malloc(1 << 20);
    good_config = justcall_config_new();
    scratch_config = justcall_config_new();
    if (!very_long || !good_config || !scratch_config)
        return 0;
    memset(very_long, 'a', 1 << 20);
    very_long[(1 << 20) - 1] = '\0';
    CHECK_OK(justcall_credentials_load(good_source, &good_credentials, &error), &error);
    CHECK_OK(justcall_config_set_source(good_config, good_source, &error), &error);
    CHECK_OK(justcall_config_set_base_url(good_config, good_url, &error), &error);
    CHECK_OK(justcall_config_set_ca_file(good_config, good_ca_file, &error), &error);
    CHECK_OK(justcall_client_new(good_config, &good_client, &error), &error);
    CHECK_OK(justcall_client_verify(good_client, &good_account, &error), &error);
    CHECK(justcall_classify(403, NULL, NULL, 0, NULL, 0, &good_error) == JUSTCALL_ERROR_FORBIDDEN);
    return checks_failed == 0;
}

static inline int hostile_end(void) {
    justcall_credentials_free(good_credentials);
    justcall_config_free(good_config);
    justcall_config_free(scratch_config);
    justcall_client_free(good_client);
    justcall_account_free(good_account);
    justcall_error_free(good_error);
    free(very_long);
    return checks_result();
}

/* The last line before a crash names the call. */
static inline void about_to(const char *call) {
    puts(call);
    fflush(stdout);
}

/* A status is the one that is due, or within what is; an error goes with a failure, and nothing
 * with success. */
static inline void check_call(justcall_status status, int expected, justcall_error **error) {
    if (expected == ANY_FAILURE)
        CHECK(status != JUSTCALL_OK);
    else if (expected != ANYTHING)
        CHECK(status == expected);
    if (error) {
        CHECK((*error == NULL) == (status == JUSTCALL_OK));
        CHECK(justcall_error_status(*error) == status);
        CHECK(status == JUSTCALL_OK || justcall_error_message(*error)[0] != '\0');
        CHECK(status == JUSTCALL_OK || justcall_error_hint(*error)[0] != '\0');
        justcall_error_free(*error);
    }
}

/* Text that was returned can be read to its end. */
static inline void check_text_is_whole(const char *text) {
    CHECK(text == NULL || strlen(text) < 4096);
}

#endif
