/*
 * justcall_auth.h - JustCall API authentication that works at once, says what is wrong, and never
 * leaks a secret.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Example: check the pair in JUSTCALL_API_KEY and JUSTCALL_API_SECRET.
 *
 *     #include <justcall_auth.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         justcall_client *client = NULL;
 *         justcall_account *account = NULL;
 *         justcall_error *error = NULL;
 *         justcall_status status = justcall_client_new(NULL, &client, &error);
 *         if (status == JUSTCALL_OK)
 *             status = justcall_client_verify(client, &account, &error);
 *         if (status == JUSTCALL_OK)
 *             printf("good, says %s\n", justcall_account_verified_by(account));
 *         else
 *             fprintf(stderr, "%s\n%s\n", justcall_error_message(error), justcall_error_hint(error));
 *         justcall_error_free(error);
 *         justcall_account_free(account);
 *         justcall_client_free(client);
 *         return status == JUSTCALL_OK ? 0 : 1;
 *     }
 *
 * Words in this header:
 *
 * - The service is the JustCall API.
 * - A pair is an API key together with its secret.
 * - The source is the place that the pair is read from, such as environment variables or a file.
 * - A handle is a pointer to an opaque type of this library, such as justcall_client.
 * - A delivery is one HTTP request that JustCall sends to the URL of your webhook.
 *
 * Functions by task:
 *
 * - To check a pair, call justcall_client_verify(). To check it without the service, call
 *   justcall_diagnose(), justcall_diagnose_environment() or justcall_credentials_new().
 * - To send a request, call justcall_client_request(). For headers, a query, a timeout or a cancel
 *   handle, call justcall_request_new() and justcall_client_send(). Read the response with
 *   justcall_response_body() and justcall_response_header().
 * - To choose the source of the pair, call justcall_config_set_source(),
 *   justcall_config_set_credentials() or justcall_config_set_source_callback(). A source callback
 *   is a justcall_load_fn and creates its errors with justcall_error_new().
 * - To choose how to connect, use the functions whose names start with justcall_config_set_:
 *   _base_url(), _ca_file(), _ca_pem(), _proxy(), _local_address(), _timeout_ms(), _max_retries()
 *   and _max_response_length().
 * - To limit the time of a call, use justcall_request_set_timeout_ms(), or
 *   justcall_call_options_new() and the functions whose names end in _with.
 * - To end calls early, use justcall_request_set_cancel(), justcall_cancel_fire() and
 *   justcall_client_shutdown().
 * - To follow a reset of the pair, you need no function: the library reads the source by itself.
 *   justcall_config_set_rotation_wait_ms() lets calls wait for the new pair.
 *   justcall_client_reload() and justcall_client_replace() make the library use the new pair
 *   sooner. justcall_config_set_event_handler() reports the reset.
 * - To verify webhooks, call justcall_webhook_new(), then justcall_webhook_use_client() or
 *   justcall_webhook_add_secret(), then justcall_webhook_verify().
 *   justcall_webhook_event_object_path() returns the path of the object that the event is about.
 * - To use your own HTTP client for a whole call, call justcall_exchange_new(). To use your own
 *   HTTP client for one request, call justcall_client_authorization() and justcall_classify().
 * - To find out what failed, call justcall_error_message(), justcall_error_hint(),
 *   justcall_error_status(), justcall_error_request_sent() and justcall_error_response().
 * - To monitor a program, call justcall_client_usage(), justcall_client_rate_limit(),
 *   justcall_client_generation(), justcall_client_key_hint() and justcall_client_protection().
 *
 * ## Errors
 *
 * A function that can fail returns a justcall_status: JUSTCALL_OK, which is 0, or a JUSTCALL_ERROR_
 * number. The last parameter of such a function is `error`. `error` may be NULL if you do not need
 * the details of a failure. If `error` is not NULL, the function sets `*error` to a justcall_error
 * on failure and to NULL on success. The function does not free the old value of `*error`. Free an
 * old error before you pass the same `error` pointer to another call.
 *
 * A call that fails sets its output handle to NULL and leaves every other output unchanged. Only
 * JUSTCALL_ERROR_BUFFER_TOO_SMALL also sets `*length`, to the required length. The library has no
 * global last error. Some texts of an error may be NULL, such as justcall_error_service_message().
 * Check texts that may be NULL before you print them.
 *
 * ## Ownership
 *
 * You own every handle that a function stores in `*out` or that a _new function returns. Pass the
 * handle once to the _free function of its type. Every _free function accepts NULL. Free a handle
 * only when no call uses it. You may free handles in any order, because a handle keeps everything
 * that it needs. A handle owns the texts that functions return from it. The comment of each
 * function states how long its text is valid. The library copies your arguments, and you keep
 * ownership of them.
 *
 * ## Sharing
 *
 * Clients of a process share one pair if they have the same source, base URL, expected account and
 * memory protection. Clients that share a pair also share its generation, rate limit and counters.
 * Each call of justcall_config_set_source_callback() makes a new source, and each
 * justcall_credentials handle is a source too. Clients with the source `env:` share a pair only if
 * the environment held the same pair, or none, when they were created.
 *
 * ## Threads
 *
 * Several threads may call a function on the same handle at the same time if the function takes the
 * handle as `const`. Exchanges are an exception: use an exchange on one thread at a time. A
 * function that takes a handle without `const` changes the handle. Call such a function on one
 * thread at a time, unless its comment says that the function is thread-safe. If a function is
 * thread-safe, several threads may call it at the same time, even with the same handles. You may
 * free a handle on any thread. The library needs no initialization. The library starts threads only
 * to resolve host names.
 *
 * A signal handler may call only justcall_cancel_fire() and justcall_client_shutdown().
 *
 * ## fork()
 *
 * After fork(), the child may use every handle that it inherits, except exchanges. The child may
 * use them even if other threads of the parent were inside calls of the library. The child opens
 * its own connections and reads the source again at its first call. In the child, all counters
 * start at zero, and the library forgets which pairs the service rejected. Both processes call the
 * callbacks with the same `context`.
 *
 * ## Thread cancellation
 *
 * pthread_cancel() does not interrupt a call of the library. The library disables thread
 * cancellation until the call returns, even while it runs your callbacks. After the call, the
 * library restores the cancellation state of the thread. A pending cancellation takes effect at the
 * next cancellation point of the thread. To end a call early, use justcall_cancel_fire(). A thread
 * with asynchronous cancellation must not call the library. POSIX does not allow such a thread to
 * call most other functions either.
 *
 * ## Stack
 *
 * Every function needs at most 128 KiB of stack, which is the default size of a thread in musl. The
 * stack that your callbacks use is not included in the 128 KiB.
 *
 * ## Text and other arguments
 *
 * Text is NUL-terminated UTF-8. Paths are UTF-8 too, on every system. Secrets and bodies are passed
 * as a pointer and a length. A body is a `const void *`, so text such as JSON needs no cast. The
 * library writes a secret only into a buffer that you pass. `capacity` includes the terminating
 * NUL, and `length` does not. A boolean is an int32_t that is 0 or 1. A function fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL, unless its comment allows NULL.
 *
 * ## Limits
 *
 * - An API key or a secret is at most 512 bytes.
 * - A text argument is at most 128 KiB. A path with its query is at most 8 KiB.
 * - A response that you pass to the library has at most 1000 headers.
 * - The headers of a response that the library reads are at most 64 KiB.
 * - A response body is at most justcall_config_set_max_response_length() bytes. The body of an
 *   error response is at most 64 KiB.
 * - The body of a webhook delivery is at most 1 MiB.
 * - A file with a pair is at most 64 KiB, and so is the output of a `command:` source.
 * - The program of a `command:` source may run for at most 10 seconds.
 * - The library resolves at most 16 host names at the same time.
 * - The library keeps at most 256 idle connections, each for at most 30 seconds.
 *
 * ## Time
 *
 * A call ends at its timeout, which includes retries and waits. The default timeout is 30 seconds.
 * A call that runs a callback waits until the callback returns. A function blocks only if its
 * comment states it.
 *
 * ## Retries
 *
 * justcall_config_set_max_retries() sets how many times a call is retried. The default is 2. The
 * pauses between retries grow, and they last at least as long as `Retry-After` demands. If a pause
 * would exceed the timeout of the call, the call fails at once.
 *
 * - After the HTTP status 429, the library retries every request.
 * - After the HTTP status 408 or 5xx, or a lost connection, the library retries GET, HEAD, OPTIONS,
 *   PUT and DELETE. The library retries POST and other methods only if the service certainly did
 *   not receive the request.
 * - After the HTTP status 401, the library reads the source. If the source has another pair, the
 *   library sends the request once more with that pair.
 * - The library retries nothing else.
 *
 * ## Rejected pairs
 *
 * After the HTTP status 401, no client of the process sends the same pair to the same base URL for
 * 30 seconds. Calls with a rejected pair fail at once with JUSTCALL_ERROR_INVALID_CREDENTIALS,
 * unless the source has another pair. justcall_config_set_rotation_wait_ms() lets calls wait for
 * another pair instead of failing at once. When a call fails at once, justcall_error_request_sent()
 * and justcall_error_attempts() return 0, because the library sent nothing.
 * justcall_error_retry_after_ms() returns how long the library will not send the rejected pair.
 *
 * ## Reading the source
 *
 * The library reads the source at the following times. If the source is a callback, the library
 * runs the callback at these times.
 *
 * - The library reads the source at the first call that needs the pair. The verification of a
 *   webhook counts as a call.
 * - If a read failed and no pair has been read yet, the next call reads the source again.
 * - If you create another client with the same source, its first call reads the source, unless the
 *   source is the environment.
 * - After the service rejected the pair, calls read the source at most once a second. Calls that
 *   wait for a new pair (justcall_config_set_rotation_wait_ms()) read the source up to four times a
 *   second.
 * - If no known secret signed a webhook delivery, the next call or delivery reads the source, at
 *   most once a second. The library does not read the environment for this reason.
 * - justcall_client_reload() reads the source.
 * - Calls also check a file or folder for changes, at most once a second.
 *
 * Only one thread reads a source at a time. If a read takes over 60 seconds, another thread may
 * read the source. If a read fails and the library has a pair, calls continue with that pair.
 *
 * ## Environment variables
 *
 * - The source `default:` reads JUSTCALL_CREDENTIALS, which may name another source.
 * - The source `env:` reads JUSTCALL_API_KEY and JUSTCALL_API_SECRET, or the variables that the
 *   source names.
 * - The source `systemd:` reads CREDENTIALS_DIRECTORY.
 * - The library reads SSL_CERT_FILE and SSL_CERT_DIR to find certificate authorities.
 * - The library reads HTTPS_PROXY and NO_PROXY in upper case and in lower case.
 * - The library reads PATH to find the program of a `command:` source.
 * - justcall_diagnose_environment() also reads JUSTCALL_WEBHOOK_SECRET.
 *
 * An empty variable counts as not set. If only one of the two variables of a pair is set, calls
 * fail with JUSTCALL_ERROR_CREDENTIALS_MALFORMED. In a set-user-ID program, or any program with
 * more privileges than its user, the library reads only PATH. Like getenv(), the library reads the
 * environment safely only if no other thread calls setenv() at the same time.
 *
 * ## Global state
 *
 * The library does not change signal handlers, the allocator or the locale. The library writes
 * nothing to standard output. It writes to standard error only in the cases that the section "Fatal
 * errors" lists. A source with `?scrub` removes its two environment variables. The library changes
 * no other environment variable.
 *
 * ## Security
 *
 * Use the library only on servers. Everyone who has a copy of a program can extract a pair that the
 * program contains. Do not put a pair into a web page, a browser extension or a mobile app. Let
 * such programs send requests to your own server instead.
 *
 * ## Memory
 *
 * If an argument or a response of the service does not fit into memory, the call fails with
 * JUSTCALL_ERROR_OUT_OF_MEMORY and the program continues. The other allocations of the library are
 * small.
 *
 * ## Fatal errors
 *
 * The library calls abort() only in two cases. If a small allocation fails, the library prints a
 * message to standard error and calls abort(). If the guarded memory of a pair was overwritten, the
 * library calls abort() and prints nothing. Overwritten memory means that other code of the program
 * wrote there, and perhaps in other places too. After an internal error, the library prints a
 * message to standard error, and the call fails with JUSTCALL_ERROR_INTERNAL. An internal error
 * does not end the program.
 *
 * ## Unloading
 *
 * On Linux, the shared library remains in memory after dlclose(), because one of its threads may
 * still resolve a host name. On other systems, do not unload the library.
 *
 * ## Versions
 *
 * Every function and constant exists since version 0.1.0, unless its comment names another version.
 * The number of a status, an event or a severity never changes its meaning. Compilers warn if a
 * program ignores the result of a function that is marked JUSTCALL_NODISCARD.
 *
 * ## Valgrind
 *
 * valgrind reports no errors in the library if you pass it the suppression file justcall_auth.supp.
 * The source code contains this file in the same folder as this header.
 */

#ifndef JUSTCALL_AUTH_H
#define JUSTCALL_AUTH_H

/* Generated by `cargo xtask header` from crates/justcall-auth-ffi: change that, not this file. */

#include <stddef.h>
#include <stdint.h>

/**
 * Marks functions whose result must be checked. Compilers warn if a program ignores the result. The
 * marked functions create a handle, load a pair, call the service, verify a delivery, or return the
 * next action. Functions without the mark can fail too, such as setters. To turn the warning off,
 * define this macro as empty before you include this header.
 */
#ifndef JUSTCALL_NODISCARD
#if defined(__cplusplus) && __cplusplus >= 201703L
#define JUSTCALL_NODISCARD [[nodiscard]]
#elif !defined(__cplusplus) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L
#define JUSTCALL_NODISCARD [[nodiscard]]
#elif defined(__GNUC__)
#define JUSTCALL_NODISCARD __attribute__((warn_unused_result))
#else
#define JUSTCALL_NODISCARD
#endif
#endif

/** Marks functions that a later version will remove. No function has this mark yet. */
#ifndef JUSTCALL_DEPRECATED
#if defined(__GNUC__)
#define JUSTCALL_DEPRECATED __attribute__((deprecated))
#elif defined(_MSC_VER)
#define JUSTCALL_DEPRECATED __declspec(deprecated)
#else
#define JUSTCALL_DEPRECATED
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Status: the result of a call -------------------------------------------------------------- */

/**
 * The result of a call: JUSTCALL_OK, or one of the JUSTCALL_ERROR_ numbers below. If the service
 * reported the failure, the status equals the HTTP status of its response. A later version of the
 * library may return numbers that this header does not define.
 */
typedef int32_t justcall_status;

/** Success. */
#define JUSTCALL_OK 0

/** An argument is invalid. */
#define JUSTCALL_ERROR_INVALID_ARGUMENT 1

/** The buffer is too small for the result. */
#define JUSTCALL_ERROR_BUFFER_TOO_SMALL 2

/** There is not enough memory for the arguments or the response. */
#define JUSTCALL_ERROR_OUT_OF_MEMORY 3

/** No API key and secret were found. */
#define JUSTCALL_ERROR_CREDENTIALS_MISSING 10

/** The API key or secret is malformed. */
#define JUSTCALL_ERROR_CREDENTIALS_MALFORMED 11

/** The source of the credentials could not be read. */
#define JUSTCALL_ERROR_SOURCE_UNAVAILABLE 12

/** The system refused the requested memory protection. */
#define JUSTCALL_ERROR_MEMORY_PROTECTION 13

/** The pair works, but it belongs to an unexpected account. */
#define JUSTCALL_ERROR_WRONG_ACCOUNT 14

/** The call did not finish within its timeout. */
#define JUSTCALL_ERROR_TIMEOUT 20

/** The connection to the service failed. */
#define JUSTCALL_ERROR_CONNECTION_FAILED 21

/** The TLS connection to the service could not be established. */
#define JUSTCALL_ERROR_TLS_FAILED 22

/** The service answered with a redirect, and redirects are never followed. */
#define JUSTCALL_ERROR_REDIRECT_REFUSED 23

/** The response does not come from the JustCall API. */
#define JUSTCALL_ERROR_INVALID_RESPONSE 24

/** The call was cancelled. */
#define JUSTCALL_ERROR_CANCELLED 25

/** The delivery has no signature. */
#define JUSTCALL_ERROR_WEBHOOK_UNSIGNED 30

/** The headers or the body of the delivery cannot be parsed. */
#define JUSTCALL_ERROR_WEBHOOK_MALFORMED 31

/** The signature does not match any of the secrets. */
#define JUSTCALL_ERROR_WEBHOOK_MISMATCH 32

/** The signature matches, but its timestamp is outside the tolerance. */
#define JUSTCALL_ERROR_WEBHOOK_STALE 33

/** The delivery was signed for an unexpected URL. */
#define JUSTCALL_ERROR_WEBHOOK_WRONG_URL 34

/** The version of the signature is missing or unknown. */
#define JUSTCALL_ERROR_WEBHOOK_VERSION 35

/** The replay check has already seen this delivery. */
#define JUSTCALL_ERROR_WEBHOOK_REPLAYED 36

/** An internal error of justcall-auth occurred. */
#define JUSTCALL_ERROR_INTERNAL 90

/** The service refused the request. */
#define JUSTCALL_ERROR_BAD_REQUEST 400

/** The service rejected the API key and secret. */
#define JUSTCALL_ERROR_INVALID_CREDENTIALS 401

/** The API key and secret are valid, but they do not permit this request. */
#define JUSTCALL_ERROR_FORBIDDEN 403

/** The service has no such path, or the object does not exist. */
#define JUSTCALL_ERROR_NOT_FOUND 404

/** The service understood the request but did not accept its contents. */
#define JUSTCALL_ERROR_UNPROCESSABLE 422

/** The rate limit of the account is exhausted. */
#define JUSTCALL_ERROR_RATE_LIMITED 429

/** The service failed. */
#define JUSTCALL_ERROR_SERVER_ERROR 500

/** The service is unavailable. */
#define JUSTCALL_ERROR_UNAVAILABLE 503

/**
 * Returns the name of a status, such as `"invalid_credentials"` for 401. Returns `"ok"` for
 * JUSTCALL_OK. Returns `"unknown"` for a status that the library in use does not know. The name of
 * a status is the same in every programming language. Never returns NULL. The text is static: do
 * not free it. This function is thread-safe.
 */
const char *justcall_status_name(justcall_status status);

/* Handles ----------------------------------------------------------------------------------- */

/**
 * The account that a pair belongs to. justcall_client_verify() returns it. An account is
 * immutable, so several threads may use it at the same time.
 */
typedef struct justcall_account justcall_account;

/**
 * A time limit and a cancel handle for calls of the functions whose names end in `_with`. Any
 * number of calls may use the same options. A call copies its options when it starts. Change
 * options on one thread at a time. While no thread changes the options, several threads may pass
 * them to calls at the same time.
 */
typedef struct justcall_call_options justcall_call_options;

/**
 * A handle that ends calls early, from any thread or from a signal handler. Attach a cancel handle
 * to a request with justcall_request_set_cancel(), or to call options with
 * justcall_call_options_set_cancel().
 */
typedef struct justcall_cancel justcall_cancel;

/**
 * A client of the JustCall API. Create one client and keep it: the client holds the pair and the
 * open connections. Clients share a pair if they have the same source, base URL, expected account
 * and memory protection. Several threads may use one client at the same time.
 */
typedef struct justcall_client justcall_client;

/**
 * The settings of clients. Every setting that you do not set keeps its default. You can create any
 * number of clients from one configuration. A client copies the settings, so later changes to the
 * configuration do not affect it. Change a configuration on one thread at a time.
 */
typedef struct justcall_config justcall_config;

/**
 * An API key and its secret, which were checked when the handle was created. The library stores
 * both in its own memory. The library wipes the pair when the last handle that refers to it is
 * freed. Credentials are immutable, so several threads may use one handle at the same time.
 */
typedef struct justcall_credentials justcall_credentials;

/**
 * The details of a failure. Every function that can fail stores an error through its last
 * parameter, unless that parameter is NULL. Free the error with justcall_error_free(). An error is
 * immutable, so several threads may use it at the same time.
 */
typedef struct justcall_error justcall_error;

/**
 * An event that the library reports to your event handler. The library owns the event and frees it
 * when the handler returns. Copy the texts of an event that you need longer. The texts of an event
 * never contain a secret, so you may log them.
 */
typedef struct justcall_event justcall_event;

/**
 * An exchange is one call that you make with your own HTTP client, such as libcurl or an event
 * loop. An exchange follows the same rules as justcall_client_send() for headers, retries, a reset
 * of the pair and the meaning of a response. Use an exchange on one thread at a time, and only in
 * the process that created it. You may free the client of an exchange before the exchange.
 *
 * Call justcall_exchange_next() in a loop: it returns the next action. Only
 * justcall_exchange_load() blocks. Your HTTP client must follow these rules:
 *
 * - The HTTP client must not follow redirects, because a redirect would send the pair to another
 *   host.
 * - Set up the HTTP client again for each JUSTCALL_ACTION_SEND. The method, URL, headers, body and
 *   pair may differ from the previous request.
 * - The HTTP client uses its own CA certificates and proxy. The CA and proxy settings of the
 *   justcall_client do not apply to your HTTP client.
 * - The HTTP client may send `Accept-Encoding` with every encoding that it decodes, such as `br`
 *   or `zstd`. Report the decoded body. You may keep the header `Content-Encoding`.
 * - Report only the final response. Ignore interim responses (HTTP status 100 to 199) and their
 *   headers.
 * - The HTTP client makes copies of the pair. The library cannot wipe these copies: wipe them
 *   yourself, if you can.
 *
 * While an exchange has to load or send, other calls that share its pair may wait for it. The
 * waiting calls continue when you report the result or free the exchange. The waiting calls also
 * continue at the deadline of the exchange, or after 60 seconds if the exchange has no deadline.
 * Free an exchange that you do not finish, so that other calls do not wait for it.
 */
typedef struct justcall_exchange justcall_exchange;

/**
 * A list of findings, sorted so that the worst finding comes first. The list is empty if nothing
 * is wrong. A report is immutable, so several threads may use it at the same time.
 */
typedef struct justcall_report justcall_report;

/**
 * A request to the service: its method, path, headers and body. Send it with
 * justcall_client_send() or justcall_exchange_new(). Change a request on one thread at a time.
 * While no thread changes a request, several threads may send it at the same time.
 */
typedef struct justcall_request justcall_request;

/**
 * A response of the service: its HTTP status, headers and body. A response is immutable, so
 * several threads may use it at the same time.
 */
typedef struct justcall_response justcall_response;

/**
 * A verifier of webhook deliveries. Set up a verifier on one thread. After the setup, several
 * threads may verify deliveries with one verifier at the same time.
 *
 * The signature of a delivery does NOT cover its body, except for the two fields `webhook_url` and
 * `type`. Anyone who has one genuine delivery can send other data with the same signature. Before
 * you act on the data of a delivery, fetch the object through the API. To fetch the object, call
 * justcall_client_request() with the method "GET" and the path from
 * justcall_webhook_event_object_path().
 */
typedef struct justcall_webhook justcall_webhook;

/**
 * A verified webhook delivery. A webhook event contains everything that the signature covers, and
 * none of the unsigned data in the body. A webhook event is immutable, so several threads may use
 * it at the same time.
 */
typedef struct justcall_webhook_event justcall_webhook_event;

/**
 * A callback that loads the pair of a client. Set it with justcall_config_set_source_callback(),
 * which also sets its `context`.
 *
 * On success, the callback stores credentials in `*out` and returns JUSTCALL_OK. On failure, the
 * callback returns a JUSTCALL_ERROR_ number, usually JUSTCALL_ERROR_CREDENTIALS_MISSING or
 * JUSTCALL_ERROR_SOURCE_UNAVAILABLE. The call that needs the pair then fails with the status of
 * the callback. On failure, the callback may also store an error in `*error`. The error may come
 * from justcall_error_new() or from another function of this library. The library takes ownership
 * of both handles and frees them. `*out` and `*error` are NULL when the callback starts.
 *
 * The return value decides what happens next:
 *
 * - JUSTCALL_OK with credentials in `*out`: the library uses the pair and ignores `*error`.
 * - JUSTCALL_OK without credentials: the call fails with JUSTCALL_ERROR_CREDENTIALS_MISSING.
 * - A JUSTCALL_ERROR_ number: the call fails with this status and ignores `*out`. The message,
 *   hint and reason come from `*error`, even if the status of `*error` differs.
 * - An unknown status: the call fails with JUSTCALL_ERROR_SOURCE_UNAVAILABLE.
 *
 * If the callback fails before any pair was loaded, the next call runs it again. If a pair was
 * loaded before, calls continue with that pair.
 *
 * The library runs the callback on the thread of the call that needs the pair. Several threads may
 * run the callback at the same time. The callback may use clients that do not share the pair that
 * it loads. If the callback calls a client that shares this pair, the inner call fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT. The callback must not throw or longjmp. No timeout or cancel
 * handle interrupts the callback.
 */
typedef justcall_status (*justcall_load_fn)(void *context,
                                            justcall_credentials **out,
                                            justcall_error **error);

/**
 * A callback that frees the `context` of another callback. The library calls it when it will not
 * call the other callback any more. The library may call it on any thread.
 */
typedef void (*justcall_free_fn)(void *context);

/**
 * A callback that handles an event. Set it with justcall_config_set_event_handler(), which also
 * sets its `context`. `event` and its texts are valid until the callback returns.
 *
 * The library runs the callback on the thread of the call that caused the event, between two steps
 * of that call. The call continues when the callback returns. Several threads may run the callback
 * at the same time. The library holds no lock while the callback runs, so the callback may use any
 * client, including this one. The callback must not free the client. The callback must not throw
 * or longjmp.
 */
typedef void (*justcall_event_fn)(void *context, const justcall_event *event);

/**
 * A callback that checks whether a verified delivery was seen before, and that remembers the
 * delivery. Set it with justcall_webhook_set_replay_check(), which also sets its `context`.
 * `event` is valid until the callback returns.
 *
 * The callback returns JUSTCALL_OK if the delivery is new. The callback returns
 * JUSTCALL_ERROR_WEBHOOK_REPLAYED if the delivery was seen before. The callback returns another
 * JUSTCALL_ERROR_ number if the check itself failed. justcall_webhook_verify() returns the same
 * status as the callback.
 *
 * The library runs the callback on the thread that verifies the delivery. Several threads may run
 * the callback at the same time. The callback must not throw or longjmp.
 */
typedef justcall_status (*justcall_replay_fn)(void *context, const justcall_webhook_event *event);

/* The library ------------------------------------------------------------------------------- */

/** The first part of this header's version. justcall_version() returns the library's version. */
#define JUSTCALL_VERSION_MAJOR 0

/** The second part of this header's version. */
#define JUSTCALL_VERSION_MINOR 1

/** The third part of this header's version. */
#define JUSTCALL_VERSION_PATCH 0

/** The version of this header as one number: 10000 * major + 100 * minor + patch. */
#define JUSTCALL_VERSION_NUMBER 100

/** The version of this header as text. */
#define JUSTCALL_VERSION_STRING "0.1.0"

/**
 * The ABI version that this header describes. The ABI version increases with every change that
 * breaks programs built with an earlier header. justcall_abi_version() returns the ABI version of
 * the library in use.
 */
#define JUSTCALL_ABI_VERSION 0

/**
 * Returns the version of the library in use, such as `"0.1.0"`. Never returns NULL. The text is
 * static: do not free it. This function is thread-safe.
 */
const char *justcall_version(void);

/**
 * Returns the ABI version of the library in use. A program that loads the library at run time must
 * compare this number with JUSTCALL_ABI_VERSION. The program must not use the library if the two
 * numbers differ. This function is thread-safe.
 */
uint32_t justcall_abi_version(void);

/**
 * Overwrites `length` bytes at `buffer` with zeros. Use this function to wipe your own copies of
 * secrets. A compiler may optimize memset() away, but not this function. Does nothing if `buffer`
 * is NULL, if `length` is 0, or if `length` is over SIZE_MAX / 2. This function is thread-safe.
 */
void justcall_wipe(void *buffer, size_t length);

/**
 * Forgets which pairs the service rejected. Every client of this process may then send a rejected
 * pair again at once, instead of after 30 seconds. This function is for tests in which a pair is
 * rejected first and valid later. Other programs do not need this function.
 *
 * A call that is waiting for another pair continues with the rejected pair. If the service answers
 * a later request with 401, that counts as a new rejection.
 *
 * This function never fails, reads no source and sends nothing. Does not block. This function is
 * thread-safe. After fork(), it affects only the process that calls it.
 */
void justcall_forget_rejections(void);

/* Credentials: an API key and its secret ---------------------------------------------------- */

/**
 * The size of a buffer that can hold every `Authorization` value with its NUL.
 */
#define JUSTCALL_AUTHORIZATION_SIZE 1026

/**
 * Checks an API key and its secret and copies them. The check sends nothing to the service. `key`
 * and `secret` do not need a NUL at the end. You keep your own copies of both: wipe them with
 * justcall_wipe().
 *
 * Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if the key or the secret cannot be sent. The
 * error message names the malformed half and the reason, but never contains the key or the secret.
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `key`, `secret` or `out` is NULL, or if a length
 * is over SIZE_MAX / 2.
 *
 * On success, free `*out` with justcall_credentials_free(). On failure, `*out` is NULL. Does not
 * block. This function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_credentials_new(const char *key,
                                         size_t key_length,
                                         const char *secret,
                                         size_t secret_length,
                                         justcall_credentials **out,
                                         justcall_error **error);

/**
 * Reads an API key and its secret from a source, such as `"default:"`, `"env:"` or `"file:PATH"`.
 * If the source is unknown, the hint of the error lists all sources. An environment variable that
 * is empty counts as not set.
 *
 * Fails with JUSTCALL_ERROR_CREDENTIALS_MISSING if the source has no pair. The error message names
 * every place that was searched. Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if the pair in
 * the source is malformed. Fails with JUSTCALL_ERROR_SOURCE_UNAVAILABLE if the source cannot be
 * read. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `source` is not a valid source, or if
 * `source` or `out` is NULL.
 *
 * On success, free `*out` with justcall_credentials_free(). On failure, `*out` is NULL. Blocks
 * until the source is read. A `command:` source runs a program, and a `vault:` source asks Vault,
 * each for at most 10 seconds. This function is thread-safe, as long as no other thread changes the
 * environment.
 */
JUSTCALL_NODISCARD
justcall_status justcall_credentials_load(const char *source,
                                          justcall_credentials **out,
                                          justcall_error **error);

/**
 * Reads an API key and its secret like justcall_credentials_load(), within the limits of
 * `options`. The library stops the program of a `command:` source at the timeout or when the call
 * is cancelled. If `options` is NULL, this function works like justcall_credentials_load().
 *
 * Fails like justcall_credentials_load(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
 * handle of `options` is fired.
 */
JUSTCALL_NODISCARD
justcall_status justcall_credentials_load_with(const char *source,
                                               const justcall_call_options *options,
                                               justcall_credentials **out,
                                               justcall_error **error);

/**
 * Returns a shortened form of the API key, which identifies the pair in logs. The text is the
 * first four characters of the key, an ellipsis (U+2026) and the last four. If the key is shorter
 * than 12 bytes, the text is only its first character and an ellipsis. The text never contains a
 * part of the secret. Returns NULL if `credentials` is NULL. The text is valid until `credentials`
 * is freed.
 */
const char *justcall_credentials_key_hint(const justcall_credentials *credentials);

/**
 * Writes the value of the `Authorization` header into `buffer`. The value is `key:secret`,
 * followed by a NUL. Sends nothing. Sets `*length` to the length of the value without the NUL.
 * `length` may be NULL.
 *
 * Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the value and its NUL.
 * If `capacity` is too small, this function sets `*length` as well and leaves `buffer` unchanged.
 * A capacity of JUSTCALL_AUTHORIZATION_SIZE is always enough. Fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if `credentials` is NULL, or if `capacity` is over SIZE_MAX / 2.
 * Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `buffer` is NULL and `capacity` is not 0.
 *
 * Wipe `buffer` with justcall_wipe() after you have sent the request. `buffer` is the only copy of
 * the value outside the library until your HTTP client copies it. For example, curl_slist_append()
 * makes a copy. The library cannot wipe the copies that your HTTP client makes: wipe them
 * yourself, if you can. Does not block. This function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_credentials_authorization(const justcall_credentials *credentials,
                                                   char *buffer,
                                                   size_t capacity,
                                                   size_t *length,
                                                   justcall_error **error);

/**
 * Frees a credentials handle. The library wipes the pair when no configuration or client uses it
 * either. Does nothing if `credentials` is NULL.
 */
void justcall_credentials_free(justcall_credentials *credentials);

/* Load callback: a source of your own ------------------------------------------------------- */

/**
 * Creates an error for a load callback that fails. Stores the error in `*error`, unless `error` is
 * NULL, and returns `status`. A callback can end with `return
 * justcall_error_new(JUSTCALL_ERROR_SOURCE_UNAVAILABLE, "The database is down.", error);`
 *
 * `message` describes what failed. If `message` is NULL or empty, the error gets the standard
 * message of `status`. The library replaces bytes of `message` that are not UTF-8 and removes
 * control characters. The library cuts `message` at 512 bytes, between two characters. The library
 * masks secrets of the pairs that clients of this process use in `message`. A secret that no
 * client uses yet is not masked, so do not put such a secret into `message`.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `status` is JUSTCALL_OK or an unknown status. Free
 * the error with justcall_error_free(), unless your callback passes it to the library. Does not
 * block. This function is thread-safe.
 */
justcall_status justcall_error_new(justcall_status status,
                                   const char *message,
                                   justcall_error **error);

/* Configuration: how a client is set up ----------------------------------------------------- */

/**
 * Keeps the pair in locked memory pages, encrypted between calls. JUSTCALL_MEMORY_AUTO is the
 * default. If the system refuses to lock memory, the pair is kept on the heap.
 * justcall_client_protection() reports which of the two is used, and why.
 */
#define JUSTCALL_MEMORY_AUTO 0

/**
 * Keeps the pair in locked memory pages. If the system refuses to lock memory, calls fail with
 * JUSTCALL_ERROR_MEMORY_PROTECTION.
 */
#define JUSTCALL_MEMORY_STRICT 1

/**
 * Keeps the pair on the heap. The library wipes this memory when it frees the pair, but does not
 * lock or encrypt it.
 */
#define JUSTCALL_MEMORY_HEAP 2

/**
 * Keeps the pair in memory that even the kernel cannot read (memfd_secret). If the system does not
 * offer such memory, calls fail with JUSTCALL_ERROR_MEMORY_PROTECTION. Linux refuses to hibernate
 * while a process uses such memory.
 */
#define JUSTCALL_MEMORY_SECRETMEM 3

/**
 * Creates a configuration in which every setting has its default. The pair comes from
 * `"default:"`, and the base URL is that of the JustCall service. The timeout is 30 seconds, and
 * the number of retries is 2. The client trusts the system's certificate authorities. Returns NULL
 * only on an internal error. Free the configuration with justcall_config_free().
 */
JUSTCALL_NODISCARD justcall_config *justcall_config_new(void);

/**
 * Sets the source of the pair. `source` has the same form as for justcall_credentials_load(). A
 * client reads the source at its first call, not when this function runs. Replaces the source,
 * callback or pair that was set before.
 *
 * justcall_client_new() decides which source `"default:"` stands for. For `"env:"`, it compares
 * the environment with the pair that earlier clients read there. If the environment holds a
 * different pair, the new client uses that pair, and the earlier clients keep theirs. If the
 * environment holds the same pair or none, the clients share the pair. A client reads the
 * environment again only after the service rejected its pair, or in justcall_client_reload().
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `source` is not a valid source, or if `config` or
 * `source` is NULL. On failure, the configuration is unchanged.
 */
justcall_status justcall_config_set_source(justcall_config *config,
                                           const char *source,
                                           justcall_error **error);

/**
 * Sets a pair that the program already has, instead of a source. The caller keeps ownership of
 * `credentials` and may free it as soon as this function returns.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `credentials` is NULL. On failure, the
 * configuration is unchanged.
 */
justcall_status justcall_config_set_credentials(justcall_config *config,
                                                const justcall_credentials *credentials,
                                                justcall_error **error);

/**
 * Sets a callback that loads the pair, instead of a source. Use a callback for a pair in a
 * database or in another keychain. justcall_load_fn describes the callback. Replaces the source,
 * callback or pair that was set before.
 *
 * The library passes `context` to `load`. The library calls `free_context` with `context` when
 * this configuration and all clients made from it no longer need `load`. `free_context` may be
 * NULL. If this function replaces a callback that no client uses, it frees the context of the old
 * callback. If clients use the old callback, its context is freed with the last of these clients.
 * justcall_config_set_source() and justcall_config_set_credentials() replace a callback in the
 * same way.
 *
 * Each call of this function makes a new source, even with the same `load` and `context`. Clients
 * share a pair only if they were created from this configuration after the same call of this
 * function.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `load` is NULL. On failure, the
 * configuration is unchanged, and `context` is not freed.
 */
justcall_status justcall_config_set_source_callback(justcall_config *config,
                                                    justcall_load_fn load,
                                                    void *context,
                                                    justcall_free_fn free_context,
                                                    justcall_error **error);

/**
 * Sets the URL of the service, in the form `"https://host[:port][/prefix]"`. The prefix must be
 * percent-encoded. The library accepts `http://` only for a loopback address, because `http://`
 * sends the secret unencrypted.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` does not have the form above, or if `config`
 * or `url` is NULL. On failure, the configuration is unchanged.
 */
justcall_status justcall_config_set_base_url(justcall_config *config,
                                             const char *url,
                                             justcall_error **error);

/**
 * Sets the path that justcall_client_verify() requests with GET, such as
 * `"/v2.1/users?per_page=1"`. By default, it requests `/v2/account` or its alternative.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` does not start with a slash, could lead to
 * another host, or needs percent-encoding. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if
 * `config` or `path` is NULL. On failure, the configuration is unchanged.
 */
justcall_status justcall_config_set_verify_path(justcall_config *config,
                                                const char *path,
                                                justcall_error **error);

/**
 * Sets the time limit of a whole call in milliseconds. The limit includes retries and waits. 0
 * means no limit. The default is 30000.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
 */
justcall_status justcall_config_set_timeout_ms(justcall_config *config,
                                               uint64_t ms,
                                               justcall_error **error);

/**
 * Sets the maximum number of retries of a call. Retries of every kind count together. 0 means no
 * retries. The default is 2.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `n` is negative or `config` is NULL. On failure,
 * the configuration is unchanged.
 */
justcall_status justcall_config_set_max_retries(justcall_config *config,
                                                int32_t n,
                                                justcall_error **error);

/**
 * Sets how many milliseconds calls wait for a new pair after the service rejected the pair in use.
 * The wait starts at the rejection. While calls wait, the library reads the source up to four
 * times a second. With this wait, a reset of the pair makes no call fail, if the source gets the
 * new pair in time. The new pair is in time if it arrives before the end of this wait and of the
 * call's timeout. The default is 0, which means no wait: a call fails unless the source already
 * has another pair.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
 */
justcall_status justcall_config_set_rotation_wait_ms(justcall_config *config,
                                                     uint64_t ms,
                                                     justcall_error **error);

/**
 * Sets a callback that handles events. justcall_event_fn describes the callback. Replaces the
 * event handler that was set before.
 *
 * The library passes `context` to `handler`. The library calls `free_context` with `context` when
 * this configuration and all clients and exchanges made from it no longer need `handler`.
 * `free_context` may be NULL. After fork(), the child calls `handler` and `free_context` too.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `handler` is NULL. On failure, the
 * configuration is unchanged, and `context` is not freed.
 */
justcall_status justcall_config_set_event_handler(justcall_config *config,
                                                  justcall_event_fn handler,
                                                  void *context,
                                                  justcall_free_fn free_context,
                                                  justcall_error **error);

/**
 * Sets a PEM file of certificate authorities, which clients trust instead of the system's.
 * Replaces the certificates of justcall_config_set_ca_pem(). justcall_client_new() reads the file,
 * and fails if the file contains an unusable certificate.
 *
 * By default, the environment variables SSL_CERT_FILE and SSL_CERT_DIR name the certificate
 * authorities. If both variables are unset or empty, clients trust the system's certificate
 * authorities. Clients skip an unusable certificate in a place that one of these variables names.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is empty, or if `config` or `path` is NULL.
 * On failure, the configuration is unchanged.
 */
justcall_status justcall_config_set_ca_file(justcall_config *config,
                                            const char *path,
                                            justcall_error **error);

/**
 * Sets certificate authorities from memory, which clients trust instead of the system's. `pem` is
 * `pem_length` bytes of certificates in PEM form. The function copies them. Replaces the file of
 * justcall_config_set_ca_file().
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `pem` contains no certificate or an unusable one.
 * Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `pem_length` is over 8 MiB, or if `config` or
 * `pem` is NULL. On failure, the configuration is unchanged.
 */
justcall_status justcall_config_set_ca_pem(justcall_config *config,
                                           const char *pem,
                                           size_t pem_length,
                                           justcall_error **error);

/**
 * Sets the local IP address of connections, such as `"192.0.2.7"` or `"2001:db8::7"`. With `""`,
 * which is the default, the system chooses the address. Use this function if the account allows
 * API calls only from some addresses, and the host has several. The library skips addresses of the
 * service or proxy that belong to the other family (IPv4 or IPv6).
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `address` is not an IP address, or if `config` or
 * `address` is NULL. On failure, the configuration is unchanged. If this host does not have the
 * address, calls fail with JUSTCALL_ERROR_CONNECTION_FAILED.
 */
justcall_status justcall_config_set_local_address(justcall_config *config,
                                                  const char *address,
                                                  justcall_error **error);

/**
 * Sets the maximum length of a response body, in bytes after decompression. If a body is longer,
 * the call fails with JUSTCALL_ERROR_INVALID_RESPONSE. 0 means no limit. The default is 33554432
 * (32 MiB). The library always reads at most 64 KiB of an error response or of a response that
 * verifies the pair.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
 */
justcall_status justcall_config_set_max_response_length(justcall_config *config,
                                                        size_t max_length,
                                                        justcall_error **error);

/**
 * Sets a file in which clients record, at most once an hour, that their pair is used. The command
 * `justcall-auth status` reads the file to find pairs that nothing uses any more. By default there
 * is no such file: the library writes nothing to disk by itself.
 *
 * The file contains no pair. The library creates the file and its folder so that only their owner
 * has access. Several processes may share the file. No call fails because the file cannot be
 * written.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is empty, or if `config` or `path` is NULL.
 * On failure, the configuration is unchanged.
 */
justcall_status justcall_config_set_state_file(justcall_config *config,
                                               const char *path,
                                               justcall_error **error);

/**
 * Sets the proxy, in the form `"http://[user:password@]host[:port]"`. Set `""` to use no proxy.
 * The user name and the password must be percent-encoded. The library asks the proxy for a tunnel
 * (CONNECT), so the proxy never sees the pair. Requests to an `http://` base URL never go through
 * a proxy.
 *
 * By default, the environment variable HTTPS_PROXY names the proxy. HTTPS_PROXY does not apply to
 * loopback hosts, or to hosts that an entry of NO_PROXY matches. Commas or blanks separate the
 * entries of NO_PROXY. An entry is `*`, a domain, an address, or a network such as `10.0.0.0/8`. A
 * domain also matches all its subdomains. A domain or an address may have a port.
 * justcall_client_new() reads both variables. An unusable proxy is an error only if the base URL
 * needs it.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` does not have the form above, or if `config`
 * or `url` is NULL. On failure, the configuration is unchanged.
 */
justcall_status justcall_config_set_proxy(justcall_config *config,
                                          const char *url,
                                          justcall_error **error);

/**
 * Sets the account that the pair must belong to. Every call fails with
 * JUSTCALL_ERROR_WRONG_ACCOUNT if the pair belongs to another account. Every call also fails with
 * this status if the service does not name the account. In these calls, the library requests only
 * the account and sends nothing else.
 *
 * In our measurements, the JustCall service did not name the account of a pair. Therefore every
 * call to the JustCall service fails if an account is expected.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `id` is 0 or `config` is NULL. To accept every
 * account, do not call this function.
 */
justcall_status justcall_config_set_expected_account(justcall_config *config,
                                                     uint64_t id,
                                                     justcall_error **error);

/**
 * Sets how the pair is protected in memory between calls. `level` is one of the JUSTCALL_MEMORY
 * numbers. If the system refuses this protection, the first call that needs the pair fails.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `level` is not one of these numbers or `config` is
 * NULL. On failure, the configuration is unchanged.
 */
justcall_status justcall_config_set_memory_protection(justcall_config *config,
                                                      int32_t level,
                                                      justcall_error **error);

/**
 * Frees a configuration. Clients made from the configuration remain valid. Does nothing if
 * `config` is NULL.
 */
void justcall_config_free(justcall_config *config);

/* Client: calls of the service -------------------------------------------------------------- */

/**
 * The size of a buffer that can hold every text of justcall_client_usage() and
 * justcall_webhook_usage().
 */
#define JUSTCALL_USAGE_SIZE (32 * 1024)

/**
 * Creates a client from `config`. If `config` is NULL, every setting has its default. Reads the CA
 * file, if one is set. Does not contact the service and does not read the pair: the first call
 * does both.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `out` is NULL, or if the CA file cannot be read or
 * contains no certificate. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the environment
 * names an unusable proxy.
 *
 * On success, free `*out` with justcall_client_free(). On failure, `*out` is NULL. The caller
 * keeps ownership of `config` and may free it as soon as this function returns. This function is
 * thread-safe, as long as no other thread changes the environment.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_new(const justcall_config *config,
                                    justcall_client **out,
                                    justcall_error **error);

/**
 * Asks the service whether the pair is valid and which account it belongs to. The library requests
 * `/v2/account`. If the service has no such page, it requests `/v2.1/users?per_page=1`, which
 * proves the pair but does not return the account's details.
 *
 * If the service names the account, every pair that the source has later must belong to the same
 * account. The library checks the account of a new pair before it sends anything else with that
 * pair. If a new pair belongs to another account, the call fails with
 * JUSTCALL_ERROR_WRONG_ACCOUNT. The account is unknown if no call verified the pair or the service
 * does not name the account. If the account is unknown, the library uses a new pair of any account
 * without notice. To allow only one account, call justcall_config_set_expected_account().
 *
 * Fails with JUSTCALL_ERROR_INVALID_CREDENTIALS if the service rejects the pair. After a
 * rejection, the library does not send the same pair again for 30 seconds. During these 30
 * seconds, calls fail at once with the same status, unless the source has another pair. When a
 * call fails at once, justcall_error_request_sent() and justcall_error_attempts() return 0,
 * because the library sent nothing. Fails with any other status, except those for buffers and
 * webhooks, if the service is unreachable or its response is unexpected.
 *
 * On success, free `*out` with justcall_account_free(). On failure, `*out` is NULL. Blocks for at
 * most the client's timeout. This function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_verify(const justcall_client *client,
                                       justcall_account **out,
                                       justcall_error **error);

/**
 * Verifies the pair like justcall_client_verify(), within the limits of `options`. If `options` is
 * NULL, this function works like justcall_client_verify().
 *
 * Fails like justcall_client_verify(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
 * handle of `options` is fired.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_verify_with(const justcall_client *client,
                                            const justcall_call_options *options,
                                            justcall_account **out,
                                            justcall_error **error);

/**
 * Sends a request and returns the response in `*out`.
 *
 * A response with an HTTP status of 300 or more is a failure, and the returned status gives the
 * reason. justcall_error_response() returns the headers and the body of such a response. Fails
 * with JUSTCALL_ERROR_INVALID_ARGUMENT if `client`, `request` or `out` is NULL. Fails with
 * JUSTCALL_ERROR_INVALID_RESPONSE if the library cannot read the response, for one of these
 * reasons:
 *
 * - The body is not gzip data although `Content-Encoding` declares gzip.
 * - The body has an encoding other than gzip.
 * - The response is too long.
 * - A header is folded over several lines.
 *
 * On success, free `*out` with justcall_response_free(). On failure, `*out` is NULL. The caller
 * keeps ownership of `request` and may send it again. Blocks for at most the timeout of the
 * request, or the client's timeout if the request has none. This function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_send(const justcall_client *client,
                                     const justcall_request *request,
                                     justcall_response **out,
                                     justcall_error **error);

/**
 * Sends a request without extra headers. This function combines justcall_request_new(),
 * justcall_request_set_body() and justcall_client_send(). `body` is `body_length` bytes. To send
 * no body, pass NULL and a length of 0.
 *
 * `path` may also be a URL under the client's base URL, such as the `next_page_link` of a
 * response. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is any other URL, and sends
 * nothing in that case. Apart from that, this function fails, blocks and returns like the three
 * functions that it combines.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_request(const justcall_client *client,
                                        const char *method,
                                        const char *path,
                                        const void *body,
                                        size_t body_length,
                                        justcall_response **out,
                                        justcall_error **error);

/**
 * Verifies another pair like justcall_client_verify(). If the pair is valid, all clients of the
 * process that share this client's pair use the new pair from then on. This function does not
 * write the new pair to the source. Write the new pair to the source yourself, or the next read of
 * the source brings the old pair back.
 *
 * Fails like justcall_client_verify(), if the service does not accept `credentials`. Fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if `client` or `credentials` is NULL. On failure, the pair in
 * use is unchanged.
 *
 * The caller keeps ownership of `credentials` and may free it as soon as this function returns.
 * Blocks for at most the client's timeout. This function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_replace(justcall_client *client,
                                        const justcall_credentials *credentials,
                                        justcall_error **error);

/**
 * Replaces the pair like justcall_client_replace(), within the limits of `options`. If `options`
 * is NULL, this function works like justcall_client_replace().
 *
 * Fails like justcall_client_replace(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
 * handle of `options` is fired.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_replace_with(justcall_client *client,
                                             const justcall_credentials *credentials,
                                             const justcall_call_options *options,
                                             justcall_error **error);

/**
 * Reads the source now, without contacting the service. Sets `*changed` to 1 if the source has a
 * new pair, and to 0 otherwise. `changed` may be NULL. The next call proves a new pair and then
 * uses it.
 *
 * You need this function only to make the client read the source sooner. Calls read the source
 * without this function. Calls read a file or folder at most once a second, and any other source
 * when the service rejects the pair.
 *
 * Fails like justcall_credentials_load(). Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if
 * `client` is NULL. On failure, the pair in use is unchanged. Blocks for at most the client's
 * timeout. This function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_reload(justcall_client *client,
                                       int32_t *changed,
                                       justcall_error **error);

/**
 * Reads the source like justcall_client_reload(), within the limits of `options`. If `options` is
 * NULL, this function works like justcall_client_reload().
 *
 * Fails like justcall_client_reload(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
 * handle of `options` is fired.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_reload_with(justcall_client *client,
                                            const justcall_call_options *options,
                                            int32_t *changed,
                                            justcall_error **error);

/**
 * Ends every call of this client with JUSTCALL_ERROR_CANCELLED, like justcall_cancel_fire(). Calls
 * that start later end too. Exchanges of this client end at their next step. Use this function to
 * make threads return from their calls before you free the client. Other clients that share the
 * client's pair are not affected. Does nothing if `client` is NULL.
 *
 * Does not block and takes no lock. This function is thread-safe. Signal handlers may call this
 * function: it is async-signal-safe.
 */
void justcall_client_shutdown(justcall_client *client);

/**
 * Writes the value of the `Authorization` header into `buffer`, like
 * justcall_credentials_authorization(). The value is for the pair that the client's calls use now.
 * Use the value for a request that you send yourself. This function reads the source if no call
 * has read it yet.
 *
 * Fails like justcall_credentials_authorization(). If it reads the source, it also fails like
 * justcall_credentials_load(). Blocks only while it reads the source. This function is
 * thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_authorization(const justcall_client *client,
                                              char *buffer,
                                              size_t capacity,
                                              size_t *length,
                                              justcall_error **error);

/**
 * Writes the value of the `Authorization` header like justcall_client_authorization(). If this
 * function has to read the source, it does so within the limits of `options`. If `options` is
 * NULL, this function works like justcall_client_authorization().
 *
 * Fails like justcall_client_authorization(). Also fails with JUSTCALL_ERROR_CANCELLED if the
 * cancel handle of `options` is fired.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_authorization_with(const justcall_client *client,
                                                   const justcall_call_options *options,
                                                   char *buffer,
                                                   size_t capacity,
                                                   size_t *length,
                                                   justcall_error **error);

/**
 * Reports how the pair is protected in memory between calls. The report has one finding, whose
 * code is `"locked"`, `"secretmem"` or `"heap"`. If the protection is weaker than requested, the
 * severity of the finding is JUSTCALL_SEVERITY_WARNING, and its remedy gives the reason. If the
 * protection is as requested, the severity is JUSTCALL_SEVERITY_NOTE. This function reads the
 * source if no call has read it yet.
 *
 * Fails with JUSTCALL_ERROR_MEMORY_PROTECTION if the system refuses the requested protection. If
 * it reads the source, it also fails like justcall_credentials_load().
 *
 * On success, free `*out` with justcall_report_free(). On failure, `*out` is NULL. Blocks only
 * while it reads the source. This function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_protection(const justcall_client *client,
                                           justcall_report **out,
                                           justcall_error **error);

/**
 * Reports the memory protection like justcall_client_protection(). If this function has to read
 * the source, it does so within the limits of `options`. If `options` is NULL, this function works
 * like justcall_client_protection().
 *
 * Fails like justcall_client_protection(). Also fails with JUSTCALL_ERROR_CANCELLED if the cancel
 * handle of `options` is fired.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_protection_with(const justcall_client *client,
                                                const justcall_call_options *options,
                                                justcall_report **out,
                                                justcall_error **error);

/**
 * Returns the generation of the pair in use. The first pair of the clients that share it has
 * generation 1. Each pair that replaces the pair in use has the next number. Returns 0 if no call
 * has read a pair yet, or if `client` is NULL. Reads no source. Does not block. This function is
 * thread-safe.
 */
uint64_t justcall_client_generation(const justcall_client *client);

/**
 * Returns a number of the account's rate limit. The number comes from the last response to any
 * client that shares this client's pair. `which` is one of the JUSTCALL_RATE_LIMIT numbers.
 * Returns -1 if no response contained the number, if `which` is invalid, or if `client` is NULL.
 * Sends nothing. Does not block. This function is thread-safe.
 */
int64_t justcall_client_rate_limit(const justcall_client *client, int32_t which);

/**
 * Copies the shortened API key of the pair in use into `buffer`, with a NUL at the end. The text
 * identifies the pair in logs and has the same form as in justcall_credentials_key_hint(). The
 * text is empty if no call has read a pair yet. The text is UTF-8, and a capacity of 16 bytes is
 * always enough. Sets `*length` to the length of the text without the NUL. `length` may be NULL.
 *
 * Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the text and its NUL.
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `client` is NULL, or if `buffer` is NULL and
 * `capacity` is not 0. Reads no source. Does not block. This function is thread-safe.
 */
justcall_status justcall_client_key_hint(const justcall_client *client,
                                         char *buffer,
                                         size_t capacity,
                                         size_t *length,
                                         justcall_error **error);

/**
 * Copies usage metrics into `buffer`, with a NUL at the end. The metrics count what all clients
 * that share this client's pair have done so far, and describe the state of the pair. The metrics
 * include the results of webhooks that were verified with the secrets of these clients. The text
 * is OpenMetrics 1.0, which Prometheus and most monitoring systems read. The media type of the
 * text is `application/openmetrics-text; version=1.0.0; charset=utf-8`. The text contains no
 * secret and nothing that identifies the pair. Sets `*length` to the length of the text without
 * the NUL. `length` may be NULL.
 *
 * Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the text and its NUL.
 * The text grows from call to call, but a capacity of JUSTCALL_USAGE_SIZE is always enough. Fails
 * with JUSTCALL_ERROR_INVALID_ARGUMENT if `client` is NULL, or if `buffer` is NULL and `capacity`
 * is not 0. Sends nothing and reads no source. Does not block. This function is thread-safe.
 */
justcall_status justcall_client_usage(const justcall_client *client,
                                      char *buffer,
                                      size_t capacity,
                                      size_t *length,
                                      justcall_error **error);

/**
 * Frees a client. Do not free a client while another thread is inside a call on it. Accounts and
 * errors that came from the client remain valid. Does nothing if `client` is NULL.
 */
void justcall_client_free(justcall_client *client);

/* Events: what happens to the pair and to calls --------------------------------------------- */

/**
 * The service accepted a new pair, and the new pair is now in use.
 */
#define JUSTCALL_EVENT_ROTATED 1

/**
 * The service rejected a new pair, or the new pair belongs to another account. The old pair
 * remains in use.
 */
#define JUSTCALL_EVENT_CANDIDATE_REJECTED 2

/**
 * The service rejected the pair in use.
 */
#define JUSTCALL_EVENT_PAIR_REJECTED 3

/**
 * Calls wait until the source has another pair. justcall_config_set_rotation_wait_ms() sets how
 * long calls wait.
 */
#define JUSTCALL_EVENT_WAITING_FOR_SOURCE 4

/**
 * A call failed and will be retried after a wait.
 */
#define JUSTCALL_EVENT_RETRYING 5

/**
 * Less than a tenth of the account's rate limit is left.
 */
#define JUSTCALL_EVENT_RATE_LIMIT_LOW 6

/**
 * The source has a new pair. The next call proves the new pair.
 */
#define JUSTCALL_EVENT_SOURCE_CHANGED 7

/**
 * The pair in use is at least 90 days old and should be rotated. The library reports this event
 * once for each pair.
 */
#define JUSTCALL_EVENT_ROTATION_DUE 8

/**
 * The number of requests in one minute was unusually high. The number was over 60, and more than
 * twice that of the busiest minute before. The library reports this event at most once an hour,
 * and the message contains the numbers.
 */
#define JUSTCALL_EVENT_USAGE_SPIKE 9

/**
 * Returns the kind of `event`, which is one of the JUSTCALL_EVENT numbers. A later version of the
 * library may return a number that this header does not define. Returns 0 if `event` is NULL.
 */
int32_t justcall_event_kind(const justcall_event *event);

/**
 * Returns the name of the kind of `event`, such as `"rotated"`. The name is the same in every
 * programming language. Never returns NULL. Returns `"none"` if `event` is NULL. The text is valid
 * until the event handler returns.
 */
const char *justcall_event_name(const justcall_event *event);

/**
 * Returns a description of `event`, in one or more sentences. The text never contains a secret, so
 * you may log it. Never returns NULL. Returns an empty text if `event` is NULL. The text is valid
 * until the event handler returns.
 */
const char *justcall_event_message(const justcall_event *event);

/**
 * Returns the generation of the pair that `event` is about, as in justcall_client_generation(). If
 * the pair is not in use yet, returns the generation that it will have when it comes into use.
 * Returns 0 if `event` is about no pair, or if `event` is NULL.
 */
uint64_t justcall_event_generation(const justcall_event *event);

/**
 * Returns the HTTP status that caused `event`. Returns 0 if no HTTP status caused it, or if
 * `event` is NULL.
 */
int32_t justcall_event_http_status(const justcall_event *event);

/**
 * Returns how many milliseconds the call now waits. For JUSTCALL_EVENT_RETRYING, the number is
 * exact. For JUSTCALL_EVENT_WAITING_FOR_SOURCE, the number is the maximum. Returns 0 if the call
 * does not wait, or if `event` is NULL.
 */
uint64_t justcall_event_wait_ms(const justcall_event *event);

/* Request: what to send --------------------------------------------------------------------- */

/**
 * Creates a request. `method` is an HTTP method in capitals, such as `"POST"`. `path` starts with
 * a slash, must be percent-encoded, and may contain a query. The library appends `path` to the
 * base URL. The request has the headers `Accept` and `Content-Type: application/json`, unless you
 * set others.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `method` is not such a method, or if `method`,
 * `path` or `out` is NULL. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is a full URL
 * or could become one. Therefore `path` must not contain `//host`, dot segments, backslashes,
 * control characters, spaces, a fragment or non-ASCII characters.
 *
 * On success, free `*out` with justcall_request_free(). On failure, `*out` is NULL.
 */
JUSTCALL_NODISCARD
justcall_status justcall_request_new(const char *method,
                                     const char *path,
                                     justcall_request **out,
                                     justcall_error **error);

/**
 * Adds `name=value` to the query of a request. The library percent-encodes both.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request`, `name` or `value` is NULL, or if the
 * path would become longer than 8 KiB. On failure, the request is unchanged.
 */
justcall_status justcall_request_add_query(justcall_request *request,
                                           const char *name,
                                           const char *value,
                                           justcall_error **error);

/**
 * Sets a header of a request. Replaces an existing header with the same name. Header names are not
 * case-sensitive.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT for one of these reasons:
 *
 * - `request`, `name` or `value` is NULL.
 * - `name` is not a valid header name.
 * - `name` is a header that only the library sets: `Authorization`, `Host`, and headers that frame
 *   the message or belong to one connection.
 * - `value` contains a control character, or starts or ends with a space.
 * - `Accept-Encoding` accepts an encoding other than `gzip` and `identity`, because the library
 *   could not decode it.
 *
 * On failure, the request is unchanged.
 */
justcall_status justcall_request_set_header(justcall_request *request,
                                            const char *name,
                                            const char *value,
                                            justcall_error **error);

/**
 * Sets the body of a request to `body_length` bytes of any kind, such as a JSON document. The
 * function copies the bytes. NULL with a length of 0 sets an empty body.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` is NULL, or if `body` is NULL and
 * `body_length` is not 0. On failure, the request is unchanged.
 */
justcall_status justcall_request_set_body(justcall_request *request,
                                          const void *body,
                                          size_t body_length,
                                          justcall_error **error);

/**
 * Limits each call of this request to `ms` milliseconds, instead of the client's timeout. 0 means
 * no limit.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` is NULL.
 */
justcall_status justcall_request_set_timeout_ms(justcall_request *request,
                                                uint64_t ms,
                                                justcall_error **error);

/**
 * Sets the cancel handle of a request. justcall_cancel_fire() then ends the calls of this request.
 * Replaces the cancel handle that was set before.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` or `cancel` is NULL. On failure, the
 * request is unchanged. The caller keeps ownership of `cancel` and may free it at any time, but
 * cannot fire a freed handle.
 */
justcall_status justcall_request_set_cancel(justcall_request *request,
                                            const justcall_cancel *cancel,
                                            justcall_error **error);

/**
 * Frees a request. Does nothing if `request` is NULL.
 */
void justcall_request_free(justcall_request *request);

/* Call options: limits of other calls ------------------------------------------------------- */

/**
 * Creates call options in which nothing is set. Calls with these options use the client's timeout
 * and have no cancel handle. Returns NULL only on an internal error. Free the options with
 * justcall_call_options_free().
 */
JUSTCALL_NODISCARD justcall_call_options *justcall_call_options_new(void);

/**
 * Limits each call with these options to `ms` milliseconds, instead of the client's timeout. 0
 * means no limit.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `options` is NULL.
 */
justcall_status justcall_call_options_set_timeout_ms(justcall_call_options *options,
                                                     uint64_t ms,
                                                     justcall_error **error);

/**
 * Sets the cancel handle of call options. justcall_cancel_fire() then ends calls with these
 * options. Replaces the cancel handle that was set before.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `options` or `cancel` is NULL. On failure, the
 * options are unchanged. The caller keeps ownership of `cancel` and may free it at any time, but
 * cannot fire a freed handle.
 */
justcall_status justcall_call_options_set_cancel(justcall_call_options *options,
                                                 const justcall_cancel *cancel,
                                                 justcall_error **error);

/**
 * Frees call options. Calls that were started with the options continue. Does nothing if `options`
 * is NULL.
 */
void justcall_call_options_free(justcall_call_options *options);

/* Cancel: ends calls early ------------------------------------------------------------------ */

/**
 * Creates a cancel handle. Returns NULL only on an internal error. Free the handle with
 * justcall_cancel_free().
 */
JUSTCALL_NODISCARD justcall_cancel *justcall_cancel_new(void);

/**
 * Ends all calls that use this cancel handle with JUSTCALL_ERROR_CANCELLED. Running calls end
 * within about 50 milliseconds, even while they wait for the network or for a source. Calls that
 * start later end at once. A fired handle cannot be reset. The library does not interrupt a
 * running load callback or event handler: the call ends when the callback returns. Does nothing if
 * `cancel` is NULL.
 *
 * Does not block and takes no lock. This function is thread-safe. Signal handlers may call this
 * function: it is async-signal-safe.
 */
void justcall_cancel_fire(justcall_cancel *cancel);

/**
 * Frees a cancel handle. Requests, call options and calls that use the handle remain valid. Does
 * nothing if `cancel` is NULL.
 */
void justcall_cancel_free(justcall_cancel *cancel);

/* Response: what the service answered ------------------------------------------------------- */

/**
 * Selects the number of requests that the account's rate limit allows in its long window.
 */
#define JUSTCALL_RATE_LIMIT 0

/**
 * Selects the number of requests that are left in the long window.
 */
#define JUSTCALL_RATE_LIMIT_REMAINING 1

/**
 * Selects the time when the next long window starts, in seconds since 1970-01-01 UTC.
 */
#define JUSTCALL_RATE_LIMIT_RESET 2

/**
 * Selects the number of requests that the account's rate limit allows in its short window.
 */
#define JUSTCALL_RATE_LIMIT_BURST 3

/**
 * Selects the number of requests that are left in the short window.
 */
#define JUSTCALL_RATE_LIMIT_BURST_REMAINING 4

/**
 * Selects the time when the next short window starts, in seconds since 1970-01-01 UTC.
 */
#define JUSTCALL_RATE_LIMIT_BURST_RESET 5

/**
 * Returns the HTTP status of a response. Returns 0 if `response` is NULL.
 */
int32_t justcall_response_http_status(const justcall_response *response);

/**
 * Returns the whole body of a response, after decompression. Sets `*length` to the length of the
 * body in bytes. `length` may be NULL. The body has no NUL at the end. A byte order mark at the
 * beginning of the body is kept. Returns NULL, and sets `*length` to 0, if `response` is NULL.
 * Does not return NULL for an empty body. The body is valid until `response` is freed.
 */
const void *justcall_response_body(const justcall_response *response, size_t *length);

/**
 * Returns the value of the first header with the name `name`. Header names are not case-sensitive.
 * The library replaces bytes that are not UTF-8 with U+FFFD. Returns NULL if the response has no
 * such header, or if `response` or `name` is NULL. The text is valid until `response` is freed.
 */
const char *justcall_response_header(const justcall_response *response, const char *name);

/**
 * Returns the number of headers of a response. A header that occurs several times is counted each
 * time. Returns 0 if `response` is NULL.
 */
size_t justcall_response_header_count(const justcall_response *response);

/**
 * Returns the name of header number `index`, in lower case. The headers are numbered from 0, in
 * the order of the response. Returns NULL if the response has no header with this number, or if
 * `response` is NULL. The text is valid until `response` is freed.
 */
const char *justcall_response_header_name(const justcall_response *response, size_t index);

/**
 * Returns the value of header number `index`. The numbers are those of
 * justcall_response_header_name(). Returns NULL if the response has no header with this number, or
 * if `response` is NULL. The text is valid until `response` is freed.
 */
const char *justcall_response_header_value(const justcall_response *response, size_t index);

/**
 * Returns a number of the account's rate limit, as the headers of this response report it. The
 * function reads both spellings of the service's rate limit headers. `which` is one of the
 * JUSTCALL_RATE_LIMIT numbers. Returns -1 if the response does not contain the number, if `which`
 * is invalid, or if `response` is NULL.
 */
int64_t justcall_response_rate_limit(const justcall_response *response, int32_t which);

/**
 * Frees a response and everything that was borrowed from it. Do not free the response that
 * justcall_error_response() returns, because it belongs to the error. Does nothing if `response`
 * is NULL.
 */
void justcall_response_free(justcall_response *response);

/* Account: which one a pair belongs to ------------------------------------------------------ */

/**
 * Returns the number of the account. Returns 0 if the service did not name the account, or if
 * `account` is NULL.
 */
uint64_t justcall_account_id(const justcall_account *account);

/**
 * Returns the e-mail address of the account. Returns NULL if the service did not return an
 * address, or if `account` is NULL. The text is valid until `account` is freed.
 */
const char *justcall_account_email(const justcall_account *account);

/**
 * Returns the plan of the account, such as `"Pro"`. Returns NULL if the service did not return a
 * plan, or if `account` is NULL. The text is valid until `account` is freed.
 */
const char *justcall_account_plan(const justcall_account *account);

/**
 * Returns the path whose response proved the pair, such as `"/v2/account"`. Returns NULL if
 * `account` is NULL. The text is valid until `account` is freed.
 */
const char *justcall_account_verified_by(const justcall_account *account);

/**
 * Frees an account and every text that was borrowed from it. Does nothing if `account` is NULL.
 */
void justcall_account_free(justcall_account *account);

/* Webhook: verifies deliveries -------------------------------------------------------------- */

/** Lets a verifier accept deliveries for every URL. Check justcall_webhook_event_url() yourself. */
#define JUSTCALL_ANY_URL "*"

/**
 * Creates a verifier of webhook deliveries for the URL `expected_url`. Write the URL exactly as it
 * is registered in JustCall. JUSTCALL_ANY_URL accepts deliveries for every URL. The verifier
 * refuses a delivery if its time is more than `tolerance_s` seconds before or after your time. A
 * usual tolerance is 600 seconds. A tolerance of 0 accepts only deliveries of the same second. The
 * verifier needs a secret before it can verify: call justcall_webhook_use_client() or
 * justcall_webhook_add_secret().
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `expected_url` is not a complete URL, or if
 * `expected_url` or `out` is NULL. On success, free `*out` with justcall_webhook_free(). On
 * failure, `*out` is NULL.
 */
JUSTCALL_NODISCARD
justcall_status justcall_webhook_new(const char *expected_url,
                                     uint64_t tolerance_s,
                                     justcall_webhook **out,
                                     justcall_error **error);

/**
 * Accepts deliveries for `url` as well.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` is not a complete URL, or if the verifier
 * already accepts every URL. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` or `url`
 * is NULL. On failure, the verifier is unchanged.
 */
justcall_status justcall_webhook_add_url(justcall_webhook *webhook,
                                         const char *url,
                                         justcall_error **error);

/**
 * Adds a secret to a verifier, which then accepts deliveries that are signed with this secret.
 * JustCall signs webhooks with the API secret of the account. A webhook has no separate secret.
 * Add the current secret first, then the secrets that it replaced a short time ago. The function
 * copies `secret`. You keep your own copy: wipe it with justcall_wipe().
 *
 * Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if `secret` cannot be an API secret. The error
 * message explains why. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the verifier uses a client
 * (justcall_webhook_use_client()). Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` or
 * `secret` is NULL, or if `secret_length` is over SIZE_MAX / 2. On failure, the verifier is
 * unchanged.
 */
justcall_status justcall_webhook_add_secret(justcall_webhook *webhook,
                                            const char *secret,
                                            size_t secret_length,
                                            justcall_error **error);

/**
 * Makes a verifier use the API secrets of a client. The verifier takes the secrets from the client
 * at each delivery. The verifier accepts the secret of the client's pair and, for a limited time,
 * the secret of the previous pair. Replaces the client that was set before.
 *
 * A delivery may arrive before any call has read the client's pair. justcall_webhook_verify() then
 * reads the pair, and blocks for at most the client's timeout. To avoid this wait, call
 * justcall_client_verify() or justcall_client_reload() when your program starts. If the source
 * cannot be read, the verification fails with the status of that failure. For one second after
 * that, verifications fail with the same status and do not run a program or callback again.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the verifier has a secret from
 * justcall_webhook_add_secret(), or if `webhook` or `client` is NULL. On failure, the verifier is
 * unchanged. The caller keeps ownership of `client` and may free it as soon as this function
 * returns. Does not block.
 */
justcall_status justcall_webhook_use_client(justcall_webhook *webhook,
                                            const justcall_client *client,
                                            justcall_error **error);

/**
 * Sets a callback that detects repeated deliveries. The library runs the check for every delivery
 * that passed all other checks. justcall_replay_fn describes the callback. The library itself does
 * not detect repeated deliveries, because two genuine events can have the same signature. Two
 * events have the same signature if they have the same type and the same second. Replaces the
 * replay check that was set before.
 *
 * The library passes `context` to `check`. The library calls `free_context` with `context` when
 * the verifier is freed or gets another replay check. `free_context` may be NULL.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` or `check` is NULL. On failure, the
 * verifier is unchanged, and `context` is not freed.
 */
justcall_status justcall_webhook_set_replay_check(justcall_webhook *webhook,
                                                  justcall_replay_fn check,
                                                  void *context,
                                                  justcall_free_fn free_context,
                                                  justcall_error **error);

/**
 * Verifies one webhook delivery. `signature` is the value of the header x-justcall-signature.
 * `version` is the value of x-justcall-signature-version, and `timestamp` is the value of
 * x-justcall-request-timestamp. Pass each value as it was received, or NULL if the header is
 * missing. An empty value counts as missing. If a header occurs twice, pass its values joined with
 * ", ": this function then refuses the delivery. `body` is the `body_length` bytes that were
 * received. `now_unix` is the current time in seconds since 1970-01-01 UTC, such as from time().
 * The result is counted in justcall_webhook_usage() and in justcall_client_usage() of the client.
 *
 * If several failures apply, this function fails with the first status in this list:
 *
 * - JUSTCALL_ERROR_INVALID_ARGUMENT: `webhook` or `out` is NULL, a length is over SIZE_MAX / 2, or
 *   the verifier has no secret.
 * - JUSTCALL_ERROR_WEBHOOK_UNSIGNED: the signature is missing or empty. JustCall sends such a test
 *   delivery when a webhook URL is saved. Log this status. If a proxy removes the headers, every
 *   genuine delivery gets this status too.
 * - JUSTCALL_ERROR_WEBHOOK_VERSION: the signature version is missing or unknown.
 * - JUSTCALL_ERROR_WEBHOOK_MALFORMED: the signature is not 64 hexadecimal digits, or the timestamp
 *   is missing or not a time. This status also means that the body is over 1 MiB, not UTF-8, or
 *   not the JSON of a delivery. A signature or timestamp that is not UTF-8 is malformed too.
 * - The status of the client's source, if the verifier uses a client and the source cannot be
 *   read.
 * - JUSTCALL_ERROR_WEBHOOK_MISMATCH, then JUSTCALL_ERROR_WEBHOOK_STALE,
 *   JUSTCALL_ERROR_WEBHOOK_WRONG_URL, JUSTCALL_ERROR_WEBHOOK_REPLAYED, or another status of the
 *   replay check.
 *
 * Answer the delivery with one of these HTTP statuses:
 *
 * - 200 for JUSTCALL_OK, after you have handled the event.
 * - 200 for JUSTCALL_ERROR_WEBHOOK_UNSIGNED, because JustCall expects 200 for a test delivery. Do
 *   not act on an unsigned delivery.
 * - 200 for JUSTCALL_ERROR_WEBHOOK_REPLAYED. Do not act on the delivery again.
 * - 401 for every other JUSTCALL_ERROR_WEBHOOK status.
 * - 500 for every other status, such as a failure of the source. JustCall sends a delivery again
 *   if the answer is not 200.
 *
 * On success, free `*out` with justcall_webhook_event_free(). On failure, `*out` is NULL. Blocks
 * only if the verifier uses a client whose pair has to be read first. This function is
 * thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_webhook_verify(const justcall_webhook *webhook,
                                        const char *signature,
                                        const char *version,
                                        const char *timestamp,
                                        const void *body,
                                        size_t body_length,
                                        int64_t now_unix,
                                        justcall_webhook_event **out,
                                        justcall_error **error);

/**
 * Verifies one webhook delivery like justcall_webhook_verify(). If the pair of the verifier's
 * client has to be read first, the limits of `options` apply instead of the client's timeout. The
 * limits have no effect on a verifier that does not use a client. If `options` is NULL, this
 * function works like justcall_webhook_verify().
 *
 * Fails like justcall_webhook_verify(). Also fails with JUSTCALL_ERROR_TIMEOUT or
 * JUSTCALL_ERROR_CANCELLED if reading the pair exceeds the limits.
 */
JUSTCALL_NODISCARD
justcall_status justcall_webhook_verify_with(const justcall_webhook *webhook,
                                             const char *signature,
                                             const char *version,
                                             const char *timestamp,
                                             const void *body,
                                             size_t body_length,
                                             int64_t now_unix,
                                             const justcall_call_options *options,
                                             justcall_webhook_event **out,
                                             justcall_error **error);

/**
 * Copies the metrics of a verifier into `buffer`, with a NUL at the end. The metrics count the
 * verifications that this verifier made in this process. The text is OpenMetrics 1.0, like that of
 * justcall_client_usage(). The text contains the counter `justcall_auth_webhooks_total` with the
 * label `result`. The label is `ok`, or the name of the status that justcall_webhook_verify()
 * returned. The counter ignores calls in which an argument is NULL or a length exceeds SIZE_MAX / 2.
 * The text contains no secret, no URL and no data of a delivery. Sets `*length` to the length of
 * the text without the NUL. `length` may be NULL.
 *
 * justcall_client_usage() contains the results of all verifiers that use the client's secrets. Let
 * your monitoring system read only one of the two texts, because a sum of both counts each
 * delivery twice.
 *
 * Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the text and its NUL.
 * A capacity of JUSTCALL_USAGE_SIZE is always enough. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT
 * if `webhook` is NULL, or if `buffer` is NULL and `capacity` is not 0. Does not block. This
 * function is thread-safe. After fork(), the counters start at zero in the child.
 */
justcall_status justcall_webhook_usage(const justcall_webhook *webhook,
                                       char *buffer,
                                       size_t capacity,
                                       size_t *length,
                                       justcall_error **error);

/**
 * Frees a verifier. Webhook events that came from the verifier remain valid. Does nothing if
 * `webhook` is NULL.
 */
void justcall_webhook_free(justcall_webhook *webhook);

/* Webhook event: a verified delivery -------------------------------------------------------- */

/**
 * Returns the URL that the delivery was signed for. The URL is one of the expected URLs, unless
 * the verifier accepts every URL. Returns NULL if `event` is NULL. The text is valid until `event`
 * is freed.
 */
const char *justcall_webhook_event_url(const justcall_webhook_event *event);

/**
 * Returns the type of the event, such as `"call.completed"`. Returns NULL if `event` is NULL. The
 * text is valid until `event` is freed.
 */
const char *justcall_webhook_event_type(const justcall_webhook_event *event);

/**
 * Returns the time when the delivery was signed, in seconds since 1970-01-01 UTC. Returns 0 if
 * `event` is NULL.
 */
int64_t justcall_webhook_event_timestamp(const justcall_webhook_event *event);

/**
 * Returns the number of the secret that signed the delivery. Secrets are numbered from 0, in the
 * order in which they were added. If the verifier uses a client, number 0 is the secret of its
 * current pair. Returns 0 if `event` is NULL.
 */
size_t justcall_webhook_event_secret_index(const justcall_webhook_event *event);

/**
 * Returns the signature as 64 hexadecimal digits in lower case, even if the delivery had upper
 * case. The signature is the same for every repetition of a delivery. Another event of the same
 * type in the same second has the same signature too. Returns NULL if `event` is NULL. The text is
 * valid until `event` is freed.
 */
const char *justcall_webhook_event_signature(const justcall_webhook_event *event);

/**
 * Copies the API path of the object that the event is about into `buffer`, with a NUL at the end.
 * An example is `"/v2.1/calls/123456789"`. Pass this path to justcall_client_request() with the
 * method "GET" to get genuine data: the body of a delivery may be forged. `body` is the
 * `body_length` bytes that were verified. Sets `*length` to the length of the path without the
 * NUL. `length` may be NULL.
 *
 * This function supports event types that start with `call.`, `jc.call_`, `sd.call_`, `sms.` or
 * `jc.contact_`. For any other type, this function fails with JUSTCALL_ERROR_INVALID_ARGUMENT,
 * even if the delivery is genuine. Get the path for such a type from the API reference, or ignore
 * the event and answer 200.
 *
 * Fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is too small for the path and its NUL.
 * A capacity of 128 bytes is always enough. Fails with JUSTCALL_ERROR_WEBHOOK_MALFORMED if the
 * body does not name an object. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `event` is NULL, or
 * if `buffer` is NULL and `capacity` is not 0. Does not block.
 */
justcall_status justcall_webhook_event_object_path(const justcall_webhook_event *event,
                                                   const void *body,
                                                   size_t body_length,
                                                   char *buffer,
                                                   size_t capacity,
                                                   size_t *length,
                                                   justcall_error **error);

/**
 * Frees a webhook event and every text that was borrowed from it. Does nothing if `event` is NULL.
 */
void justcall_webhook_event_free(justcall_webhook_event *event);

/* Exchange: a call with your own HTTP client ------------------------------------------------ */

/**
 * Send the request. justcall_exchange_method() and the functions after it describe the request.
 * justcall_exchange_authorization() writes its `Authorization` header. Set up your HTTP client
 * again for each request. Use `wait_ms` as its timeout in milliseconds. Then report the result
 * with justcall_exchange_answered() or justcall_exchange_failed().
 */
#define JUSTCALL_ACTION_SEND 1

/**
 * Call justcall_exchange_next() again after `wait_ms` milliseconds. Several short waits in a row
 * are normal. For example, each wait is 20 milliseconds while another call reads the source.
 */
#define JUSTCALL_ACTION_WAIT 2

/**
 * Call justcall_exchange_load(). justcall_exchange_load() may block, so run it on a worker thread
 * if your program has an event loop.
 */
#define JUSTCALL_ACTION_LOAD 3

/**
 * The call has succeeded. justcall_exchange_response() returns the response.
 */
#define JUSTCALL_ACTION_DONE 4

/**
 * Your HTTP client could not resolve the name of the host.
 */
#define JUSTCALL_CAUSE_RESOLVE 1

/**
 * Your HTTP client could not connect.
 */
#define JUSTCALL_CAUSE_CONNECT 2

/**
 * The TLS handshake failed, for example because the certificate is not trusted.
 */
#define JUSTCALL_CAUSE_TLS 3

/**
 * Your HTTP client reached its timeout.
 */
#define JUSTCALL_CAUSE_TIMEOUT 4

/**
 * The connection was closed or reset before the response was complete.
 */
#define JUSTCALL_CAUSE_CLOSED 5

/**
 * Your program cancelled the request.
 */
#define JUSTCALL_CAUSE_CANCELLED 6

/**
 * Creates an exchange for `request`. The function copies the request with its body, timeout and
 * cancel handle. The timeout of the exchange starts now and includes waits. Sends nothing and
 * reads no source.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `client`, `request` or `out` is NULL. On success,
 * free `*out` with justcall_exchange_free(). On failure, `*out` is NULL. Does not block. This
 * function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_exchange_new(const justcall_client *client,
                                      const justcall_request *request,
                                      justcall_exchange **out,
                                      justcall_error **error);

/**
 * Sets `*action` to the next action, which is one of the JUSTCALL_ACTION numbers. Sets `*wait_ms`
 * to a number of milliseconds. `wait_ms` may be NULL. The meaning of `*wait_ms` depends on the
 * action:
 *
 * - For JUSTCALL_ACTION_WAIT, `*wait_ms` is the time to wait.
 * - For JUSTCALL_ACTION_SEND, `*wait_ms` is the time until the deadline of the call and at least
 *   1, or 0 if the call has no deadline. Use this time as the timeout of your HTTP client.
 * - For the other actions, `*wait_ms` is 0.
 *
 * This function sets `*action` to JUSTCALL_ACTION_SEND again until you report the result. This
 * function sets `*action` to JUSTCALL_ACTION_LOAD again until justcall_exchange_load() returns.
 * You may call this function from time to time while your HTTP client is sending.
 * justcall_exchange_next() then fails if a cancel handle was fired, after
 * justcall_client_shutdown(), or at the deadline. If justcall_exchange_next() fails, stop your
 * request. A later report of the result has no effect.
 *
 * Each call of this function invalidates the texts of justcall_exchange_method(),
 * justcall_exchange_url() and the headers. The texts of the last request become invalid even if
 * the action is JUSTCALL_ACTION_SEND again. If your HTTP client does not copy texts that you pass
 * to it, copy the texts before you call this function. libcurl copies them.
 *
 * If the call has failed, returns its status now and each time you call this function again. The
 * status is any that justcall_client_send() may return. Fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT, and changes nothing, if `action` or `exchange` is NULL, or if
 * the exchange is in use. Does not block. After fork(), this function fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT in the child.
 */
JUSTCALL_NODISCARD
justcall_status justcall_exchange_next(justcall_exchange *exchange,
                                       int32_t *action,
                                       uint64_t *wait_ms,
                                       justcall_error **error);

/**
 * Reads the source after JUSTCALL_ACTION_LOAD. The source is a file, a program or your load
 * callback. Has no effect after any other action. Returns JUSTCALL_OK even if the source cannot be
 * read. If the source cannot be read, the next justcall_exchange_next() fails, or continues with
 * the pair in use.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `exchange` is NULL or in use. Blocks until the
 * source is read, but at most until the deadline of the call. The cancel handle of the request
 * ends the wait too, but does not interrupt a running load callback. You may run this function on
 * a worker thread, if no other thread uses the exchange until it returns.
 */
justcall_status justcall_exchange_load(justcall_exchange *exchange, justcall_error **error);

/**
 * Returns the HTTP method of the request that you have to send. The method may differ from that of
 * your own request, as justcall_exchange_is_verifying() explains. Returns NULL if `exchange` is
 * NULL or in use. The text is valid until the next call of justcall_exchange_next().
 */
const char *justcall_exchange_method(const justcall_exchange *exchange);

/**
 * Returns the full URL of the request that you have to send. Returns NULL if `exchange` is NULL or
 * in use. The text is valid until the next call of justcall_exchange_next().
 */
const char *justcall_exchange_url(const justcall_exchange *exchange);

/**
 * Returns the number of headers of the request that you have to send. The number does not include
 * the secret header `Authorization`, or headers that your HTTP client sets, such as `Host`. You
 * may add more headers, and you may replace these headers. Returns 0 if `exchange` is NULL or in
 * use.
 */
size_t justcall_exchange_header_count(const justcall_exchange *exchange);

/**
 * Returns the name of header number `index`, in lower case. The headers are numbered from 0.
 * Returns NULL if the request has no header with this number, or if `exchange` is NULL or in use.
 * The text is valid until the next call of justcall_exchange_next().
 */
const char *justcall_exchange_header_name(const justcall_exchange *exchange, size_t index);

/**
 * Returns the value of header number `index`. The numbers are those of
 * justcall_exchange_header_name(). Returns NULL if the request has no header with this number, or
 * if `exchange` is NULL or in use. The text is valid until the next call of
 * justcall_exchange_next().
 */
const char *justcall_exchange_header_value(const justcall_exchange *exchange, size_t index);

/**
 * Returns the body of the request that you have to send. Sets `*length` to the length of the body
 * in bytes. `length` may be NULL. The body has no NUL at the end. Returns NULL, and sets `*length`
 * to 0, if the request has no body, or if `exchange` is NULL or in use. If the request has an
 * empty body, sets `*length` to 0 but does not return NULL. The body is valid until `exchange` is
 * freed.
 */
const void *justcall_exchange_body(const justcall_exchange *exchange, size_t *length);

/**
 * Returns 1 if the request that you have to send verifies the pair and is not your own request.
 * Send such a request as the exchange describes it, without the body and headers of your own
 * request. The verifying request comes before your own request if the library must know the
 * account first. The verifying request comes after your own request if that was `/v2/account` and
 * the service answered 401. Returns 0 if you have to send your own request, or if `exchange` is
 * NULL or in use.
 */
int32_t justcall_exchange_is_verifying(const justcall_exchange *exchange);

/**
 * Writes the value of the `Authorization` header into `buffer`, like
 * justcall_credentials_authorization(). Call this function after each JUSTCALL_ACTION_SEND, right
 * before you send the request. The response that you report then applies to the pair that this
 * function wrote. For example, a response with 401 makes the library reject that pair. If you
 * report a response without calling this function, the response applies to the pair in use at
 * JUSTCALL_ACTION_SEND.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the action is not JUSTCALL_ACTION_SEND, or if
 * `exchange` is NULL or in use. Also fails like justcall_credentials_authorization().
 */
JUSTCALL_NODISCARD
justcall_status justcall_exchange_authorization(justcall_exchange *exchange,
                                                char *buffer,
                                                size_t capacity,
                                                size_t *length,
                                                justcall_error **error);

/**
 * Reports the final response to the request. The arguments are those of justcall_classify(), and
 * the function copies all of them. Pass the whole decoded body. You may keep a `Content-Encoding`
 * header. Do not pass the headers of interim responses (HTTP status 100 to 199). After this
 * function, call justcall_exchange_next() for the next action.
 *
 * Has no effect, and returns JUSTCALL_OK, unless the action is JUSTCALL_ACTION_SEND and its result
 * has not been reported yet.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT for the same reasons as justcall_classify(), and if
 * `exchange` is NULL or in use. On failure, the exchange is unchanged.
 */
justcall_status justcall_exchange_answered(justcall_exchange *exchange,
                                           int32_t http_status,
                                           const char *const *header_names,
                                           const char *const *header_values,
                                           size_t header_count,
                                           const void *body,
                                           size_t body_length,
                                           justcall_error **error);

/**
 * Reports that your HTTP client got no response. `cause` is one of the JUSTCALL_CAUSE numbers.
 * Pass 0 as `request_sent` only if your HTTP client certainly sent no byte of the request. The
 * library may then retry even a POST request. Pass 1 as `request_sent` if you are not sure. After
 * this function, call justcall_exchange_next() for the next action.
 *
 * Has no effect, and returns JUSTCALL_OK, unless the action is JUSTCALL_ACTION_SEND and its result
 * has not been reported yet.
 *
 * With libcurl, choose `cause` by the CURLcode:
 *
 * - JUSTCALL_CAUSE_RESOLVE: CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY.
 * - JUSTCALL_CAUSE_CONNECT: CURLE_COULDNT_CONNECT.
 * - JUSTCALL_CAUSE_TLS: CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION,
 *   CURLE_SSL_CACERT_BADFILE.
 * - JUSTCALL_CAUSE_TIMEOUT: CURLE_OPERATION_TIMEDOUT.
 * - JUSTCALL_CAUSE_CANCELLED: CURLE_ABORTED_BY_CALLBACK.
 * - JUSTCALL_CAUSE_CLOSED: every other CURLcode.
 *
 * With libcurl, pass 0 as `request_sent` for the causes RESOLVE, CONNECT and TLS. For the other
 * causes, pass 1 if CURLINFO_REQUEST_SIZE is greater than 0, and 0 otherwise. If your program
 * fails for another reason, pass JUSTCALL_CAUSE_CLOSED if a retry may help, and
 * JUSTCALL_CAUSE_CANCELLED if not.
 *
 * The library retries the causes RESOLVE, CONNECT and CLOSED like a lost connection. The other
 * causes end the call. A call that ends fails with the same status and reason as with the built-in
 * HTTP client:
 *
 * - JUSTCALL_CAUSE_RESOLVE: JUSTCALL_ERROR_CONNECTION_FAILED, with the reason `resolve`.
 * - JUSTCALL_CAUSE_CONNECT: JUSTCALL_ERROR_CONNECTION_FAILED, with the reason `connect`.
 * - JUSTCALL_CAUSE_CLOSED: JUSTCALL_ERROR_CONNECTION_FAILED, with the reason `receive`, or `send`
 *   if nothing was sent.
 * - JUSTCALL_CAUSE_TLS: JUSTCALL_ERROR_TLS_FAILED.
 * - JUSTCALL_CAUSE_TIMEOUT: JUSTCALL_ERROR_TIMEOUT, with the reason `receive`, or `connect` if
 *   nothing was sent.
 * - JUSTCALL_CAUSE_CANCELLED: JUSTCALL_ERROR_CANCELLED.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `cause` is not one of the JUSTCALL_CAUSE numbers,
 * or if `exchange` is NULL or in use. On failure, the exchange is unchanged.
 */
justcall_status justcall_exchange_failed(justcall_exchange *exchange,
                                         int32_t cause,
                                         int32_t request_sent,
                                         justcall_error **error);

/**
 * Returns the response in `*out`, after JUSTCALL_ACTION_DONE. The HTTP status of this response is
 * 200 to 299. Any other HTTP status is a failure, and justcall_error_response() returns the
 * response of a failure. You may call this function more than once.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the call has not ended yet, if `exchange` or `out`
 * is NULL, or if the exchange is in use. If the call has failed, fails with the status of the
 * call. On success, free `*out` with justcall_response_free(). On failure, `*out` is NULL.
 */
JUSTCALL_NODISCARD
justcall_status justcall_exchange_response(const justcall_exchange *exchange,
                                           justcall_response **out,
                                           justcall_error **error);

/**
 * Frees an exchange and everything that was borrowed from it. You may free an exchange before its
 * call has ended. This function does not stop a request that your HTTP client is sending: stop it
 * yourself. Does nothing if `exchange` is NULL.
 */
void justcall_exchange_free(justcall_exchange *exchange);

/* Responses of your own HTTP client --------------------------------------------------------- */

/**
 * Classifies a response that your own HTTP client received from the service. Returns JUSTCALL_OK
 * for the HTTP statuses 200 to 299. For any other HTTP status, returns the status and the error
 * that a client of this library would return. Only the HTTP status decides the result. The headers
 * and the body only add details to the error.
 *
 * `header_names` and `header_values` are arrays of `header_count` NUL-terminated strings each.
 * `header_count` is at most 1000. The library replaces bytes in these strings that are not UTF-8.
 * `body` is `body_length` bytes of any kind. Both arrays may be NULL if `header_count` is 0, and
 * `body` may be NULL if `body_length` is 0. The library keeps no reference to these arguments.
 * This function does not know the pair, so justcall_error_service_message() does not mask a secret
 * that the service echoes.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `http_status` is not between 100 and 999. libcurl
 * reports the HTTP status 0 if it received no response. Also fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if a required pointer is NULL, or if a length is over
 * SIZE_MAX / 2. justcall_error_http_status() returns 0 for these failures. Does not block. This
 * function is thread-safe.
 */
JUSTCALL_NODISCARD
justcall_status justcall_classify(int32_t http_status,
                                  const char *const *header_names,
                                  const char *const *header_values,
                                  size_t header_count,
                                  const void *body,
                                  size_t body_length,
                                  justcall_error **error);

/* Report: findings of a local check --------------------------------------------------------- */

/**
 * The finding is useful to know if the service rejects the pair.
 */
#define JUSTCALL_SEVERITY_NOTE 0

/**
 * The pair can work as it is, but the finding is probably a mistake.
 */
#define JUSTCALL_SEVERITY_WARNING 1

/**
 * The pair cannot work, and the library would send nothing.
 */
#define JUSTCALL_SEVERITY_ERROR 2

/**
 * Checks the text that a person pasted as a pair. `text` is `key:secret`, a header value or a
 * header line. `text` is `text_length` bytes and does not need a NUL at the end. Sends nothing.
 * Reads only the environment variable JUSTCALL_API_KEY, to detect a key and a secret in the wrong
 * order.
 *
 * Returns JUSTCALL_OK even if the report has findings. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT
 * if `text` or `out` is NULL. On success, free `*out` with justcall_report_free(). On failure,
 * `*out` is NULL. No text of the report contains any part of `text`. Does not block.
 */
JUSTCALL_NODISCARD
justcall_status justcall_diagnose(const char *text,
                                  size_t text_length,
                                  justcall_report **out,
                                  justcall_error **error);

/**
 * Checks the pair that `"default:"` would use, and every source that `"default:"` reads. Also
 * reports sources that could mislead a program, such as a second source with a different pair.
 * Sends nothing and runs no program.
 *
 * Returns JUSTCALL_OK even if the report has findings. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT
 * if `out` is NULL. On success, free `*out` with justcall_report_free(). On failure, `*out` is
 * NULL. No text of the report contains a key or a secret. Blocks while it reads files. This
 * function is thread-safe, as long as no other thread changes the environment.
 */
JUSTCALL_NODISCARD
justcall_status justcall_diagnose_environment(justcall_report **out,
                                              justcall_error **error);

/**
 * Returns the number of findings in a report. Returns 0 if `report` is NULL.
 */
size_t justcall_report_count(const justcall_report *report);

/**
 * Returns the severity of finding number `index`, which is one of the JUSTCALL_SEVERITY numbers.
 * The findings are numbered from 0. Returns -1 if the report has no finding with this number, or
 * if `report` is NULL.
 */
int32_t justcall_report_severity(const justcall_report *report, size_t index);

/**
 * Returns the code of finding number `index`, such as `"trailing_whitespace"`. The code is the
 * same in every programming language. Returns NULL if the report has no finding with this number,
 * or if `report` is NULL. The text is valid until `report` is freed.
 */
const char *justcall_report_code(const justcall_report *report, size_t index);

/**
 * Returns a sentence that describes finding number `index`. Returns NULL if the report has no
 * finding with this number, or if `report` is NULL. The text is valid until `report` is freed.
 */
const char *justcall_report_message(const justcall_report *report, size_t index);

/**
 * Returns the remedy for finding number `index`: what to do about it. Returns NULL if the report
 * has no finding with this number, or if `report` is NULL. The text is valid until `report` is
 * freed.
 */
const char *justcall_report_remedy(const justcall_report *report, size_t index);

/**
 * Frees a report and every text that was borrowed from it. Does nothing if `report` is NULL.
 */
void justcall_report_free(justcall_report *report);

/* Errors ------------------------------------------------------------------------------------ */

/**
 * Returns the status of the failure, which is the status that the call returned. Returns
 * JUSTCALL_OK if `error` is NULL.
 */
justcall_status justcall_error_status(const justcall_error *error);

/**
 * Returns the name of the status, like justcall_status_name(). Use the name in logs and in
 * comparisons: it is the same in every programming language. Never returns NULL. Returns `"ok"` if
 * `error` is NULL. The text is static: do not free it.
 */
const char *justcall_error_name(const justcall_error *error);

/**
 * Returns a description of the failure, in one or more sentences. The text never contains a
 * secret, so you may log it. Never returns NULL. Returns an empty text if `error` is NULL. The
 * text is valid until `error` is freed.
 */
const char *justcall_error_message(const justcall_error *error);

/**
 * Returns an instruction that explains to a person how to fix the failure. The text never contains
 * a secret, so you may log it. Never returns NULL. Returns an empty text if `error` is NULL. The
 * text is valid until `error` is freed.
 */
const char *justcall_error_hint(const justcall_error *error);

/**
 * Returns the error message in the body of the service's response. Returns NULL if there was no
 * response, if its body contains no message, or if `error` is NULL. Check for NULL before you
 * print the text. The text is one line of at most 512 bytes. The library masks a secret that the
 * service echoes. The text is valid until `error` is freed.
 */
const char *justcall_error_service_message(const justcall_error *error);

/**
 * Returns one word that is more specific than the name of the status. The possible words depend on
 * the status:
 *
 * - JUSTCALL_ERROR_FORBIDDEN: `plan`, `role`, `ip`, `addon` or `unspecified`.
 * - JUSTCALL_ERROR_CREDENTIALS_MALFORMED: the fault in the pair, such as `trailing_whitespace`.
 * - JUSTCALL_ERROR_TIMEOUT and JUSTCALL_ERROR_CONNECTION_FAILED: the phase `resolve`, `connect`,
 *   `send` or `receive`.
 *
 * Returns NULL if the error has no reason, or if `error` is NULL. The text is valid until `error`
 * is freed.
 */
const char *justcall_error_reason(const justcall_error *error);

/**
 * Returns the HTTP status of the last response. Returns 0 if there was no response, or if `error`
 * is NULL.
 */
int32_t justcall_error_http_status(const justcall_error *error);

/**
 * Returns 1 if the same call may succeed later without any change. Returns 0 otherwise, or if
 * `error` is NULL.
 */
int32_t justcall_error_retryable(const justcall_error *error);

/**
 * Returns how many milliseconds to wait before you call again. The service asked for this time, or
 * the library does not send a rejected pair again in this time. Returns -1 if the error has no
 * such time, or if `error` is NULL.
 */
int64_t justcall_error_retry_after_ms(const justcall_error *error);

/**
 * Returns 1 if at least one attempt may have delivered the request to the service, even if the
 * error describes a later attempt. Returns 0 if certainly no attempt delivered the request, or if
 * `error` is NULL.
 *
 * If the result is 1, send a POST request again only if the service certainly refused it. The
 * service refused the request if justcall_error_status() returns 400, 401, 403, 404, 422 or 429.
 * Of these statuses, only 429 allows a retry of the unchanged request. After any other status, the
 * service may have executed the request. Do not use justcall_error_http_status() for this
 * decision, because the last response may belong to an earlier attempt.
 */
int32_t justcall_error_request_sent(const justcall_error *error);

/**
 * Returns the HTTP method of the request that failed, such as `"POST"`. Returns NULL if the
 * failure does not belong to a request, or if `error` is NULL. The text is valid until `error` is
 * freed.
 */
const char *justcall_error_method(const justcall_error *error);

/**
 * Returns the path of the request that failed, without its query. The path may contain a telephone
 * number, so be careful where you log it. No other text of the error contains the path. Returns
 * NULL if the failure does not belong to a request, or if `error` is NULL. The text is valid until
 * `error` is freed.
 */
const char *justcall_error_path(const justcall_error *error);

/**
 * Returns how many times the request was sent, or passed to your HTTP client to send. Returns 0 if
 * the request was never sent, if the failure does not belong to a request, or if `error` is NULL.
 */
uint32_t justcall_error_attempts(const justcall_error *error);

/**
 * Returns the last response of the service. The last response is usually the response that made
 * the call fail, such as a 422 whose body names the invalid fields. If a retry got no response,
 * the last response is that of an earlier attempt. Returns NULL if there was no response, or if
 * `error` is NULL. The error owns the response: do not free it. The response is valid until
 * `error` is freed.
 */
const justcall_response *justcall_error_response(const justcall_error *error);

/**
 * Frees an error and every text that was borrowed from it. Does nothing if `error` is NULL.
 */
void justcall_error_free(justcall_error *error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* JUSTCALL_AUTH_H */
