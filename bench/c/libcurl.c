/* libcurl's easy interface as a careful user sets it up: one handle, kept; a timeout of 30 s, no
 * signals, the CA file alone is trusted; headers made once; the whole body read; the status
 * checked. The JSON is not looked at: C programs bring their own parser. */
#include "worker.h"

#include <curl/curl.h>

static CURL *curl;
static struct curl_slist *headers;
static char account_url[256], texts_url[256];

/* The answer: kept from request to request. */
static struct {
    char *bytes;
    size_t length, capacity;
} answer;

static size_t take(char *bytes, size_t size, size_t count, void *context) {
    (void)context;
    size_t length = size * count;
    if (answer.length + length > answer.capacity) {
        answer.capacity = (answer.length + length) * 2;
        answer.bytes = realloc(answer.bytes, answer.capacity);
        if (!answer.bytes)
            return 0;
    }
    memcpy(answer.bytes + answer.length, bytes, length);
    answer.length += length;
    return length;
}

static void set(CURLcode code) {
    if (code != CURLE_OK)
        fail(curl_easy_strerror(code));
}

static void peer_open(const char *url, const char *ca_file) {
    const char *key = getenv("JUSTCALL_API_KEY"), *secret = getenv("JUSTCALL_API_SECRET");
    char authorization[256];
    if (!key || !secret)
        fail("no pair");
    snprintf(account_url, sizeof account_url, "%s/v2/account", url);
    snprintf(texts_url, sizeof texts_url, "%s/v2/texts", url);
    snprintf(authorization, sizeof authorization, "Authorization: %s:%s", key, secret);
    set(curl_global_init(CURL_GLOBAL_DEFAULT));
    curl = curl_easy_init();
    headers = curl_slist_append(headers, authorization);
    headers = curl_slist_append(headers, "Accept: application/json");
    headers = curl_slist_append(headers, "Content-Type: application/json");
    if (!curl || !headers)
        fail("out of memory");
    set(curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers));
    set(curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file));
    set(curl_easy_setopt(curl, CURLOPT_CAPATH, NULL));
    set(curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L));
    set(curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L));
    set(curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take));
}

static const char *peer_version(void) {
    return curl_version();
}

static void perform(void) {
    long status = 0;
    answer.length = 0;
    set(curl_easy_perform(curl));
    set(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status));
    if (status != 200 || answer.length == 0)
        fail("not the answer");
}

static void peer_verify(void) {
    set(curl_easy_setopt(curl, CURLOPT_URL, account_url));
    set(curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L));
    perform();
}

static void peer_post(const char *body, size_t length) {
    set(curl_easy_setopt(curl, CURLOPT_URL, texts_url));
    set(curl_easy_setopt(curl, CURLOPT_POST, 1L));
    set(curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body));
    set(curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)length));
    perform();
}

static void peer_close(void) {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    free(answer.bytes);
}
