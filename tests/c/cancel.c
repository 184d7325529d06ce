/* Cancels calls in every phase. cancel LIMIT_MS FOLDER; the sandbox's line is in the environment as
 * JUSTCALL_SANDBOX. A cancelled call must return within LIMIT_MS. alarm() ends the program if it
 * hangs. */

#define _POSIX_C_SOURCE 200809L

#include "pair_file.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double limit;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A call on a separate thread. */
struct call {
    pthread_t thread;
    const justcall_client *client;
    justcall_request *request;
    justcall_status status;
    int request_sent;
    double ended;
};

static void *make_call(void *context) {
    struct call *call = (struct call *)context;
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    call->status = justcall_client_send(call->client, call->request, &response, &error);
    call->ended = now();
    call->request_sent = justcall_error_request_sent(error);
    justcall_response_free(response);
    justcall_error_free(error);
    return NULL;
}

static void begin(struct call *call, const justcall_client *client, const char *method,
                  const justcall_cancel *cancel) {
    justcall_error *error = POISON(justcall_error);
    memset(call, 0, sizeof *call);
    call->client = client;
    call->request = new_request(method, "/v2.1/calls");
    if (cancel)
        CHECK_OK(justcall_request_set_cancel(call->request, cancel, &error), &error);
    CHECK(pthread_create(&call->thread, NULL, make_call, call) == 0);
}

/* Checks that the call was cancelled and returned soon after the time `fired`. */
static void end(struct call *call, double fired) {
    pthread_join(call->thread, NULL);
    CHECK(call->status == JUSTCALL_ERROR_CANCELLED);
    if (!CHECK(call->ended - fired < limit))
        printf("    took %.0f ms\n", (call->ended - fired) * 1e3);
    justcall_request_free(call->request);
}

static void fire_and_end(struct call *call, justcall_cancel *cancel) {
    double fired = now();
    justcall_cancel_fire(cancel);
    /* The call holds a reference to the handle. */
    justcall_cancel_free(cancel);
    end(call, fired);
}

/* Returns how often the first fault was applied. */
static int struck(struct sandbox *sandbox) {
    cJSON *faults = control(sandbox, "GET", "faults", NULL);
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(faults, 0), "struck");
    int times = cJSON_IsNumber(count) ? count->valueint : 0;
    cJSON_Delete(faults);
    return times;
}

static void it_cancels_a_call_during_a_fault(struct sandbox *sandbox, const char *fault,
                                             int request_sent) {
    struct call call;
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_cancel *cancel = justcall_cancel_new();
    run_control(sandbox, "POST", "faults", fault);
    begin(&call, client, "GET", cancel);
    while (struck(sandbox) == 0)
        sched_yield();
    fire_and_end(&call, cancel);
    CHECK(call.request_sent == request_sent);
    run_control(sandbox, "POST", "clear", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* Returns a socket that listens on a free port and accepts no connection, and stores its URL. */
static int listener(char *url, size_t size) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int handle = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(handle, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(handle, 0) == 0);
    getsockname(handle, (struct sockaddr *)&address, &length);
    snprintf(url, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return handle;
}

/* Returns a client with any pair and the base URL `url`. */
static justcall_client *client_at(const char *url) {
    justcall_config *config = justcall_config_new();
    justcall_credentials *credentials = NULL;
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_credentials_new("abc123def456", 12, "sec789xyz000", 12, &credentials, &error),
             &error);
    CHECK_OK(justcall_config_set_credentials(config, credentials, &error), &error);
    CHECK_OK(justcall_config_set_base_url(config, url, &error), &error);
    justcall_credentials_free(credentials);
    return client_of(config);
}

/* Returns whether a socket of this machine is connecting to the port in `url`. */
static int is_connecting(const char *url) {
    char line[512], remote[32];
    int found = 0;
    FILE *table = fopen("/proc/self/net/tcp", "r");
    snprintf(remote, sizeof remote, " 0100007F:%04X 02 ", (unsigned)atoi(strrchr(url, ':') + 1));
    while (table && fgets(line, sizeof line, table))
        found = found || strstr(line, remote) != NULL;
    if (table)
        fclose(table);
    return found;
}

static void it_cancels_a_call_that_is_connecting(void) {
    struct call call;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    char url[64];
    int full = listener(url, sizeof url), first = socket(AF_INET, SOCK_STREAM, 0);
    getsockname(full, (struct sockaddr *)&address, &length);
    /* Nothing accepts, and the queue has room for one: the next connection must wait. */
    CHECK(connect(first, (struct sockaddr *)&address, sizeof address) == 0);
    justcall_client *client = client_at(url);
    justcall_cancel *cancel = justcall_cancel_new();
    begin(&call, client, "GET", cancel);
    while (!is_connecting(url))
        sched_yield();
    fire_and_end(&call, cancel);
    CHECK(call.request_sent == 0);
    justcall_client_free(client);
    close(first);
    close(full);
}

static void it_cancels_a_call_that_is_sending(void) {
    static uint8_t body[16 << 20];
    struct call call;
    char url[64], byte;
    int waiting = listener(url, sizeof url);
    justcall_client *client = client_at(url);
    justcall_cancel *cancel = justcall_cancel_new();
    justcall_error *error = POISON(justcall_error);
    memset(&call, 0, sizeof call);
    call.client = client;
    call.request = new_request("POST", "/v2.1/calls");
    CHECK_OK(justcall_request_set_body(call.request, body, sizeof body, &error), &error);
    CHECK_OK(justcall_request_set_cancel(call.request, cancel, &error), &error);
    CHECK(pthread_create(&call.thread, NULL, make_call, &call) == 0);
    int reader = accept(waiting, NULL, NULL);
    /* Only one byte is read: the rest does not fit into the buffers of the system. */
    CHECK(read(reader, &byte, 1) == 1);
    fire_and_end(&call, cancel);
    CHECK(call.request_sent == 1);
    justcall_client_free(client);
    close(reader);
    close(waiting);
}

static void fire_when_waiting(void *context, const justcall_event *event) {
    if (justcall_event_kind(event) == JUSTCALL_EVENT_WAITING_FOR_SOURCE)
        justcall_cancel_fire((justcall_cancel *)context);
}

static void it_cancels_a_call_that_waits_for_the_source(struct sandbox *sandbox,
                                                        const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct call call;
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    justcall_cancel *cancel = justcall_cancel_new();
    write_pair(&file, pair);
    justcall_config *config = file_config(sandbox, &file);
    CHECK_OK(justcall_config_set_rotation_wait_ms(config, 25000, &error), &error);
    CHECK_OK(justcall_config_set_event_handler(config, fire_when_waiting, cancel, NULL, &error),
             &error);
    justcall_client *client = client_of(config);
    cJSON_Delete(reset(sandbox, pair));
    double began = now();
    begin(&call, client, "GET", cancel);
    pthread_join(call.thread, NULL);
    CHECK(call.status == JUSTCALL_ERROR_CANCELLED);
    CHECK(call.ended - began < 20);
    justcall_request_free(call.request);
    justcall_client_free(client);
    justcall_cancel_free(cancel);
    cJSON_Delete(pair);
}

static void it_cancels_a_call_before_it_starts(struct sandbox *sandbox) {
    struct call call;
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_cancel *cancel = justcall_cancel_new();
    justcall_cancel_fire(cancel);
    justcall_cancel_fire(cancel);
    begin(&call, client, "GET", cancel);
    end(&call, now());
    CHECK_SEEN(sandbox, NULL);
    /* Other calls of the client are not affected. */
    justcall_response_free(response_to(client, "/v2.1/calls"));
    justcall_cancel_fire(NULL);
    justcall_cancel_free(cancel);
    justcall_cancel_free(NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_cancels_every_call_of_a_client_that_shuts_down(struct sandbox *sandbox) {
    struct call calls[2];
    justcall_account *account = NULL;
    justcall_error *error = POISON(justcall_error);
    int32_t action = 0;
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair), *other = new_client(sandbox, pair);
    justcall_exchange *exchange = new_exchange(client, "GET", "/v2.1/calls");
    run_control(sandbox, "POST", "faults", "{\"fault\":\"hang\",\"path\":\"/v2.1/calls\"}");
    begin(&calls[0], client, "GET", NULL);
    begin(&calls[1], client, "POST", NULL);
    while (struck(sandbox) < 2)
        sched_yield();
    double fired = now();
    justcall_client_shutdown(client);
    end(&calls[0], fired);
    end(&calls[1], fired);
    CHECK_FAILS(justcall_client_verify(client, &account, &error), JUSTCALL_ERROR_CANCELLED, &error);
    CHECK_FAILS(justcall_exchange_next(exchange, &action, NULL, &error), JUSTCALL_ERROR_CANCELLED,
                &error);
    CHECK_OK(justcall_client_verify(other, &account, &error), &error);
    justcall_client_shutdown(client);
    justcall_client_shutdown(NULL);
    justcall_account_free(account);
    justcall_exchange_free(exchange);
    justcall_client_free(client);
    justcall_client_free(other);
    run_control(sandbox, "POST", "clear", NULL);
    cJSON_Delete(pair);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    limit = atof(argv[1]) / 1e3;
    struct sandbox sandbox = sandbox_open();
    alarm(300);
    it_cancels_a_call_that_is_connecting();
    if (ca_file_of(&sandbox))
        it_cancels_a_call_during_a_fault(&sandbox, "{\"fault\":\"hang_handshake\"}", 0);
    it_cancels_a_call_that_is_sending();
    it_cancels_a_call_during_a_fault(&sandbox, "{\"fault\":\"hang\"}", 1);
    it_cancels_a_call_during_a_fault(&sandbox, "{\"fault\":\"hang_body\"}", 1);
    it_cancels_a_call_during_a_fault(
        &sandbox, "{\"fault\":\"slow_body\",\"chunk_bytes\":1,\"every_ms\":20}", 1);
    it_cancels_a_call_that_waits_for_the_source(&sandbox, argv[2]);
    it_cancels_a_call_before_it_starts(&sandbox);
    it_cancels_every_call_of_a_client_that_shuts_down(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
