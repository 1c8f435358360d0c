// What the README shows beside first_task.cpp, word for word.
#include "contract.hpp"

#include <functional>
#include <string>

#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

using namespace contract;

namespace {

using asio::ip::tcp;

bg::task<void> echo(tcp::acceptor& open) {
  tcp::socket guest = co_await open.async_accept(bg::use_task);
  std::string heard(64, '\0');
  heard.resize(co_await guest.async_read_some(asio::buffer(heard), bg::use_task));
  co_await asio::async_write(guest, asio::buffer(heard), bg::use_task);
}
bg::task<std::string> ask(std::string line) {
  tcp::acceptor open(bg::io_context(), {asio::ip::address_v4::loopback(), 0});
  auto served = bg::submit(bg::loop, echo, std::ref(open));  // a reference, on purpose
  tcp::socket socket(bg::io_context());                      // the loop of the task's runtime
  co_await socket.async_connect(open.local_endpoint(), bg::use_task);
  co_await asio::async_write(socket, asio::buffer(line), bg::use_task);
  co_await asio::async_read(socket, asio::buffer(line), bg::use_task);
  co_await std::move(served);
  co_return line;
}

}  // namespace

TEST_CASE_TEMPLATE("a line goes there and back over TCP", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), ask, "two eggs").get() == "two eggs");
}
