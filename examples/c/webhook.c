/* Receives webhooks on a plain socket: webhook URL [PORT [SOURCE [BASE_URL [CA_FILE]]]]
 *
 * URL is the webhook URL as it is registered in JustCall. A proxy, such as nginx, forwards its
 * requests to 127.0.0.1:PORT. The program handles one request at a time; a real server would
 * respond immediately and do the work later. Stop it with SIGTERM. */

#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <justcall_auth.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MAX_HEAD (16 * 1024)
#define MAX_BODY (1024 * 1024)

/* A request as it was received: its head, split into lines that each end with a NUL, and its
 * body. */
struct request {
    char head[MAX_HEAD + 1];
    uint8_t body[MAX_BODY];
    size_t head_length, body_length;
};

/* Returns the value of a header, or NULL if there is none. If a header occurs twice, neither value
 * can be trusted: "twice" is not a valid signature, version or time. */
static const char *header(const struct request *request, const char *name) {
    const char *found = NULL, *line = request->head, *end = line + request->head_length;
    for (; line < end; line += strlen(line) + 1) {
        size_t length = strlen(name);
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            found = found ? "twice" : line + length + 1;
    }
    return found;
}

static void show(const char *what, const justcall_error *error) {
    printf("%s: %s: %s\n", what, justcall_error_name(error), justcall_error_message(error));
}

/* [snippet] */
/* Fetches the object of the event through the API, because the body of a delivery is not signed:
 * its data may be forged. Returns the HTTP status of the response to the delivery. */
static int confirm(const justcall_client *client, const justcall_webhook_event *event,
                   const struct request *request) {
    char path[128];
    justcall_response *object = NULL;
    justcall_error *error = NULL;
    justcall_status status = justcall_webhook_event_object_path(
        event, request->body, request->body_length, path, sizeof path, NULL, &error);
    if (status == JUSTCALL_OK)
        status = justcall_client_request(client, "GET", path, NULL, 0, &object, &error);
    if (status == JUSTCALL_OK)
        printf("%s: confirmed by %s\n", justcall_webhook_event_type(event), path);
    else
        show("not confirmed", error);
    justcall_response_free(object);
    justcall_error_free(error);
    /* JustCall sends the delivery again after every status other than 200. */
    return status == JUSTCALL_OK ? 200 : 500;
}

/* Verifies a delivery and returns the HTTP status of the response. */
static int receive(const justcall_webhook *webhook, const justcall_client *client,
                   const struct request *request) {
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    int http_status;
    justcall_status status =
        justcall_webhook_verify(webhook, header(request, "x-justcall-signature"),
                                header(request, "x-justcall-signature-version"),
                                header(request, "x-justcall-request-timestamp"), request->body,
                                request->body_length, (int64_t)time(NULL), &event, &error);
    switch (status) {
    case JUSTCALL_OK:
        http_status = confirm(client, event, request);
        break;
    case JUSTCALL_ERROR_WEBHOOK_UNSIGNED: /* a probe, or a proxy removed the signature */
    case JUSTCALL_ERROR_WEBHOOK_REPLAYED: /* already handled */
        http_status = 200;
        break;
    case JUSTCALL_ERROR_WEBHOOK_VERSION:
    case JUSTCALL_ERROR_WEBHOOK_MALFORMED:
    case JUSTCALL_ERROR_WEBHOOK_MISMATCH:
    case JUSTCALL_ERROR_WEBHOOK_STALE:
    case JUSTCALL_ERROR_WEBHOOK_WRONG_URL:
        http_status = 401;
        break;
    default: /* not a fault of the delivery: for example, the source of the pair cannot be read */
        http_status = 500;
    }
    if (status != JUSTCALL_OK)
        show("not dispatched", error);
    justcall_webhook_event_free(event);
    justcall_error_free(error);
    return http_status;
}
/* [/snippet] */

/* Reads a request from a connection. Returns 0, or the HTTP status if the request is malformed. */
static int read_request(int connection, struct request *request) {
    size_t length = 0;
    char *end = NULL;
    while (!end) {
        ssize_t count =
            length < MAX_HEAD ? read(connection, request->head + length, MAX_HEAD - length) : 0;
        if (count <= 0)
            return 400;
        length += (size_t)count;
        request->head[length] = '\0';
        end = strstr(request->head, "\r\n\r\n");
    }
    request->head_length = (size_t)(end - request->head) + 2;
    request->body_length = length - request->head_length - 2;
    memcpy(request->body, end + 4, request->body_length);
    for (char *at = request->head; at < request->head + request->head_length; ++at)
        if (*at == '\r' || *at == '\n')
            *at = '\0';
    const char *text = header(request, "content-length");
    if (!text)
        return 411;
    unsigned long announced = strtoul(text, &end, 10);
    if (announced > MAX_BODY)
        return 413;
    if (end == text || *end != '\0' || announced < request->body_length)
        return 400;
    while (request->body_length < announced) {
        ssize_t count = read(connection, request->body + request->body_length,
                             announced - request->body_length);
        if (count <= 0)
            return 400;
        request->body_length += (size_t)count;
    }
    return 0;
}

static void serve(int listener, const justcall_webhook *webhook, const justcall_client *client) {
    static struct request request;
    const struct timeval time_limit = {10, 0};
    char text[96];
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &time_limit, sizeof time_limit);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &time_limit, sizeof time_limit);
        int status = read_request(connection, &request);
        if (status == 0)
            status = receive(webhook, client, &request);
        snprintf(text, sizeof text,
                 "HTTP/1.1 %d Status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
        if (write(connection, text, strlen(text)) < 0)
            printf("the connection was closed before the response %d\n", status);
        close(connection);
        fflush(stdout);
    }
}

/* Listens on a loopback port and prints it. Returns the socket, or -1. */
static int listen_on(unsigned short port) {
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    const int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        return -1;
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_webhook *webhook = NULL;
    justcall_error *error = NULL;
    if (argc < 2 || argc > 6) {
        fprintf(stderr, "webhook URL [PORT [SOURCE [BASE_URL [CA_FILE]]]]\n");
        return 2;
    }
    const char *source = argc > 3 ? argv[3] : "default:";
    justcall_status status = justcall_config_set_source(config, source, &error);
    if (status == JUSTCALL_OK && argc > 4)
        status = justcall_config_set_base_url(config, argv[4], &error);
    if (status == JUSTCALL_OK && argc > 5)
        status = justcall_config_set_ca_file(config, argv[5], &error);
    if (status == JUSTCALL_OK)
        status = justcall_client_new(config, &client, &error);
    if (status == JUSTCALL_OK)
        status = justcall_webhook_new(argv[1], 600, &webhook, &error);
    if (status == JUSTCALL_OK)
        status = justcall_webhook_use_client(webhook, client, &error);
    if (status == JUSTCALL_OK) {
        int listener = listen_on((unsigned short)(argc > 2 ? atoi(argv[2]) : 0));
        if (listener >= 0)
            serve(listener, webhook, client);
        fprintf(stderr, "cannot listen on the port\n");
    } else {
        show("not started", error);
    }
    justcall_error_free(error);
    justcall_webhook_free(webhook);
    justcall_client_free(client);
    justcall_config_free(config);
    return 1;
}
