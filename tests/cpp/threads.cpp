// Shares one client and one request between eight threads. threads URL CA_FILE KEY SECRET

#include "support.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

int main(int argc, char **argv) {
    if (argc != 5)
        return 2;
    const sandbox service(argv);
    const auto client = client_of(service);
    const auto request = justcall::request("POST", "/v2.1/echo").body("{}");
    const auto rejected = client.try_get("/v2.1/nothing").error();
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int n = 0; n < 8; ++n)
        threads.emplace_back([&] {
            for (int call = 0; call < 25; ++call) {
                good += client.verify().id() == 12345 ? 1 : 0;
                good += client.send(request).http_status() == 200 ? 1 : 0;
                const justcall::error copy = rejected;
                good += copy.response()->http_status() == 404 ? 1 : 0;
                good += client.authorization().size() > 0 ? 1 : 0;
            }
        });
    for (auto &thread : threads)
        thread.join();
    CHECK(good == 8 * 25 * 4);
    return checks_result();
}
