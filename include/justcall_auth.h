/*
 * justcall_auth.h - JustCall API authentication that works at once, says what is wrong, and never
 * leaks a secret.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Example: is the pair in JUSTCALL_API_KEY and JUSTCALL_API_SECRET good?
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
 * Functions by task:
 *
 * - Check a pair: justcall_client_verify(); without the service: justcall_diagnose(),
 *   justcall_diagnose_environment(), justcall_credentials_new().
 * - Send a request: justcall_client_request(), or justcall_request_new() and
 *   justcall_client_send() for headers, a query, a timeout or a cancel handle. Read the answer:
 *   justcall_response_body(), justcall_response_header().
 * - Choose the source of the pair: justcall_config_set_source(), _set_credentials(), or
 *   _set_source_callback(). The callback is a justcall_load_fn and creates its errors with
 *   justcall_error_new().
 * - Choose how to connect: justcall_config_set_base_url(), _set_ca_file(), _set_ca_pem(),
 *   _set_proxy(), _set_local_address(), _set_timeout_ms(), _set_max_retries(),
 *   _set_max_response_length().
 * - Limit or end a call: justcall_request_set_timeout_ms(), justcall_request_set_cancel(),
 *   justcall_call_options_new() and the functions that end in _with, justcall_cancel_fire(),
 *   justcall_client_shutdown().
 * - Follow a reset of the pair: nothing to do; justcall_config_set_rotation_wait_ms() lets calls
 *   wait for the new pair, justcall_client_reload() and justcall_client_replace() speed it up,
 *   justcall_config_set_event_handler() reports it.
 * - Verify webhooks: justcall_webhook_new(), justcall_webhook_use_client() or
 *   justcall_webhook_add_secret(), justcall_webhook_verify(),
 *   justcall_webhook_event_object_path().
 * - Use your own HTTP client: justcall_exchange_new() for the whole call, or
 *   justcall_client_authorization() and justcall_classify() for one request.
 * - Find out what failed: justcall_error_message(), justcall_error_hint(),
 *   justcall_error_status(), justcall_error_request_sent(), justcall_error_response().
 * - Monitor: justcall_client_usage(), justcall_client_rate_limit(), justcall_client_generation(),
 *   justcall_client_key_hint(), justcall_client_protection().
 *
 * Errors. A function that can fail returns a justcall_status: JUSTCALL_OK, which is 0, or a
 * JUSTCALL_ERROR_ number. Its last parameter, `error`, may be NULL if you do not want the details.
 * Otherwise every call sets `*error`: to a justcall_error on failure, to NULL on success. It does
 * not free what was there: free an error before you pass the same pointer to another call. If a
 * call fails, it sets an output handle to NULL and leaves every other output unchanged, except that
 * JUSTCALL_ERROR_BUFFER_TOO_SMALL sets `*length` to the needed length. There is no hidden last
 * error. Several texts of an error may be NULL, such as justcall_error_service_message(): check
 * before you print them.
 *
 * Ownership. A handle that a function stores in `*out`, or that a _new function returns, is yours:
 * pass it once to the _free function of its type, which accepts NULL. Free handles in any order,
 * when no call uses them: a handle keeps alive what it refers to. Text that a function returns is
 * borrowed from the handle that was passed, and lives as long as its comment says. What you pass
 * in is copied and stays yours.
 *
 * Sharing. Clients of a process share one pair, with its generation, rate limit and counters, if
 * they have the same source, base URL, expected account and memory protection. Each call of
 * justcall_config_set_source_callback() makes another source, and so does each justcall_credentials
 * handle. Clients with the source `env:` share only if the environment held the same pair, or none,
 * when they were created.
 *
 * Threads. A function that takes a handle as `const` may be called on it by several threads at
 * once, except that an exchange is for one thread at a time. A function that changes a handle
 * takes it without `const`: for one thread at a time, unless its comment says otherwise. A handle
 * may be freed on any thread. Nothing has to be initialised. The library starts no thread, except
 * to look up names.
 *
 * Signal handlers may call justcall_cancel_fire() and justcall_client_shutdown(), and no other
 * function.
 *
 * fork(). A child may use every handle that it inherits, except exchanges, also if other threads
 * of the parent were inside calls. It opens its own connections and reads the source again at its
 * first call. Its counters start at zero, and it forgets which pairs the service rejected. Both
 * processes then use the callbacks and their `context`.
 *
 * Thread cancellation. pthread_cancel() does not interrupt a call: cancellation is disabled until
 * the call returns, also while it runs your callbacks, and the state that you had set is then
 * restored. A pending request takes effect at the thread's next cancellation point. To end a call
 * early, use justcall_cancel_fire(). Threads whose cancellation type is asynchronous must not call
 * the library, as POSIX demands for nearly every function.
 *
 * Stack. Every function works on a thread with 128 KiB of stack, which is musl's default. The
 * stack that your callbacks use is not included.
 *
 * Text is NUL-terminated UTF-8, paths too, on every system. Secrets and bodies are passed as a
 * pointer and a length; a body is a `const void *`, so that text, such as JSON, needs no cast. A
 * secret is written only into a buffer of yours: `capacity` counts the terminating NUL, `length`
 * does not. A truth value is an int32_t, 0 or 1. If a comment does not say what NULL does, NULL is
 * refused with JUSTCALL_ERROR_INVALID_ARGUMENT.
 *
 * Limits. An API key or secret has at most 512 bytes. A text argument has at most 128 KiB, a path
 * with its query 8 KiB. A response that you pass in has at most 1000 headers; a response that the
 * library reads has at most 64 KiB of headers. A response body has at most
 * justcall_config_set_max_response_length() bytes, the body of an error response 64 KiB, a webhook
 * delivery 1 MiB. A file with a pair, and the output of a `command:` source, have at most 64 KiB.
 * The program of a `command:` source may run for 10 seconds. The library resolves at most 16 names
 * at once, and keeps at most 64 idle connections, each for 30 seconds.
 *
 * Time. A call, retries and waits included, ends at its timeout. The default is 30 seconds. The
 * call waits for a running callback. Functions block only if their comment says so.
 *
 * Retries. A call is retried up to justcall_config_set_max_retries() times, 2 unless set, with
 * growing pauses, and not before the time in `Retry-After`. If that pause would last beyond the
 * call's timeout, the call fails at once. After 429, the library retries every request. After 408,
 * 5xx or a lost connection, it retries GET, HEAD, OPTIONS, PUT and DELETE. It retries another
 * method, such as POST, only if the request was surely not delivered. After 401, the library reads
 * the source; if it has another pair, the request is sent once more with that pair. Nothing else is
 * retried.
 *
 * Rejected pairs. After 401, no client of the process sends the same pair to the same base URL for
 * 30 seconds. In that time a call fails at once with JUSTCALL_ERROR_INVALID_CREDENTIALS, unless the
 * source has another pair or the call waits for one (justcall_config_set_rotation_wait_ms()).
 * Nothing was sent then: justcall_error_request_sent() and justcall_error_attempts() return 0, and
 * justcall_error_retry_after_ms() returns how long the pair is still held back.
 *
 * When the source is read. This is also when `load` of justcall_config_set_source_callback() runs:
 *
 * - At the first call that needs the pair. A webhook to verify counts as a call.
 * - At the next call after a failed read, if no pair has been read yet.
 * - At the first call of a client that is created later, unless the source is the environment.
 * - After the service rejected the pair: at most once a second, or up to four times a second while
 *   calls wait (justcall_config_set_rotation_wait_ms()).
 * - After a delivery that no known secret signed, unless the source is the environment: at the next
 *   call or delivery, at most once a second.
 * - In justcall_client_reload().
 * - A file or folder is also checked for changes by calls, at most once a second.
 *
 * One thread reads at a time. A read that takes over 60 seconds no longer stops others. If a read
 * fails and there is a pair, calls continue with that pair.
 *
 * Environment. The library reads JUSTCALL_CREDENTIALS, JUSTCALL_API_KEY and JUSTCALL_API_SECRET,
 * or the variables that the source names; CREDENTIALS_DIRECTORY; HTTPS_PROXY and NO_PROXY, in
 * capitals or not; SSL_CERT_FILE and SSL_CERT_DIR; and PATH to find the program of a `command:`
 * source. justcall_diagnose_environment() also checks JUSTCALL_WEBHOOK_SECRET. A variable that is
 * empty counts as not set. If only one of the two variables of a pair is set, calls fail with
 * JUSTCALL_ERROR_CREDENTIALS_MALFORMED. A program that has more rights than its user (set-user-ID)
 * reads no variable but PATH. Like getenv(), reading races with setenv() in another thread.
 *
 * The library changes nothing global: no signal handler, no allocator, no locale, no standard
 * stream but for the lines named below, and no environment variable but the two that a source with
 * `?scrub` removes.
 *
 * Server side only: everyone who has the program has the pair that is in it. Do not put a pair
 * into a page, a browser extension or an app for phones; let those ask a server of yours.
 *
 * Memory. If an argument or a response of the service does not fit into memory, the call fails
 * with JUSTCALL_ERROR_OUT_OF_MEMORY and the program goes on. Every other allocation is small.
 *
 * End of the program. The library calls abort() in two cases only. If one of its small allocations
 * fails, it prints a line to standard error first. If the guarded memory of a pair was
 * overwritten, it prints nothing: other code of the program wrote there, and may have written
 * elsewhere too. An internal error prints a line to standard error as well, but does not end the
 * program: the call fails with JUSTCALL_ERROR_INTERNAL.
 *
 * Unloading. On Linux, dlclose() leaves the shared library in memory, because a thread that looks
 * up a name may still run. On other systems do not unload it.
 *
 * Versions. Every function and constant exists since 0.1.0, unless its comment says otherwise. A
 * number of a status, an event or a severity is never given another meaning. Compilers warn if a
 * program ignores the result of a function that is marked JUSTCALL_NODISCARD.
 *
 * Checkers. valgrind reports nothing about the library if it is given justcall_auth.supp, which is
 * beside this header in the sources.
 */

#ifndef JUSTCALL_AUTH_H
#define JUSTCALL_AUTH_H

/* Generated by `cargo xtask header` from crates/justcall-auth-ffi: change that, not this file. */

#include <stddef.h>
#include <stdint.h>

/**
 * Marks functions whose result must be checked: those that create a handle, load a pair, call the
 * service, verify, or return what to do next. Compilers warn if the result is ignored. Other
 * functions that return a justcall_status, such as setters, can fail too. To turn the warning off,
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

/** Marks functions that a later version will not have. There are none yet. */
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
 * The result of a call: JUSTCALL_OK, or one of the JUSTCALL_ERROR_ numbers below. The number of a
 * failure that the service reported is its HTTP status. Later versions may return numbers that
 * this header does not have.
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

/** The pair works, but it belongs to an account other than the expected one. */
#define JUSTCALL_ERROR_WRONG_ACCOUNT 14

/** The call did not finish within its timeout. */
#define JUSTCALL_ERROR_TIMEOUT 20

/** The connection to the service failed. */
#define JUSTCALL_ERROR_CONNECTION_FAILED 21

/** The TLS connection to the service could not be established. */
#define JUSTCALL_ERROR_TLS_FAILED 22

/** The service answered with a redirect, which is never followed. */
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

/** The signature matches, but its time is outside the tolerance. */
#define JUSTCALL_ERROR_WEBHOOK_STALE 33

/** The delivery was signed for a URL other than the expected one. */
#define JUSTCALL_ERROR_WEBHOOK_WRONG_URL 34

/** The version of the signature is missing or unknown. */
#define JUSTCALL_ERROR_WEBHOOK_VERSION 35

/** The replay check has already seen this delivery. */
#define JUSTCALL_ERROR_WEBHOOK_REPLAYED 36

/** An internal error of justcall-auth. */
#define JUSTCALL_ERROR_INTERNAL 90

/** The service refused the request. */
#define JUSTCALL_ERROR_BAD_REQUEST 400

/** The service rejected the API key and secret. */
#define JUSTCALL_ERROR_INVALID_CREDENTIALS 401

/** The credentials are valid, but they do not permit this request. */
#define JUSTCALL_ERROR_FORBIDDEN 403

/** The service has no such path or object. */
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
 * Returns the name of a status, the same in every language: `"invalid_credentials"` for 401,
 * `"ok"` for 0, `"unknown"` for a number that the library in use does not have. Never NULL. The
 * text lives as long as the program. Any thread may call this.
 */
const char *justcall_status_name(justcall_status status);

/* Handles ----------------------------------------------------------------------------------- */

/**
 * The account that a pair belongs to, from justcall_client_verify(). Immutable: any number of
 * threads may use one at once.
 */
typedef struct justcall_account justcall_account;

/**
 * A time limit and a cancel handle for a call: for the functions whose names end in `_with`. One
 * handle may serve any number of calls. For one thread at a time while it is changed; then any
 * number of threads may call with it at once. A call copies it when it starts.
 */
typedef struct justcall_call_options justcall_call_options;

/**
 * Ends calls early, from any thread or from a signal handler. Give it to a request with
 * justcall_request_set_cancel(), or to options with justcall_call_options_set_cancel().
 */
typedef struct justcall_cancel justcall_cancel;

/**
 * A client of the JustCall API. Create one and keep it: it holds the pair and the open
 * connections. Clients share a pair if they have the same source, base URL, expected account and
 * memory protection. Any number of threads may use one at once.
 */
typedef struct justcall_client justcall_client;

/**
 * The settings of clients; what is not set keeps its default. For one thread at a time while it is
 * changed. A client copies what it needs: one configuration makes any number of clients, and later
 * changes to it do not reach them.
 */
typedef struct justcall_config justcall_config;

/**
 * An API key and its secret, checked, in memory of the library that is wiped when the last handle
 * that refers to it is freed. Immutable: any number of threads may use one at once.
 */
typedef struct justcall_credentials justcall_credentials;

/**
 * Why a call failed. Every function that can fail stores one through its last parameter, if that
 * is not NULL. It is yours, to be freed with justcall_error_free(). Immutable: any number of
 * threads may use one at once.
 */
typedef struct justcall_error justcall_error;

/**
 * Something that happened. It belongs to the library and lives while the handler that it was
 * passed to runs: copy what you keep. Its texts are safe to log: they never hold a secret.
 */
typedef struct justcall_event justcall_event;

/**
 * One call with your own HTTP client, such as libcurl or an event loop. It follows the rules of
 * justcall_client_send() for headers, retries, a reset of the pair and the meaning of a response.
 * For one thread at a time, in the process that created it. It keeps alive what it needs of its
 * justcall_client.
 *
 * Call justcall_exchange_next() in a loop: it returns what to do. Only justcall_exchange_load()
 * blocks. Rules for your HTTP client:
 *
 * - It must not follow redirects, because that would send the pair to another host.
 * - Set it up again for each JUSTCALL_ACTION_SEND. Method, URL, headers, body and pair may differ
 *   from those of the request before.
 * - It uses its own CA certificates and proxy. Those of the justcall_client do not apply to it.
 * - It may send `Accept-Encoding` with every encoding that it decodes, such as `br` or `zstd`.
 *   Report decoded bodies; the header `Content-Encoding` may stay.
 * - Report the final response only. Drop interim responses, of HTTP status 100 to 199, together
 *   with their headers.
 * - It makes copies of the pair. The library cannot wipe those: wipe them where you can.
 *
 * While an exchange is to load or to send, other calls that share its pair may wait for it. They
 * continue when you report the result or free the exchange, at its deadline, or after 60 seconds
 * if it has no deadline. So free an exchange that you do not finish.
 */
typedef struct justcall_exchange justcall_exchange;

/**
 * A list of findings, the worst first; empty if nothing is wrong. Immutable: any number of threads
 * may use one at once.
 */
typedef struct justcall_report justcall_report;

/**
 * A request that justcall_client_send() sends: method, path, headers, body. For one thread at a
 * time while it is changed; any number of threads may send one at once.
 */
typedef struct justcall_request justcall_request;

/**
 * A response of the service: status, headers, body. Immutable: any number of threads may use one
 * at once.
 */
typedef struct justcall_response justcall_response;

/**
 * Verifies deliveries of webhooks. Set it up on one thread; then any number of threads may verify
 * with it at once.
 *
 * The body of a delivery is NOT signed, beyond the two fields `webhook_url` and `type`: everyone
 * who has one genuine delivery can send any other data with it. Before you act on the data, fetch
 * the object again through the API: justcall_client_request() of "GET" with the path that
 * justcall_webhook_event_object_path() returns.
 */
typedef struct justcall_webhook justcall_webhook;

/**
 * A verified delivery: all that its signature covers, and nothing of the body's data, which is not
 * signed. Immutable: any number of threads may use one at once.
 */
typedef struct justcall_webhook_event justcall_webhook_event;

/**
 * Loads the pair of a client. Stores credentials in `*out` and returns JUSTCALL_OK. On failure it
 * returns a JUSTCALL_ERROR_ number, with which the call that needs the pair then fails, usually
 * JUSTCALL_ERROR_CREDENTIALS_MISSING or JUSTCALL_ERROR_SOURCE_UNAVAILABLE, and may store an error
 * in `*error`: one of justcall_error_new(), or one that another function of this library stored
 * there. The library owns what is stored, and frees it. `*out` and `*error` are NULL before.
 * `context` is what justcall_config_set_source_callback() was given.
 *
 * The returned number decides:
 *
 * - JUSTCALL_OK with credentials in `*out`: the pair is used. An error in `*error` is ignored.
 * - JUSTCALL_OK without credentials: the call fails with JUSTCALL_ERROR_CREDENTIALS_MISSING.
 * - Another number: the call fails with it. Credentials in `*out` are ignored. Message, hint and
 *   reason come from `*error`, also if the status of that error is another one.
 * - A number that the library does not have: the call fails with
 *   JUSTCALL_ERROR_SOURCE_UNAVAILABLE.
 *
 * If there is no pair yet, a failed load is repeated at the next call. If there is a pair, calls
 * continue with it.
 *
 * Called on the thread of the call that needs the pair; several threads may call it at once. It
 * may use clients that do not share this pair; a call of one that does fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT. It must not unwind or longjmp. No timeout or cancel handle
 * interrupts it.
 */
typedef justcall_status (*justcall_load_fn)(void *context,
                                            justcall_credentials **out,
                                            justcall_error **error);

/**
 * Frees the `context` of a callback, when nothing will call the callback any more. May be called
 * on any thread.
 */
typedef void (*justcall_free_fn)(void *context);

/**
 * Handles an event. `context` is what justcall_config_set_event_handler() was given. `event` and
 * its texts live until the function returns.
 *
 * Called on the thread of the call that caused the event, between two of its steps; several
 * threads may call it at once. The call continues when it returns. The library holds no lock
 * meanwhile, so it may use any client, this one included. It must not free the client, unwind or
 * longjmp.
 */
typedef void (*justcall_event_fn)(void *context, const justcall_event *event);

/**
 * Checks whether a verified delivery was seen before, and remembers it. Returns JUSTCALL_OK if it
 * is new, JUSTCALL_ERROR_WEBHOOK_REPLAYED if not, another JUSTCALL_ERROR_ number if it cannot
 * tell; justcall_webhook_verify() then returns the same. `context` is what
 * justcall_webhook_set_replay_check() was given. `event` lives until the function returns.
 *
 * Called on the thread that verifies; several threads may call it at once. It must not unwind or
 * longjmp.
 */
typedef justcall_status (*justcall_replay_fn)(void *context, const justcall_webhook_event *event);

/* The library ------------------------------------------------------------------------------- */

/** The version of this header; justcall_version() returns that of the library in use. */
#define JUSTCALL_VERSION_MAJOR 0
#define JUSTCALL_VERSION_MINOR 1
#define JUSTCALL_VERSION_PATCH 0

/** The same as one number that grows: 10000 * major + 100 * minor + patch. */
#define JUSTCALL_VERSION_NUMBER 100

/** The same as text. */
#define JUSTCALL_VERSION_STRING "0.1.0"

/**
 * The ABI that this header describes. It grows with every change that programs built before cannot
 * work with. justcall_abi_version() returns that of the library in use.
 */
#define JUSTCALL_ABI_VERSION 0

/**
 * Returns the version of the library in use, such as `"0.1.0"`. Never NULL. The text lives as long
 * as the program. Any thread may call this.
 */
const char *justcall_version(void);

/**
 * Returns the ABI of the library in use. A program that loads the library at run time compares it
 * with JUSTCALL_ABI_VERSION and goes on only if they are equal. Any thread may call this.
 */
uint32_t justcall_abi_version(void);

/**
 * Overwrites `length` bytes at `buffer` with zeros, in a way that compilers do not leave out as
 * they do with memset(): for your own copies of secrets. Does nothing if `buffer` is NULL or
 * `length` is 0, or impossible (over SIZE_MAX / 2). Any thread may call this.
 */
void justcall_wipe(void *buffer, size_t length);

/**
 * Forgets which pairs the service rejected: every client of this process may send them again at
 * once, in place of 30 seconds later. For tests in which a pair is rejected and then made good;
 * other programs do not need it.
 *
 * A call that waits for another pair goes on with the one that was rejected. A request that is
 * answered with 401 after this function returned counts as another rejection. Never fails, does
 * not block, reads no source and sends nothing. Any thread may call this. After fork() it affects
 * the process that calls it.
 */
void justcall_forget_rejections(void);

/* Credentials: an API key and its secret ---------------------------------------------------- */

/**
 * The capacity that a buffer needs to hold any `Authorization` value with its NUL.
 */
#define JUSTCALL_AUTHORIZATION_SIZE 1026

/**
 * Checks an API key and its secret, without asking the service, and copies them. Neither needs a
 * NUL at its end. Your own copies stay yours to wipe: see justcall_wipe().
 *
 * Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if one cannot be sent; the message says which
 * half is wrong and why, never its value. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `key`,
 * `secret` or `out` is NULL or a length is impossible. On success `*out` is yours, to be freed
 * with justcall_credentials_free(); on failure it is NULL. Does not block. Any thread may call
 * this.
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
 * The hint of the error about an unknown source lists them all. A variable that is empty counts as
 * not set.
 *
 * Fails with JUSTCALL_ERROR_CREDENTIALS_MISSING, whose message names every place that was
 * searched; with JUSTCALL_ERROR_CREDENTIALS_MALFORMED; with JUSTCALL_ERROR_SOURCE_UNAVAILABLE; and
 * with JUSTCALL_ERROR_INVALID_ARGUMENT if `source` is not a source or an argument is NULL. On
 * success `*out` is yours, to be freed with justcall_credentials_free(); on failure it is NULL.
 *
 * Blocks until the source is read; a `command:` source runs a program, for 10 seconds at most. Any
 * thread may call this while no other changes the environment.
 */
JUSTCALL_NODISCARD
justcall_status justcall_credentials_load(const char *source,
                                          justcall_credentials **out,
                                          justcall_error **error);

/**
 * Reads an API key and its secret as justcall_credentials_load() does, within the limits of
 * `options`, which may be NULL for none: a `command:` source is stopped at the timeout or when it
 * is cancelled.
 *
 * Fails as justcall_credentials_load() does, and with JUSTCALL_ERROR_CANCELLED.
 */
JUSTCALL_NODISCARD
justcall_status justcall_credentials_load_with(const char *source,
                                               const justcall_call_options *options,
                                               justcall_credentials **out,
                                               justcall_error **error);

/**
 * Returns the ends of the key, to identify the pair in logs: its first four characters, an
 * ellipsis (U+2026) and its last four; of a key shorter than 12 bytes the first character alone.
 * It never has a part of the secret. Returns NULL if `credentials` is NULL. The text lives as long
 * as `credentials`.
 */
const char *justcall_credentials_key_hint(const justcall_credentials *credentials);

/**
 * Writes the value of the `Authorization` header, `key:secret` and a NUL, into `buffer`. Sends
 * nothing. Wipe the buffer with justcall_wipe() when the request is sent. The buffer is the only
 * copy outside the library until your HTTP client copies it, as curl_slist_append() does. The
 * library cannot wipe the copies that your client makes: wipe those too, where you can.
 *
 * Sets `*length`, unless `length` is NULL, to the length without the NUL. If `capacity`, which
 * counts the NUL, is too small, fails with JUSTCALL_ERROR_BUFFER_TOO_SMALL, sets `*length` too,
 * and leaves `buffer` unchanged; JUSTCALL_AUTHORIZATION_SIZE is always enough. Fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if `credentials` is NULL, `buffer` is NULL and `capacity` not 0,
 * or `capacity` is impossible. Does not block. Any thread may call this.
 */
JUSTCALL_NODISCARD
justcall_status justcall_credentials_authorization(const justcall_credentials *credentials,
                                                   char *buffer,
                                                   size_t capacity,
                                                   size_t *length,
                                                   justcall_error **error);

/**
 * Frees the handle. The pair is wiped when no configuration or client refers to it either. Does
 * nothing if `credentials` is NULL.
 */
void justcall_credentials_free(justcall_credentials *credentials);

/* Load callback: a source of your own ------------------------------------------------------- */

/**
 * Creates the error of a load callback that fails: stores it in `*error`, if `error` is not NULL,
 * and returns `status`, so that a callback can end with `return
 * justcall_error_new(JUSTCALL_ERROR_SOURCE_UNAVAILABLE, "The database is down.", error);`
 *
 * `message` says what failed; if it is NULL or empty the message is that of `status`. Bytes that
 * are not UTF-8 are replaced, control characters are removed, secrets of the pairs that clients of
 * this process use are masked, and the message is cut at 512 bytes, between two characters. A
 * secret that no client uses yet is not recognised: leave it out.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `status` is JUSTCALL_OK or not a number that the
 * library in use has. Free the error with justcall_error_free(), unless it is left to the library
 * as the result of a callback. Does not block. Any thread may call this.
 */
justcall_status justcall_error_new(justcall_status status,
                                   const char *message,
                                   justcall_error **error);

/* Configuration: how a client is set up ----------------------------------------------------- */

/**
 * Locked pages, encrypted between calls; the heap if the system refuses to lock memory:
 * justcall_client_protection() reports which, and why. The default.
 */
#define JUSTCALL_MEMORY_AUTO 0

/**
 * Locked pages, else JUSTCALL_ERROR_MEMORY_PROTECTION.
 */
#define JUSTCALL_MEMORY_STRICT 1

/**
 * The heap: wiped when freed, and no more.
 */
#define JUSTCALL_MEMORY_HEAP 2

/**
 * Memory that only the process can read, not even the kernel (memfd_secret), else
 * JUSTCALL_ERROR_MEMORY_PROTECTION. While a process has it, Linux refuses to hibernate.
 */
#define JUSTCALL_MEMORY_SECRETMEM 3

/**
 * Creates a configuration with every default: the pair from `"default:"`, the service itself, a
 * timeout of 30 seconds, 2 retries, the system's certificate authorities. Free it with
 * justcall_config_free(). Returns NULL only on an internal error.
 */
JUSTCALL_NODISCARD justcall_config *justcall_config_new(void);

/**
 * Sets where the pair comes from: a source as for justcall_credentials_load(). It is read at a
 * client's first call, not now. Replaces an earlier source, callback or pair.
 *
 * Creating a client resolves `"default:"`, and compares the environment of `"env:"` with the pair
 * that earlier clients read there. If the environment holds another pair, the new client uses that
 * one, and the earlier clients keep theirs. If it holds the same pair or none, they share the
 * pair. A client reads the environment again only after the service rejected its pair, or in
 * justcall_client_reload().
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `source` is not a source or an argument is NULL;
 * the configuration is then unchanged.
 */
justcall_status justcall_config_set_source(justcall_config *config,
                                           const char *source,
                                           justcall_error **error);

/**
 * Sets a pair that the program already has, in place of a source. `credentials` stays yours and
 * may be freed at once.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL; the configuration is then
 * unchanged.
 */
justcall_status justcall_config_set_credentials(justcall_config *config,
                                                const justcall_credentials *credentials,
                                                justcall_error **error);

/**
 * Sets the function that loads the pair, in place of a source: for pairs in a database or another
 * keychain. See justcall_load_fn. `context` is passed to it, and to `free_context`, which may be
 * NULL, once neither this configuration nor a client made from it will call `load` any more.
 *
 * Replaces an earlier source, callback or pair. The context of an earlier callback is freed by
 * this call, or with the last client that uses it. justcall_config_set_source() and
 * justcall_config_set_credentials() replace a callback in the same way. Clients share a pair only
 * if they were created from this configuration after the same call of this function: a second call
 * makes another source, also with the same `load` and `context`.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `load` is NULL; the configuration is
 * then unchanged, and `context` is not freed.
 */
justcall_status justcall_config_set_source_callback(justcall_config *config,
                                                    justcall_load_fn load,
                                                    void *context,
                                                    justcall_free_fn free_context,
                                                    justcall_error **error);

/**
 * Sets where the service is: `"https://host[:port][/prefix]"`. `http://` is accepted only for a
 * loopback address, because it would send the secret in the clear.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` is not such a URL or an argument is NULL;
 * the configuration is then unchanged.
 */
justcall_status justcall_config_set_base_url(justcall_config *config,
                                             const char *url,
                                             justcall_error **error);

/**
 * Sets the path that justcall_client_verify() requests with GET, such as
 * `"/v2.1/users?per_page=1"`, in place of `/v2/account` and its alternative.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` does not start with a slash, could lead to
 * another host or needs percent-encoding, or if an argument is NULL; the configuration is then
 * unchanged.
 */
justcall_status justcall_config_set_verify_path(justcall_config *config,
                                                const char *path,
                                                justcall_error **error);

/**
 * Sets the time limit of a whole call in milliseconds, retries and waits included. 0 means no
 * limit. Default: 30000.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
 */
justcall_status justcall_config_set_timeout_ms(justcall_config *config,
                                               uint64_t ms,
                                               justcall_error **error);

/**
 * Sets how many retries a call may make, of every kind together. 0 means none. Default: 2.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `n` is negative or `config` is NULL; the
 * configuration is then unchanged.
 */
justcall_status justcall_config_set_max_retries(justcall_config *config,
                                                int32_t n,
                                                justcall_error **error);

/**
 * Sets how long calls wait for another pair, in milliseconds from the moment that the service
 * rejected the one in use. Meanwhile the source is read up to four times a second. A reset of the
 * pair then fails no call, if the new pair comes in that time and before the calls' own timeout.
 * 0, the default, means no wait: a call fails if its source gives no other pair at once.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
 */
justcall_status justcall_config_set_rotation_wait_ms(justcall_config *config,
                                                     uint64_t ms,
                                                     justcall_error **error);

/**
 * Sets the function that is called for each event: see justcall_event_fn. `context` is passed to
 * it, and to `free_context`, which may be NULL, once neither this configuration nor a client or
 * exchange made from it will call `handler` any more. After fork() both are called in the child
 * too. Replaces an earlier handler.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` or `handler` is NULL; the configuration
 * is then unchanged, and `context` is not freed.
 */
justcall_status justcall_config_set_event_handler(justcall_config *config,
                                                  justcall_event_fn handler,
                                                  void *context,
                                                  justcall_free_fn free_context,
                                                  justcall_error **error);

/**
 * Sets a PEM file of certificate authorities to trust in place of the system's. Replaces those of
 * justcall_config_set_ca_pem(). The file is read when a client is created; justcall_client_new()
 * fails if a certificate in it cannot be used. Without it, the environment variables SSL_CERT_FILE
 * and SSL_CERT_DIR name the authorities, if they are set and not empty; certificates there that
 * cannot be used are skipped.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is empty or an argument is NULL; the
 * configuration is then as it was.
 */
justcall_status justcall_config_set_ca_file(justcall_config *config,
                                            const char *path,
                                            justcall_error **error);

/**
 * Sets certificate authorities to trust in place of the system's: `pem_length` bytes of
 * certificates in PEM form, which are copied. For programs that have them in memory. Replaces
 * those of justcall_config_set_ca_file().
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if there is no certificate in `pem` or one that
 * cannot be used, if `pem_length` is over 8 MiB, or if an argument is NULL; the configuration is
 * then unchanged.
 */
justcall_status justcall_config_set_ca_pem(justcall_config *config,
                                           const char *pem,
                                           size_t pem_length,
                                           justcall_error **error);

/**
 * Sets the IP address of this machine that connections come from, such as `"192.0.2.7"` or
 * `"2001:db8::7"`, or `""`, the default, to let the system choose. For accounts that allow API
 * calls from some addresses only, on hosts with several. Addresses of the service, or of the
 * proxy, that are of the other family (IPv4 or IPv6) are skipped.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `address` is not an IP address or an argument is
 * NULL; the configuration is then unchanged. If this machine does not have the address, calls fail
 * with JUSTCALL_ERROR_CONNECTION_FAILED.
 */
justcall_status justcall_config_set_local_address(justcall_config *config,
                                                  const char *address,
                                                  justcall_error **error);

/**
 * Sets the length of the longest response body that calls read, in bytes after decompression. A
 * longer one fails the call with JUSTCALL_ERROR_INVALID_RESPONSE. Of the response in an error, and
 * of one that verifies the pair, at most 64 KiB are read. 0 means no limit. Default: 33554432 (32
 * MiB).
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `config` is NULL.
 */
justcall_status justcall_config_set_max_response_length(justcall_config *config,
                                                        size_t max_length,
                                                        justcall_error **error);

/**
 * Sets a file in which clients record, at most once an hour, that their pair is used. The command
 * `justcall-auth status` reads it to find pairs that nothing uses any more. The file and its
 * folder are created for their owner alone; several processes may share it; it holds no pair. A
 * call never fails because the file cannot be written. By default there is none: the library
 * leaves nothing on a disk by itself.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `path` is empty or an argument is NULL; the
 * configuration is then unchanged.
 */
justcall_status justcall_config_set_state_file(justcall_config *config,
                                               const char *path,
                                               justcall_error **error);

/**
 * Sets the proxy: `"http://[user:password@]host[:port]"`, or `""` for none. User name and password
 * are percent-encoded. The library asks the proxy for a tunnel (CONNECT), so the proxy never sees
 * the pair. A plain `http://` base URL never goes through a proxy.
 *
 * By default the environment variable HTTPS_PROXY names the proxy, except for loopback hosts and
 * for those that an entry of NO_PROXY covers: `*`; a domain, with all below it; an address; a
 * network such as `10.0.0.0/8`; domains and addresses also with a port. Entries are separated by
 * commas or blanks. Both variables are read when the client is created, and a proxy that cannot be
 * used is an error only if the base URL would use it.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` is not such a URL or an argument is NULL;
 * the configuration is then unchanged.
 */
justcall_status justcall_config_set_proxy(justcall_config *config,
                                          const char *url,
                                          justcall_error **error);

/**
 * Sets the account that the pair must belong to. Every call fails with
 * JUSTCALL_ERROR_WRONG_ACCOUNT if the pair belongs to another account, or if the service does not
 * name the account. The library then requests only the account.
 *
 * When measured, the JustCall service did not name the account of a pair. So every call to it
 * fails if an account is expected.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `id` is 0 or `config` is NULL. To expect no
 * particular account, do not set it.
 */
justcall_status justcall_config_set_expected_account(justcall_config *config,
                                                     uint64_t id,
                                                     justcall_error **error);

/**
 * Sets how well the pair is protected in memory between calls: one of the JUSTCALL_MEMORY numbers.
 * If the system refuses it, the first call that needs the pair fails.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `level` is none of them or `config` is NULL; the
 * configuration is then unchanged.
 */
justcall_status justcall_config_set_memory_protection(justcall_config *config,
                                                      int32_t level,
                                                      justcall_error **error);

/**
 * Frees a configuration. Clients made from it live on. Does nothing if `config` is NULL.
 */
void justcall_config_free(justcall_config *config);

/* Client: calls of the service -------------------------------------------------------------- */

/**
 * The size of a buffer that holds any text of justcall_client_usage() and of
 * justcall_webhook_usage().
 */
#define JUSTCALL_USAGE_SIZE (32 * 1024)

/**
 * Creates a client from `config`, or with every default if `config` is NULL. `config` stays yours
 * and may be freed at once. Reads the CA file, if one is set. Asks nothing of the service and does
 * not read the pair: the first call does.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `out` is NULL, if the CA file cannot be read or
 * holds no certificate, or if the environment names a proxy that cannot be used. On success `*out`
 * is yours, to be freed with justcall_client_free(); on failure it is NULL. Any thread may call
 * this while no other changes the environment.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_new(const justcall_config *config,
                                    justcall_client **out,
                                    justcall_error **error);

/**
 * Asks the service whether the pair is good, and which account it belongs to: `/v2/account` and,
 * if the service has no such page, `/v2.1/users?per_page=1`, which proves the pair without the
 * account's details. Blocks at most for the client's timeout.
 *
 * If the service names the account, a pair that the source gives later must belong to it: the pair
 * proves that before anything else is sent with it, else the call fails with
 * JUSTCALL_ERROR_WRONG_ACCOUNT. If the account is not known, because nothing was verified or the
 * service does not name it, a pair of another account is used without notice. Set the expected
 * account to rule that out.
 *
 * Fails with JUSTCALL_ERROR_INVALID_CREDENTIALS if the service rejects the pair. For 30 seconds
 * after that, the same pair is not sent again: another call fails with the same status at once,
 * with justcall_error_request_sent() and justcall_error_attempts() 0, unless the source has
 * another pair. Fails with any other status, except those for buffers and webhooks, if the service
 * cannot be reached or gives an unexpected answer. On success `*out` is yours, to be freed with
 * justcall_account_free(); on failure it is NULL. Any number of threads may call this on one
 * client.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_verify(const justcall_client *client,
                                       justcall_account **out,
                                       justcall_error **error);

/**
 * Verifies the pair as justcall_client_verify() does, within the limits of `options`, which may be
 * NULL for none.
 *
 * Fails as justcall_client_verify() does, and with JUSTCALL_ERROR_CANCELLED.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_verify_with(const justcall_client *client,
                                            const justcall_call_options *options,
                                            justcall_account **out,
                                            justcall_error **error);

/**
 * Sends a request and returns the response. `request` stays yours and may be sent again. Blocks at
 * most for the timeout of the request, or else of the client.
 *
 * A response of 300 or more is a failure, with the status that says why; justcall_error_response()
 * returns its headers and body. Fails with JUSTCALL_ERROR_INVALID_RESPONSE if the response cannot
 * be read: its body is not the gzip data that `Content-Encoding` promises or has another encoding,
 * it is too long, or its headers are folded over several lines. Fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if an argument other than `error` is NULL. On success `*out` is
 * yours, to be freed with justcall_response_free(); on failure it is NULL. Any number of threads
 * may call this on one client.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_send(const justcall_client *client,
                                     const justcall_request *request,
                                     justcall_response **out,
                                     justcall_error **error);

/**
 * Sends a request without more headers: the short form of justcall_request_new(),
 * justcall_request_set_body() and justcall_client_send(). `body` is `body_length` bytes, or NULL
 * with a length of 0 for none.
 *
 * `path` may also be a URL under the client's base URL, such as the `next_page_link` of a
 * response. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if it is any other URL, and sends nothing
 * then. Otherwise fails, blocks and returns as those functions do.
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
 * Proves another pair as justcall_client_verify() does and, if it is good, uses it from then on,
 * for all clients of the process that share this one's pair. `credentials` stays yours. The source
 * is not written: write the same pair there, or the next read of the source brings the old one
 * back.
 *
 * Fails as justcall_client_verify() does, about `credentials`, and with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if `client` or `credentials` is NULL; the pair in use is then
 * unchanged. Blocks at most for the client's timeout. Any number of threads may call this on one
 * client.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_replace(justcall_client *client,
                                        const justcall_credentials *credentials,
                                        justcall_error **error);

/**
 * Replaces the pair as justcall_client_replace() does, within the limits of `options`, which may
 * be NULL for none.
 *
 * Fails as justcall_client_replace() does, and with JUSTCALL_ERROR_CANCELLED.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_replace_with(justcall_client *client,
                                             const justcall_credentials *credentials,
                                             const justcall_call_options *options,
                                             justcall_error **error);

/**
 * Reads the source now, and asks nothing of the service. Sets `*changed`, unless `changed` is
 * NULL, to 1 if the source has another pair than before, which the next call then proves and
 * uses, else to 0. Calls read the source by themselves: a file or folder at most once a second,
 * any other source when the service rejects the pair. Call this to have it read sooner.
 *
 * Fails as justcall_credentials_load() does, and with JUSTCALL_ERROR_INVALID_ARGUMENT if `client`
 * is NULL; the pair in use is then unchanged. Blocks at most for the client's timeout. Any number
 * of threads may call this on one client.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_reload(justcall_client *client,
                                       int32_t *changed,
                                       justcall_error **error);

/**
 * Reads the source as justcall_client_reload() does, within the limits of `options`, which may be
 * NULL for none.
 *
 * Fails as justcall_client_reload() does, and with JUSTCALL_ERROR_CANCELLED.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_reload_with(justcall_client *client,
                                            const justcall_call_options *options,
                                            int32_t *changed,
                                            justcall_error **error);

/**
 * Ends every call of this client, under way or started later, with JUSTCALL_ERROR_CANCELLED, as
 * justcall_cancel_fire() does; exchanges too, at their next step. Use it to get threads back
 * before the client is freed. Other clients that share its pair are not affected. Does nothing if
 * `client` is NULL.
 *
 * Does not block and takes no lock. Any thread may call this at any time, and so may a signal
 * handler: the function is async-signal-safe.
 */
void justcall_client_shutdown(justcall_client *client);

/**
 * Writes the value of the `Authorization` header as justcall_credentials_authorization() does, of
 * the pair that the client's calls use now: for a request that you send yourself. Reads the source
 * if no call has read it yet; then it blocks, and fails as justcall_credentials_load() does too.
 * Any number of threads may call this on one client.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_authorization(const justcall_client *client,
                                              char *buffer,
                                              size_t capacity,
                                              size_t *length,
                                              justcall_error **error);

/**
 * Writes the value of the `Authorization` header as justcall_client_authorization() does. A source
 * that has to be read first is read within the limits of `options`, which may be NULL for none.
 *
 * Fails as justcall_client_authorization() does, and with JUSTCALL_ERROR_CANCELLED.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_authorization_with(const justcall_client *client,
                                                   const justcall_call_options *options,
                                                   char *buffer,
                                                   size_t capacity,
                                                   size_t *length,
                                                   justcall_error **error);

/**
 * Reports how the pair is protected in memory between calls: a report of one finding, whose code
 * is `"locked"`, `"secretmem"` or `"heap"`. If that is less than was asked for, its severity is
 * JUSTCALL_SEVERITY_WARNING and its remedy says why; else its severity is JUSTCALL_SEVERITY_NOTE.
 *
 * Fails with JUSTCALL_ERROR_MEMORY_PROTECTION if the system refuses what was asked for. Reads the
 * source if no call has read it yet; then it blocks, and fails as justcall_credentials_load() does
 * too. On success `*out` is yours, to be freed with justcall_report_free(); on failure it is NULL.
 * Any number of threads may call this on one client.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_protection(const justcall_client *client,
                                           justcall_report **out,
                                           justcall_error **error);

/**
 * Reports the protection as justcall_client_protection() does. A source that has to be read first
 * is read within the limits of `options`, which may be NULL for none.
 *
 * Fails as justcall_client_protection() does, and with JUSTCALL_ERROR_CANCELLED.
 */
JUSTCALL_NODISCARD
justcall_status justcall_client_protection_with(const justcall_client *client,
                                                const justcall_call_options *options,
                                                justcall_report **out,
                                                justcall_error **error);

/**
 * Returns the generation of the pair in use. The first pair of the clients that share it has
 * generation 1. Each pair that replaces the one in use has the next number. Returns 0 if no call
 * has read a pair yet or `client` is NULL. Reads no source and does not block. Any number of
 * threads may call this at once.
 */
uint64_t justcall_client_generation(const justcall_client *client);

/**
 * Returns a figure of the account's rate limit as the last response to a client that shares this
 * one's pair reports it: `which` is one of the JUSTCALL_RATE_LIMIT numbers. Returns -1 if no
 * response has reported it, if `which` is none of them, or if `client` is NULL. Asks nothing and
 * does not block. Any number of threads may call this at once.
 */
int64_t justcall_client_rate_limit(const justcall_client *client, int32_t which);

/**
 * Copies the ends of the key of the pair in use into `buffer`, NUL-terminated, as
 * justcall_credentials_key_hint() returns them: to identify the pair in logs. The text is empty if
 * no call has read a pair yet. It is UTF-8; 16 bytes are enough for any.
 *
 * Stores the length without the NUL in `*length`, unless `length` is NULL. Fails with
 * JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is not greater than that, and with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if `client` is NULL, or `buffer` is NULL and `capacity` is not
 * 0. Reads no source and does not block. Any number of threads may call this at once.
 */
justcall_status justcall_client_key_hint(const justcall_client *client,
                                         char *buffer,
                                         size_t capacity,
                                         size_t *length,
                                         justcall_error **error);

/**
 * Copies what the clients that share this one's pair did so far, and the state of the pair, into
 * `buffer`, NUL-terminated: OpenMetrics 1.0 text, which Prometheus and most monitors read, with
 * the type `application/openmetrics-text; version=1.0.0; charset=utf-8`. It includes the results
 * of webhooks that are verified with the secrets of these clients. The text holds no secret and
 * nothing that identifies the pair.
 *
 * Stores the length without the NUL in `*length`, unless `length` is NULL. Fails with
 * JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is not greater than that; the text grows from call
 * to call, but a capacity of JUSTCALL_USAGE_SIZE is always enough. Fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if `client` is NULL, or `buffer` is NULL and `capacity` is not
 * 0. Asks nothing, reads no source and does not block. Any number of threads may call this on one
 * client.
 */
justcall_status justcall_client_usage(const justcall_client *client,
                                      char *buffer,
                                      size_t capacity,
                                      size_t *length,
                                      justcall_error **error);

/**
 * Frees a client, which no call may use any more. Accounts and errors that came from it live on.
 * Does nothing if `client` is NULL.
 */
void justcall_client_free(justcall_client *client);

/* Events: what happens to the pair and to calls --------------------------------------------- */

/**
 * Another pair was proven and is in use now.
 */
#define JUSTCALL_EVENT_ROTATED 1

/**
 * The service rejected a new pair, or it belongs to another account: the one in use stays.
 */
#define JUSTCALL_EVENT_CANDIDATE_REJECTED 2

/**
 * The service rejected the pair in use.
 */
#define JUSTCALL_EVENT_PAIR_REJECTED 3

/**
 * Calls wait until the source has another pair: see justcall_config_set_rotation_wait_ms().
 */
#define JUSTCALL_EVENT_WAITING_FOR_SOURCE 4

/**
 * A call is retried, after a wait.
 */
#define JUSTCALL_EVENT_RETRYING 5

/**
 * Less than a tenth of the account's rate limit is left.
 */
#define JUSTCALL_EVENT_RATE_LIMIT_LOW 6

/**
 * The source gave another pair: the next call proves it.
 */
#define JUSTCALL_EVENT_SOURCE_CHANGED 7

/**
 * The pair in use is 90 days old or older: rotate it. Reported once a pair.
 */
#define JUSTCALL_EVENT_ROTATION_DUE 8

/**
 * A minute has more than twice the requests of the busiest one before it, and more than 60.
 * Reported once an hour at most; the message has the figures.
 */
#define JUSTCALL_EVENT_USAGE_SPIKE 9

/**
 * Returns the kind of `event`: one of the JUSTCALL_EVENT numbers, or one that a later library has.
 * Returns 0 if `event` is NULL.
 */
int32_t justcall_event_kind(const justcall_event *event);

/**
 * Returns the name of the kind of `event`, such as `"rotated"`: the same in every language. Never
 * NULL, `"none"` if `event` is NULL. The text lives as long as `event`.
 */
const char *justcall_event_name(const justcall_event *event);

/**
 * Returns what happened, in one or more sentences. Safe to log. Never NULL, empty if `event` is
 * NULL. The text lives as long as `event`.
 */
const char *justcall_event_message(const justcall_event *event);

/**
 * Returns the generation of the pair that `event` is about, as justcall_client_generation()
 * counts. A pair that is not in use yet has the number that it gets if it is taken into use.
 * Returns 0 if `event` is about no pair or is NULL.
 */
uint64_t justcall_event_generation(const justcall_event *event);

/**
 * Returns the HTTP status that caused `event`. Returns 0 if none did or `event` is NULL.
 */
int32_t justcall_event_http_status(const justcall_event *event);

/**
 * Returns how many milliseconds the call waits now: exactly for JUSTCALL_EVENT_RETRYING, at most
 * for JUSTCALL_EVENT_WAITING_FOR_SOURCE. Returns 0 if it does not wait or `event` is NULL.
 */
uint64_t justcall_event_wait_ms(const justcall_event *event);

/* Request: what to send --------------------------------------------------------------------- */

/**
 * Creates a request of `method`, an HTTP method in capitals such as `"POST"`, for `path`, which
 * starts with a slash, is joined to the base URL, is percent-encoded already and may hold a query.
 * The request carries `Accept` and `Content-Type: application/json` unless you set others.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL, if `method` is not such a
 * method, or if `path` is a full URL or could become one (`//host`, dot segments, backslashes,
 * control characters, spaces, a fragment, anything outside ASCII). On success `*out` is yours, to
 * be freed with justcall_request_free(); on failure it is NULL.
 */
JUSTCALL_NODISCARD
justcall_status justcall_request_new(const char *method,
                                     const char *path,
                                     justcall_request **out,
                                     justcall_error **error);

/**
 * Adds `name=value` to the query. Both are percent-encoded for you.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL or the path would become
 * longer than 8 KiB; the request is then unchanged.
 */
justcall_status justcall_request_add_query(justcall_request *request,
                                           const char *name,
                                           const char *value,
                                           justcall_error **error);

/**
 * Sets a header. Replaces a header of the same name, whatever its upper and lower case.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL, if `name` is not a header
 * name or is one that only the library sets (`Authorization`, `Host`, those that frame the message
 * or belong to one connection), if `value` holds a control character or a space at an end, or if
 * `Accept-Encoding` accepts an encoding other than `gzip` and `identity`, which the library would
 * not decode; the request is then unchanged.
 */
justcall_status justcall_request_set_header(justcall_request *request,
                                            const char *name,
                                            const char *value,
                                            justcall_error **error);

/**
 * Sets the body: `body_length` bytes of any kind, such as the text of a JSON document, which are
 * copied. NULL with a length of 0 sets an empty body.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` is NULL, or if `body` is NULL and its
 * length is not 0; the request is then unchanged.
 */
justcall_status justcall_request_set_body(justcall_request *request,
                                          const void *body,
                                          size_t body_length,
                                          justcall_error **error);

/**
 * Limits each call of this request to `ms` milliseconds, in place of the client's timeout. 0 means
 * no limit.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `request` is NULL.
 */
justcall_status justcall_request_set_timeout_ms(justcall_request *request,
                                                uint64_t ms,
                                                justcall_error **error);

/**
 * Lets `cancel` end the calls of this request: see justcall_cancel_fire(). Replaces an earlier
 * one. `cancel` stays yours and may be freed at once, though then it cannot be fired any more.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL; the request is then
 * unchanged.
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
 * Creates options that change nothing: the timeout is the client's, and nothing cancels the call.
 * Free them with justcall_call_options_free(). Returns NULL only on an internal error.
 */
JUSTCALL_NODISCARD justcall_call_options *justcall_call_options_new(void);

/**
 * Limits calls with these options to `ms` milliseconds each, in place of the client's timeout. 0
 * means no limit.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `options` is NULL.
 */
justcall_status justcall_call_options_set_timeout_ms(justcall_call_options *options,
                                                     uint64_t ms,
                                                     justcall_error **error);

/**
 * Lets `cancel` end calls with these options: see justcall_cancel_fire(). Replaces an earlier one.
 * `cancel` stays yours and may be freed at once, though then it cannot be fired any more.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument is NULL; the options are then
 * unchanged.
 */
justcall_status justcall_call_options_set_cancel(justcall_call_options *options,
                                                 const justcall_cancel *cancel,
                                                 justcall_error **error);

/**
 * Frees options; calls that were started with them go on. Does nothing if `options` is NULL.
 */
void justcall_call_options_free(justcall_call_options *options);

/* Cancel: ends calls early ------------------------------------------------------------------ */

/**
 * Creates a cancel handle. Free it with justcall_cancel_free(). Returns NULL only on an internal
 * error.
 */
JUSTCALL_NODISCARD justcall_cancel *justcall_cancel_new(void);

/**
 * Ends the calls that `cancel` was given to, with JUSTCALL_ERROR_CANCELLED: those that are under
 * way within about 50 ms, whatever they wait for, and those that start later at once. A load
 * callback or an event handler that is running is not interrupted; the call ends when it returns.
 * A handle stays fired. Does nothing if `cancel` is NULL.
 *
 * Does not block and takes no lock. Any thread may call this at any time, and so may a signal
 * handler: the function is async-signal-safe.
 */
void justcall_cancel_fire(justcall_cancel *cancel);

/**
 * Frees the handle. Requests and options that it was given to, and their calls, live on. Does
 * nothing if `cancel` is NULL.
 */
void justcall_cancel_free(justcall_cancel *cancel);

/* Response: what the service answered ------------------------------------------------------- */

/**
 * How many requests the account's rate limit allows in its window.
 */
#define JUSTCALL_RATE_LIMIT 0

/**
 * How many of them are left.
 */
#define JUSTCALL_RATE_LIMIT_REMAINING 1

/**
 * When the window opens again, in seconds since 1970-01-01 UTC.
 */
#define JUSTCALL_RATE_LIMIT_RESET 2

/**
 * As JUSTCALL_RATE_LIMIT, for the short window beside the long one.
 */
#define JUSTCALL_RATE_LIMIT_BURST 3

/**
 * As JUSTCALL_RATE_LIMIT_REMAINING, for the short window.
 */
#define JUSTCALL_RATE_LIMIT_BURST_REMAINING 4

/**
 * As JUSTCALL_RATE_LIMIT_RESET, for the short window.
 */
#define JUSTCALL_RATE_LIMIT_BURST_RESET 5

/**
 * Returns the HTTP status. Returns 0 if `response` is NULL.
 */
int32_t justcall_response_http_status(const justcall_response *response);

/**
 * Returns the whole body, after decompression, and sets `*length`, unless `length` is NULL, to its
 * length in bytes. A byte order mark at its beginning is kept. The body is not NUL-terminated.
 * Returns NULL, with a length of 0, only if `response` is NULL; an empty body is not NULL. Lives
 * as long as `response`.
 */
const void *justcall_response_body(const justcall_response *response, size_t *length);

/**
 * Returns the value of the first header with this name. Upper and lower case do not matter. Bytes
 * that are not UTF-8 are replaced by U+FFFD. Returns NULL if there is none or an argument is NULL.
 * The text lives as long as `response`.
 */
const char *justcall_response_header(const justcall_response *response, const char *name);

/**
 * Returns how many headers there are; repeated ones count each. Returns 0 if `response` is NULL.
 */
size_t justcall_response_header_count(const justcall_response *response);

/**
 * Returns the name of header number `index`, from 0, in the order they came, in lower case.
 * Returns NULL if there is no such header or `response` is NULL. The text lives as long as
 * `response`.
 */
const char *justcall_response_header_name(const justcall_response *response, size_t index);

/**
 * Returns the value of header number `index`, as justcall_response_header_name() counts. Returns
 * NULL if there is no such header or `response` is NULL. The text lives as long as `response`.
 */
const char *justcall_response_header_value(const justcall_response *response, size_t index);

/**
 * Returns a figure of the account's rate limit as this response reports it, in either spelling of
 * the service's headers: `which` is one of the JUSTCALL_RATE_LIMIT numbers. Returns -1 if the
 * response does not report it, if `which` is none of them, or if `response` is NULL.
 */
int64_t justcall_response_rate_limit(const justcall_response *response, int32_t which);

/**
 * Frees a response and all that was borrowed from it. Do not free one that belongs to an error.
 * Does nothing if `response` is NULL.
 */
void justcall_response_free(justcall_response *response);

/* Account: which one a pair belongs to ------------------------------------------------------ */

/**
 * Returns the account's number. Returns 0 if the service did not name it or `account` is NULL.
 */
uint64_t justcall_account_id(const justcall_account *account);

/**
 * Returns the account's e-mail address. Returns NULL if the service did not name it or `account`
 * is NULL. The text lives as long as `account`.
 */
const char *justcall_account_email(const justcall_account *account);

/**
 * Returns the account's plan, such as `"Pro"`. Returns NULL if the service did not name it or
 * `account` is NULL. The text lives as long as `account`.
 */
const char *justcall_account_plan(const justcall_account *account);

/**
 * Returns the path whose response proved the pair, such as `"/v2/account"`. Returns NULL if
 * `account` is NULL. The text lives as long as `account`.
 */
const char *justcall_account_verified_by(const justcall_account *account);

/**
 * Frees an account and every text borrowed from it. Does nothing if `account` is NULL.
 */
void justcall_account_free(justcall_account *account);

/* Webhook: verifies deliveries -------------------------------------------------------------- */

/** Accepts deliveries for every URL: check justcall_webhook_event_url(). */
#define JUSTCALL_ANY_URL "*"

/**
 * Creates a verifier of deliveries for `expected_url`, written exactly as it is registered in
 * JustCall, or for every URL if it is JUSTCALL_ANY_URL. A delivery whose time is more than
 * `tolerance_s` seconds from yours, in the past or in the future, is refused: 600 is usual; 0
 * accepts those of the same second alone. The verifier needs a secret before it can verify:
 * justcall_webhook_use_client() or justcall_webhook_add_secret().
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `expected_url` is not a whole URL or an argument
 * is NULL. On success `*out` is yours, to be freed with justcall_webhook_free(); on failure it is
 * NULL.
 */
JUSTCALL_NODISCARD
justcall_status justcall_webhook_new(const char *expected_url,
                                     uint64_t tolerance_s,
                                     justcall_webhook **out,
                                     justcall_error **error);

/**
 * Accepts deliveries for `url` as well.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `url` is not a whole URL, if every URL is accepted
 * already, or if an argument is NULL; the verifier is then unchanged.
 */
justcall_status justcall_webhook_add_url(justcall_webhook *webhook,
                                         const char *url,
                                         justcall_error **error);

/**
 * Accepts deliveries that are signed with `secret`, the API secret of the account; webhooks have
 * no other. It is copied; your copy stays yours to wipe. Add the current one first, then those
 * that it replaced a short while ago.
 *
 * Fails with JUSTCALL_ERROR_CREDENTIALS_MALFORMED if it cannot be a secret, and says why. Fails
 * with JUSTCALL_ERROR_INVALID_ARGUMENT after justcall_webhook_use_client(), or if an argument is
 * NULL or the length is impossible. The verifier is then unchanged.
 */
justcall_status justcall_webhook_add_secret(justcall_webhook *webhook,
                                            const char *secret,
                                            size_t secret_length,
                                            justcall_error **error);

/**
 * Takes the secrets from a client at each delivery: that of its pair, then for a while that of the
 * pair before. `client` stays yours and may be freed at once. Replaces an earlier client.
 *
 * Does not block itself. A delivery that comes before any call has read the client's pair waits in
 * justcall_webhook_verify() until it is read, at most for the client's timeout: call
 * justcall_client_verify() or justcall_client_reload() when the receiver starts. If the source
 * cannot be read, the delivery fails with the status of that failure. For a second after that,
 * deliveries do not run a program or callback again: they fail with the same status.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT after justcall_webhook_add_secret(), or if an
 * argument is NULL; the verifier is then unchanged.
 */
justcall_status justcall_webhook_use_client(justcall_webhook *webhook,
                                            const justcall_client *client,
                                            justcall_error **error);

/**
 * Sets the function that is asked about every delivery that passed all other checks; the library
 * itself remembers nothing, as two genuine events of one type in one second have the same
 * signature. `context` is passed to it, and to `free_context`, which may be NULL, once the
 * verifier is freed or gets another check. Replaces an earlier check.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` or `check` is NULL; the verifier is then
 * unchanged, and `context` is not freed.
 */
justcall_status justcall_webhook_set_replay_check(justcall_webhook *webhook,
                                                  justcall_replay_fn check,
                                                  void *context,
                                                  justcall_free_fn free_context,
                                                  justcall_error **error);

/**
 * Verifies one delivery. `signature`, `version` and `timestamp` are the values of the headers
 * x-justcall-signature, x-justcall-signature-version and x-justcall-request-timestamp, as they
 * came, or NULL if there is none. An empty value counts as none. If a header occurs twice, pass
 * its values joined with ", ": the delivery is then refused. `body` is the `body_length` bytes
 * that came, and `now_unix` the time in seconds since 1970-01-01 UTC, such as from time(). Counts
 * the result, for justcall_webhook_usage() and the client's justcall_client_usage().
 *
 * Fails with the first of these that holds:
 *
 * - JUSTCALL_ERROR_INVALID_ARGUMENT: `webhook` or `out` is NULL, a length is impossible, or the
 *   verifier has no secret.
 * - JUSTCALL_ERROR_WEBHOOK_UNSIGNED: the signature is missing or empty, as in the probe that
 *   JustCall sends when a URL is saved. Log it: behind a proxy that removes the headers, every
 *   genuine delivery looks like the probe.
 * - JUSTCALL_ERROR_WEBHOOK_VERSION: the version is missing or unknown.
 * - JUSTCALL_ERROR_WEBHOOK_MALFORMED: the signature is not 64 hexadecimal digits, the timestamp is
 *   missing or not a time, or the body is over 1 MiB, not UTF-8 or not the JSON of a delivery.
 *   A signature or timestamp that is not UTF-8 is malformed too.
 * - The failure of the client's source, if the secrets come from a client.
 * - JUSTCALL_ERROR_WEBHOOK_MISMATCH, _STALE, _WRONG_URL, _REPLAYED, or what the replay check
 *   returns.
 *
 * The HTTP status to answer with:
 *
 * - 200 for JUSTCALL_OK, after the event was handled.
 * - 200 and nothing else for JUSTCALL_ERROR_WEBHOOK_UNSIGNED: the probe expects it.
 * - 200 for JUSTCALL_ERROR_WEBHOOK_REPLAYED. Do not act on the delivery again.
 * - 401 for every other JUSTCALL_ERROR_WEBHOOK status.
 * - 500 for every other status, such as that of a source. JustCall sends the delivery again after
 *   every answer other than 200.
 *
 * On success `*out` is yours, to be freed with justcall_webhook_event_free(); on failure it is
 * NULL.
 *
 * Blocks only if the secrets are those of a client whose pair has to be read. Any number of
 * threads may call this on one verifier.
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
 * Verifies one delivery as justcall_webhook_verify() does. If the secrets come from a client whose
 * pair has to be read first, that is done within the limits of `options`, which may be NULL for
 * none, in place of the client's timeout. Secrets that were given need no limit.
 *
 * Fails as justcall_webhook_verify() does, and with JUSTCALL_ERROR_TIMEOUT or
 * JUSTCALL_ERROR_CANCELLED.
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
 * Copies the results of the verifications that this verifier made in this process into `buffer`,
 * NUL-terminated: OpenMetrics 1.0 text, as that of justcall_client_usage(). It has the counter
 * `justcall_auth_webhooks_total`, whose label `result` is `ok` or the name of the status that
 * justcall_webhook_verify() returned. Calls with an argument that is NULL or a length that is
 * impossible are not counted. The text holds no secret, URL or content of a delivery.
 *
 * justcall_client_usage() of a client has the results of all verifiers that use its secrets. Serve
 * one of the two texts to a monitor: a sum over both counts each delivery twice.
 *
 * Stores the length without the NUL in `*length`, unless `length` is NULL. Fails with
 * JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is not greater than that; a capacity of
 * JUSTCALL_USAGE_SIZE is always enough. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `webhook` is
 * NULL, or `buffer` is NULL and `capacity` is not 0. Does not block. Any number of threads may
 * call this on one verifier. A child of fork() starts at zero.
 */
justcall_status justcall_webhook_usage(const justcall_webhook *webhook,
                                       char *buffer,
                                       size_t capacity,
                                       size_t *length,
                                       justcall_error **error);

/**
 * Frees a verifier. Events that came from it live on. Does nothing if `webhook` is NULL.
 */
void justcall_webhook_free(justcall_webhook *webhook);

/* Webhook event: a verified delivery -------------------------------------------------------- */

/**
 * Returns the URL that the delivery was signed for: one of those expected, or any if every URL is
 * accepted. Returns NULL if `event` is NULL. The text lives as long as `event`.
 */
const char *justcall_webhook_event_url(const justcall_webhook_event *event);

/**
 * Returns the event's type, such as `"call.completed"`. Returns NULL if `event` is NULL. The text
 * lives as long as `event`.
 */
const char *justcall_webhook_event_type(const justcall_webhook_event *event);

/**
 * Returns when the delivery was signed, in seconds since 1970-01-01 UTC. Returns 0 if `event` is
 * NULL.
 */
int64_t justcall_webhook_event_timestamp(const justcall_webhook_event *event);

/**
 * Returns which secret signed the delivery: its place in the order in which secrets were added,
 * from 0. Of a client, 0 is the current pair. Returns 0 if `event` is NULL.
 */
size_t justcall_webhook_event_secret_index(const justcall_webhook_event *event);

/**
 * Returns the signature as 64 lower-case hexadecimal digits, however it was written: the same for
 * every repetition of this delivery, but also for another event of the type in the same second.
 * Returns NULL if `event` is NULL. The text lives as long as `event`.
 */
const char *justcall_webhook_event_signature(const justcall_webhook_event *event);

/**
 * Copies the path at which the API has the object that the event is about, such as
 * `"/v2.1/calls/123456789"`, into `buffer`, NUL-terminated. `body` is the `body_length` bytes that
 * were verified. What justcall_client_request() returns for "GET" of that path is true, whereas
 * the body may be forged.
 *
 * Knows the types that start with `call.`, `jc.call_`, `sd.call_`, `sms.` or `jc.contact_`. Fails
 * with JUSTCALL_ERROR_INVALID_ARGUMENT for any other type, also if the delivery is genuine:
 * request the object by its path in the API reference, or ignore such events and answer 200.
 *
 * Stores the length without the NUL in `*length`, unless `length` is NULL. Fails with
 * JUSTCALL_ERROR_BUFFER_TOO_SMALL if `capacity` is not greater than that; 128 bytes are enough.
 * Fails with JUSTCALL_ERROR_WEBHOOK_MALFORMED if the body names no object. Also fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if `event` is NULL, or if `buffer` is NULL and `capacity` is not
 * 0. Does not block.
 */
justcall_status justcall_webhook_event_object_path(const justcall_webhook_event *event,
                                                   const void *body,
                                                   size_t body_length,
                                                   char *buffer,
                                                   size_t capacity,
                                                   size_t *length,
                                                   justcall_error **error);

/**
 * Frees an event and every text borrowed from it. Does nothing if `event` is NULL.
 */
void justcall_webhook_event_free(justcall_webhook_event *event);

/* Exchange: a call with your own HTTP client ------------------------------------------------ */

/**
 * Send the request: justcall_exchange_method() and the functions after it describe it,
 * justcall_exchange_authorization() writes its `Authorization` header. Set up your HTTP client
 * again each time. Stop after `wait_ms` milliseconds. Then report the result with
 * justcall_exchange_answered() or justcall_exchange_failed().
 */
#define JUSTCALL_ACTION_SEND 1

/**
 * Call justcall_exchange_next() again after `wait_ms` milliseconds. Several short waits in a row
 * are normal, for example 20 milliseconds each while another call reads the source.
 */
#define JUSTCALL_ACTION_WAIT 2

/**
 * Call justcall_exchange_load(). It may block, so run it on a worker thread if you have an event
 * loop.
 */
#define JUSTCALL_ACTION_LOAD 3

/**
 * The call has succeeded: justcall_exchange_response() gives the response.
 */
#define JUSTCALL_ACTION_DONE 4

/**
 * The host's address was not found.
 */
#define JUSTCALL_CAUSE_RESOLVE 1

/**
 * No connection was made.
 */
#define JUSTCALL_CAUSE_CONNECT 2

/**
 * The TLS handshake failed, for example because the certificate is not trusted.
 */
#define JUSTCALL_CAUSE_TLS 3

/**
 * Your HTTP client ran out of time.
 */
#define JUSTCALL_CAUSE_TIMEOUT 4

/**
 * The connection was closed or reset before the response was complete.
 */
#define JUSTCALL_CAUSE_CLOSED 5

/**
 * Your program ended the request.
 */
#define JUSTCALL_CAUSE_CANCELLED 6

/**
 * Creates an exchange for `request`, which is copied with its body, timeout and cancel handle. The
 * timeout counts from now and includes waits. Sends and reads nothing yet.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if an argument other than `error` is NULL. On success
 * `*out` is yours, to be freed with justcall_exchange_free(); on failure it is NULL. Any number of
 * threads may call this on one client.
 */
JUSTCALL_NODISCARD
justcall_status justcall_exchange_new(const justcall_client *client,
                                      const justcall_request *request,
                                      justcall_exchange **out,
                                      justcall_error **error);

/**
 * Returns what to do now: sets `*action` to one of the JUSTCALL_ACTION numbers and, unless
 * `wait_ms` is NULL, `*wait_ms` to a number of milliseconds. For JUSTCALL_ACTION_WAIT it is the
 * time to wait. For JUSTCALL_ACTION_SEND it is the time left until the call's deadline, at least
 * 1, or 0 if the call has no limit: use it as your HTTP client's timeout. For the other actions it
 * is 0. Never blocks.
 *
 * Returns JUSTCALL_ACTION_SEND again until you report the result, and JUSTCALL_ACTION_LOAD until
 * justcall_exchange_load() returns. So while your HTTP client is sending, you may call this from
 * time to time to notice a fired cancel handle, justcall_client_shutdown() and the deadline: it
 * then returns the failure. Stop your request in that case; a later report of its result has no
 * effect. Each call of this function ends the text of justcall_exchange_method(),
 * justcall_exchange_url() and the headers, also if it returns JUSTCALL_ACTION_SEND again. Copy
 * that text first if your HTTP client does not; libcurl does.
 *
 * Returns the failure of the call once it is final, now and at every later call: any status that
 * justcall_client_send() may return. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT at every call in a
 * child of the process that created the exchange. Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT,
 * and changes nothing, if `action` or `exchange` is NULL or the exchange is in use.
 */
JUSTCALL_NODISCARD
justcall_status justcall_exchange_next(justcall_exchange *exchange,
                                       int32_t *action,
                                       uint64_t *wait_ms,
                                       justcall_error **error);

/**
 * Reads the source, after JUSTCALL_ACTION_LOAD: a file, a program or your load callback. Has no
 * effect after another action. Returns JUSTCALL_OK also if the source cannot be read: the next
 * justcall_exchange_next() then fails, or continues with the pair in use.
 *
 * Blocks until the source is read, at most until the call's deadline; the cancel handle of the
 * request ends it too. A load callback that is running is not interrupted. May run on a worker
 * thread, if nothing else uses the exchange until it returns. Fails with
 * JUSTCALL_ERROR_INVALID_ARGUMENT if `exchange` is NULL or in use.
 */
justcall_status justcall_exchange_load(justcall_exchange *exchange, justcall_error **error);

/**
 * Returns the method of the request to send. It may differ from that of your request: see
 * justcall_exchange_is_verifying(). Returns NULL if `exchange` is NULL or in use. The text lives
 * until the next justcall_exchange_next().
 */
const char *justcall_exchange_method(const justcall_exchange *exchange);

/**
 * Returns the full URL of the request to send. Returns NULL if `exchange` is NULL or in use. The
 * text lives until the next justcall_exchange_next().
 */
const char *justcall_exchange_url(const justcall_exchange *exchange);

/**
 * Returns how many headers the request to send has beside `Authorization`, which is secret, and
 * those that your HTTP client sets, such as `Host`. You may add headers, and replace these.
 * Returns 0 if `exchange` is NULL or in use.
 */
size_t justcall_exchange_header_count(const justcall_exchange *exchange);

/**
 * Returns the name of header number `index`, from 0, in lower case. Returns NULL if there is no
 * such header or `exchange` is NULL or in use. The text lives until the next
 * justcall_exchange_next().
 */
const char *justcall_exchange_header_name(const justcall_exchange *exchange, size_t index);

/**
 * Returns the value of header number `index`, as justcall_exchange_header_name() counts. Returns
 * NULL if there is no such header or `exchange` is NULL or in use. The text lives until the next
 * justcall_exchange_next().
 */
const char *justcall_exchange_header_value(const justcall_exchange *exchange, size_t index);

/**
 * Returns the body of the request to send, and sets `*length`, unless `length` is NULL, to its
 * length in bytes. Returns NULL, with a length of 0, if the request has no body or `exchange` is
 * NULL or in use. The body may be empty: then this is not NULL, and the length is 0. The body is
 * not NUL-terminated, and lives until justcall_exchange_free().
 */
const void *justcall_exchange_body(const justcall_exchange *exchange, size_t *length);

/**
 * Returns 1 if the request to send verifies the pair and is not your own request. It comes before
 * your own if the account of the pair must be known first. It comes after your own if that was
 * `/v2/account` and the service answered 401. Send it as the exchange describes it, without the
 * body and headers of your own request. Returns 0 if the request is your own, or if `exchange` is
 * NULL or in use.
 */
int32_t justcall_exchange_is_verifying(const justcall_exchange *exchange);

/**
 * Writes the value of the `Authorization` header, after JUSTCALL_ACTION_SEND, into `buffer`, as
 * justcall_credentials_authorization() does. Call it right before you send, and again for each
 * JUSTCALL_ACTION_SEND. The response then counts for the pair that was written: after 401, that
 * pair is rejected. If you report a response without this call, it counts for the pair that was in
 * use at JUSTCALL_ACTION_SEND.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if no request is to be sent, or the exchange is in
 * use; otherwise as justcall_credentials_authorization() does.
 */
JUSTCALL_NODISCARD
justcall_status justcall_exchange_authorization(justcall_exchange *exchange,
                                                char *buffer,
                                                size_t capacity,
                                                size_t *length,
                                                justcall_error **error);

/**
 * Reports the final response to the request, with arguments as for justcall_classify(), all of
 * which are copied. Pass the whole body, decompressed; a `Content-Encoding` header may stay. Drop
 * the headers of interim responses (100 to 199). The next justcall_exchange_next() returns what
 * follows.
 *
 * Has no effect, and returns JUSTCALL_OK, unless the action is JUSTCALL_ACTION_SEND and its result
 * has not been reported yet.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT as justcall_classify() does, and if `exchange` is
 * NULL or in use; the exchange is then unchanged.
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
 * `request_sent` is 0 if surely no byte of the request was sent, so that even a POST may be sent
 * again; pass 1 if in doubt. The next justcall_exchange_next() returns what follows. Has no
 * effect, and returns JUSTCALL_OK, unless the action is JUSTCALL_ACTION_SEND and its result has
 * not been reported yet.
 *
 * The cause for each CURLcode of libcurl:
 *
 * - JUSTCALL_CAUSE_RESOLVE: CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY.
 * - JUSTCALL_CAUSE_CONNECT: CURLE_COULDNT_CONNECT.
 * - JUSTCALL_CAUSE_TLS: CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION,
 *   CURLE_SSL_CACERT_BADFILE.
 * - JUSTCALL_CAUSE_TIMEOUT: CURLE_OPERATION_TIMEDOUT.
 * - JUSTCALL_CAUSE_CANCELLED: CURLE_ABORTED_BY_CALLBACK.
 * - JUSTCALL_CAUSE_CLOSED: every other.
 *
 * With libcurl, pass `request_sent` 0 for the first three causes, and for the others 1 if
 * CURLINFO_REQUEST_SIZE is greater than 0. If your program fails for a reason that is none of the
 * causes, pass JUSTCALL_CAUSE_CLOSED if a retry may help, else JUSTCALL_CAUSE_CANCELLED.
 *
 * The causes RESOLVE, CONNECT and CLOSED are retried as a lost connection is; the others end the
 * call. A call that ends fails as it would with the built-in HTTP client: with
 * JUSTCALL_ERROR_CONNECTION_FAILED (reason `resolve` or `connect`; for JUSTCALL_CAUSE_CLOSED
 * `receive`, or `send` if nothing was sent), JUSTCALL_ERROR_TLS_FAILED, JUSTCALL_ERROR_TIMEOUT
 * (reason `receive`, or `connect` if nothing was sent) or JUSTCALL_ERROR_CANCELLED.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `cause` is none of those numbers, or `exchange` is
 * NULL or in use; the exchange is then unchanged.
 */
justcall_status justcall_exchange_failed(justcall_exchange *exchange,
                                         int32_t cause,
                                         int32_t request_sent,
                                         justcall_error **error);

/**
 * Returns the response, after JUSTCALL_ACTION_DONE. Its HTTP status is 200 to 299: everything else
 * is a failure, whose response justcall_error_response() returns. May be called more than once.
 *
 * Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if the call is not over yet, an argument is NULL, or
 * the exchange is in use; with the call's failure if it has failed. On success `*out` is yours, to
 * be freed with justcall_response_free(); on failure it is NULL.
 */
JUSTCALL_NODISCARD
justcall_status justcall_exchange_response(const justcall_exchange *exchange,
                                           justcall_response **out,
                                           justcall_error **error);

/**
 * Frees an exchange, whether it is over or not, and all that was borrowed from it. A request that
 * your HTTP client is sending is yours to stop. Does nothing if `exchange` is NULL.
 */
void justcall_exchange_free(justcall_exchange *exchange);

/* Responses of your own HTTP client --------------------------------------------------------- */

/**
 * Classifies a response of the service that came over your own HTTP client. Returns JUSTCALL_OK
 * for the HTTP statuses 200 to 299, else the status that a client of this library would return,
 * with its error. The HTTP status decides; headers and body only explain.
 *
 * `header_names` and `header_values` are `header_count` (at most 1000) NUL-terminated strings
 * each, and may be NULL if that is 0; bytes in them that are not UTF-8 are replaced. `body` is
 * `body_length` bytes of any kind, and may be NULL if that is 0. Nothing of it is kept. The pair
 * is not known here, so a secret that the service echoes is not masked in
 * justcall_error_service_message().
 *
 * Also fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `http_status` is not between 100 and 999, if
 * a needed pointer is NULL, or if a length is impossible. justcall_error_http_status() of such an
 * error is 0. libcurl reports the status 0 if there was no response. Does not block. Any thread
 * may call this.
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
 * Worth knowing if the service rejects the pair.
 */
#define JUSTCALL_SEVERITY_NOTE 0

/**
 * Works, but is rarely meant.
 */
#define JUSTCALL_SEVERITY_WARNING 1

/**
 * Cannot work; the library would send nothing.
 */
#define JUSTCALL_SEVERITY_ERROR 2

/**
 * Checks a pair as people paste it: `key:secret`, a header value or a header line, `text_length`
 * bytes that need no NUL. Sends nothing. Reads no other input but the variable JUSTCALL_API_KEY,
 * to detect a key and a secret in the wrong order.
 *
 * Findings are not a failure. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `text` or `out` is
 * NULL. On success `*out` is yours, to be freed with justcall_report_free(); on failure it is
 * NULL. No text of the report holds what was passed. Does not block.
 */
JUSTCALL_NODISCARD
justcall_status justcall_diagnose(const char *text,
                                  size_t text_length,
                                  justcall_report **out,
                                  justcall_error **error);

/**
 * Checks the pair that `"default:"` would use, and every source that `"default:"` reads. Also
 * reports sources that could mislead a program, such as a second one with a different pair. Sends
 * nothing and runs no program.
 *
 * Findings are not a failure. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `out` is NULL. On
 * success `*out` is yours, to be freed with justcall_report_free(); on failure it is NULL. No text
 * of the report holds a key or a secret. Blocks while files are read. Any thread may call this
 * while no other changes the environment.
 */
JUSTCALL_NODISCARD
justcall_status justcall_diagnose_environment(justcall_report **out,
                                              justcall_error **error);

/**
 * Returns how many findings there are. Returns 0 if `report` is NULL.
 */
size_t justcall_report_count(const justcall_report *report);

/**
 * Returns how bad finding number `index`, from 0, is: one of the JUSTCALL_SEVERITY numbers.
 * Returns -1 if there is no such finding or `report` is NULL.
 */
int32_t justcall_report_severity(const justcall_report *report, size_t index);

/**
 * Returns what finding number `index` is, such as `"trailing_whitespace"`: the same in every
 * language. Returns NULL if there is no such finding or `report` is NULL. The text lives as long
 * as `report`.
 */
const char *justcall_report_code(const justcall_report *report, size_t index);

/**
 * Returns what finding number `index` says, in a sentence. Returns NULL if there is no such
 * finding or `report` is NULL. The text lives as long as `report`.
 */
const char *justcall_report_message(const justcall_report *report, size_t index);

/**
 * Returns what to do about finding number `index`. Returns NULL if there is no such finding or
 * `report` is NULL. The text lives as long as `report`.
 */
const char *justcall_report_remedy(const justcall_report *report, size_t index);

/**
 * Frees a report and every text borrowed from it. Does nothing if `report` is NULL.
 */
void justcall_report_free(justcall_report *report);

/* Errors ------------------------------------------------------------------------------------ */

/**
 * Returns the status of the failure, the same as the call returned. Returns JUSTCALL_OK if `error`
 * is NULL.
 */
justcall_status justcall_error_status(const justcall_error *error);

/**
 * Returns the name of the status, as justcall_status_name() does: for logs and for comparing, the
 * same in every language. Never NULL, `"ok"` if `error` is NULL. The text lives as long as the
 * program.
 */
const char *justcall_error_name(const justcall_error *error);

/**
 * Returns what happened, in one or more sentences. Safe to log: it never holds a secret. Never
 * NULL, empty if `error` is NULL. The text lives as long as `error`.
 */
const char *justcall_error_message(const justcall_error *error);

/**
 * Returns what to do about it, for the person who can. Safe to log. Never NULL, empty if `error`
 * is NULL. The text lives as long as `error`.
 */
const char *justcall_error_hint(const justcall_error *error);

/**
 * Returns the message in the body of the service's response, or NULL: check before you print it.
 * It is NULL if there was no response, if its body has no message, or if `error` is NULL. The text
 * has at most 512 bytes on one line, with an echoed secret masked, and lives as long as `error`.
 */
const char *justcall_error_service_message(const justcall_error *error);

/**
 * Returns one word more exact than the name. For JUSTCALL_ERROR_FORBIDDEN: `plan`, `role`, `ip`,
 * `addon` or `unspecified`; for JUSTCALL_ERROR_CREDENTIALS_MALFORMED what is wrong, such as
 * `trailing_whitespace`; for JUSTCALL_ERROR_TIMEOUT and JUSTCALL_ERROR_CONNECTION_FAILED the
 * phase: `resolve`, `connect`, `send` or `receive`. Returns NULL if there is none or `error` is
 * NULL. The text lives as long as `error`.
 */
const char *justcall_error_reason(const justcall_error *error);

/**
 * Returns the HTTP status of the last response. Returns 0 if there was no response or `error` is
 * NULL.
 */
int32_t justcall_error_http_status(const justcall_error *error);

/**
 * Returns 1 if the same call may succeed later although nothing is changed, else 0. Returns 0 if
 * `error` is NULL.
 */
int32_t justcall_error_retryable(const justcall_error *error);

/**
 * Returns how many milliseconds to wait before the next attempt: the time that the service asks
 * for, or the time for which a rejected pair is not sent again. Returns -1 if there is no such
 * time or `error` is NULL.
 */
int64_t justcall_error_retry_after_ms(const justcall_error *error);

/**
 * Returns 1 if any attempt may have delivered the request to the service, whatever ended the call.
 * Returns 0 if surely none did, or if `error` is NULL.
 *
 * After 1, send a POST again only if the service surely refused it. It did if
 * justcall_error_status() is 400, 401, 403, 404, 422 or 429; of these, only 429 is retryable
 * unchanged. After any other status the service may have executed the request. Do not decide by
 * justcall_error_http_status(): the response may be that of an earlier attempt.
 */
int32_t justcall_error_request_sent(const justcall_error *error);

/**
 * Returns the HTTP method of the request that failed, such as `"POST"`. Returns NULL if the
 * failure is not one of a request or `error` is NULL. The text lives as long as `error`.
 */
const char *justcall_error_method(const justcall_error *error);

/**
 * Returns the path of the request that failed, without its query. The path may hold a telephone
 * number, so no text of the error repeats it: mind where you log it. Returns NULL if the failure
 * is not one of a request or `error` is NULL. The text lives as long as `error`.
 */
const char *justcall_error_path(const justcall_error *error);

/**
 * Returns how often the request was sent, or given to your HTTP client to send. Returns 0 if it
 * never was, if the failure is not one of a request, or if `error` is NULL.
 */
uint32_t justcall_error_attempts(const justcall_error *error);

/**
 * Returns the last response: the one that the call failed with, such as a 422 whose body names the
 * fields, or the one that a retry followed. Returns NULL if there was no response or `error` is
 * NULL. The response belongs to the error and lives as long as it: do not free it.
 */
const justcall_response *justcall_error_response(const justcall_error *error);

/**
 * Frees an error and every text borrowed from it. Does nothing if `error` is NULL.
 */
void justcall_error_free(justcall_error *error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* JUSTCALL_AUTH_H */
