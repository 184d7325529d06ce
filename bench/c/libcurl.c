/* libcurl's easy interface as a careful user sets it up: one reused handle, a timeout of 30 s, no
 * signals, only the CA file trusted, headers created once, the whole body read, the status checked.
 * The JSON is not parsed, because C programs bring their own parser. */
#define PEER_HAS_THREADS
#include "worker.h"

#include <curl/curl.h>

/* Each thread has its own handle, as libcurl requires, and so its own connection. */
static _Thread_local CURL *curl;
static struct curl_slist *headers;
static const char *ca_path;
static char account_url[256], texts_url[256];

/* The buffer is reused from request to request. */
static _Thread_local struct {
    char *bytes;
    size_t length, capacity;
} response;

static size_t append(char *bytes, size_t size, size_t count, void *context) {
    (void)context;
    size_t length = size * count;
    if (response.length + length > response.capacity) {
        response.capacity = (response.length + length) * 2;
        response.bytes = realloc(response.bytes, response.capacity);
        if (!response.bytes)
            return 0;
    }
    memcpy(response.bytes + response.length, bytes, length);
    response.length += length;
    return length;
}

static void must(CURLcode code) {
    if (code != CURLE_OK)
        fail(curl_easy_strerror(code));
}

static void peer_open(const char *url, const char *ca_file) {
    const char *key = getenv("JUSTCALL_API_KEY"), *secret = getenv("JUSTCALL_API_SECRET");
    char authorization[256];
    if (!key || !secret)
        fail("JUSTCALL_API_KEY or JUSTCALL_API_SECRET is not set");
    snprintf(account_url, sizeof account_url, "%s%s", url, verify_path());
    snprintf(texts_url, sizeof texts_url, "%s/v2/texts", url);
    snprintf(authorization, sizeof authorization, "Authorization: %s:%s", key, secret);
    must(curl_global_init(CURL_GLOBAL_DEFAULT));
    headers = curl_slist_append(headers, authorization);
    headers = curl_slist_append(headers, "Accept: application/json");
    headers = curl_slist_append(headers, "Content-Type: application/json");
    /* Otherwise a body of over 1 MiB waits for a response that this server does not send. */
    headers = curl_slist_append(headers, "Expect:");
    if (!headers)
        fail("out of memory");
    ca_path = ca_file;
    peer_thread_open();
}

static void peer_thread_open(void) {
    curl = curl_easy_init();
    if (!curl)
        fail("out of memory");
    must(curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers));
    must(curl_easy_setopt(curl, CURLOPT_CAINFO, ca_path));
    must(curl_easy_setopt(curl, CURLOPT_CAPATH, NULL));
    must(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L));
    must(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L));
    must(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append));
}

static void peer_thread_close(void) {
    curl_easy_cleanup(curl);
    free(response.bytes);
}

static const char *peer_version(void) {
    return curl_version();
}

static void perform(void) {
    long status = 0;
    response.length = 0;
    must(curl_easy_perform(curl));
    must(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status));
    if (status != 200 || response.length == 0)
        fail("the status is not 200, or the body is empty");
}

static void peer_verify(void) {
    must(curl_easy_setopt(curl, CURLOPT_URL, account_url));
    must(curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L));
    perform();
}

static void peer_post(const char *body, size_t length) {
    must(curl_easy_setopt(curl, CURLOPT_URL, texts_url));
    must(curl_easy_setopt(curl, CURLOPT_POST, 1L));
    must(curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body));
    must(curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)length));
    perform();
}

static void peer_close(void) {
    peer_thread_close();
    curl_slist_free_all(headers);
    curl_global_cleanup();
}
