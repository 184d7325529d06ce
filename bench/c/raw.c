/* A raw TLS socket: OpenSSL, a request prepared once, and a search for the length of the body. It has no
 * timeout, no retry, no proxy and no parser, so it is the lower bound of what a client costs. */
#include "worker.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <strings.h>
#include <unistd.h>

static SSL *tls;
static char verify_request[1024], host[128];

static void peer_open(const char *url, const char *ca_file) {
    const char *key = getenv("JUSTCALL_API_KEY"), *secret = getenv("JUSTCALL_API_SECRET");
    char name[96], port[16];
    struct addrinfo hints, *addresses;
    int descriptor = -1;
    if (!key || !secret || sscanf(url, "https://%95[^:]:%15[0-9]", name, port) != 2)
        fail("JUSTCALL_API_KEY or JUSTCALL_API_SECRET is not set, or the URL has no port");
    snprintf(host, sizeof host, "%s:%s", name, port);
    snprintf(verify_request, sizeof verify_request,
             "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
             "Authorization: %s:%s\r\n\r\n",
             verify_path(), host, key, secret);
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(name, port, &hints, &addresses) != 0)
        fail("the host has no address");
    for (struct addrinfo *one = addresses; one; one = one->ai_next) {
        descriptor = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
        if (descriptor >= 0 && connect(descriptor, one->ai_addr, one->ai_addrlen) == 0)
            break;
        close(descriptor);
        descriptor = -1;
    }
    freeaddrinfo(addresses);
    /* Head and body are two writes. */
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (descriptor < 0 || !context || SSL_CTX_load_verify_locations(context, ca_file, NULL) != 1)
        fail("cannot connect, or cannot read the CA file");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    tls = SSL_new(context);
    SSL_CTX_free(context);
    if (!tls || SSL_set1_host(tls, name) != 1 || SSL_set_fd(tls, descriptor) != 1 ||
        SSL_set_tlsext_host_name(tls, name) != 1 || SSL_connect(tls) != 1)
        fail("the TLS handshake failed");
}

static const char *peer_version(void) {
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static void exchange(const char *head, size_t head_length, const char *body, size_t length) {
    char response[16 * 1024];
    size_t received = 0;
    if (SSL_write(tls, head, (int)head_length) != (int)head_length ||
        (length > 0 && SSL_write(tls, body, (int)length) != (int)length))
        fail("cannot send");
    for (;;) {
        int count = SSL_read(tls, response + received, (int)(sizeof response - 1 - received));
        if (count <= 0)
            fail("the connection ended");
        received += (size_t)count;
        response[received] = '\0';
        const char *end = strstr(response, "\r\n\r\n"), *field = strcasestr(response, "content-length:");
        if (end && field && received >= (size_t)(end + 4 - response) + strtoul(field + 15, NULL, 10))
            break;
    }
    if (strncmp(response, "HTTP/1.1 200", 12) != 0)
        fail("the status is not 200");
}

static void peer_verify(void) {
    exchange(verify_request, strlen(verify_request), NULL, 0);
}

static void peer_post(const char *body, size_t length) {
    char head[1024];
    int head_length = snprintf(
        head, sizeof head,
        "POST /v2/texts HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n"
        "Content-Type: application/json\r\nAuthorization: %s:%s\r\nContent-Length: %zu\r\n\r\n",
        host, getenv("JUSTCALL_API_KEY"), getenv("JUSTCALL_API_SECRET"), length);
    exchange(head, (size_t)head_length, body, length);
}

static void peer_close(void) {
    SSL_free(tls);
}
